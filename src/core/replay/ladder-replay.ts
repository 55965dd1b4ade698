// The serving mode made again from its recorded evaluations: as it was, to hold the record to the code
// (RP7), and under a candidate's thresholds, whose state is carried from one evaluation to the next.
//
// Each evaluation meets the outcomes that were recorded: that a stricter mode would have refused some
// of the failing requests is not in them. A pin is an operator's act and holds under both.

import type { ControlRecord } from '../decisions/decision-record.ts';
import { stepLadder } from '../policy/ladder.ts';
import {
  type LadderOptions,
  type LadderSettings,
  ladderSettings,
} from '../policy/ladder-settings.ts';
import { type LadderState, modeInForce } from '../policy/ladder-state.ts';
import { modeRecordName, readEvaluation } from '../policy/mode-record.ts';
import { ModeTimeline } from './mode-timeline.ts';

/** Thresholds that an evaluation can be made again with. */
export const replayableOptions = [
  'failurePercent',
  'cooldownSeconds',
  'holdSeconds',
  'riskPercent',
  'graceSeconds',
] as const satisfies readonly (keyof LadderOptions)[];

export type ReplayableOptions = Partial<Pick<LadderOptions, (typeof replayableOptions)[number]>>;

/** What does not matter to the members that are taken from it. */
const anyObjective = { objective: 0.99, minRequests: 1, minBad: 1 };

/** The recorded settings with the given options in their place; the others bit for bit as recorded. */
export function candidateSettings(
  recorded: LadderSettings,
  given: ReplayableOptions,
): LadderSettings {
  const made = ladderSettings({
    ...anyObjective,
    failurePercent: given.failurePercent ?? 0,
    cooldownSeconds: given.cooldownSeconds ?? 0,
    holdSeconds: given.holdSeconds ?? 0,
    riskPercent: given.riskPercent ?? 0,
    graceSeconds: given.graceSeconds ?? 0,
  });
  const from = (name: keyof ReplayableOptions): LadderSettings =>
    given[name] === undefined ? recorded : made;
  return {
    ...recorded,
    failureShare: from('failurePercent').failureShare,
    minCooldownMs: from('cooldownSeconds').minCooldownMs,
    holdMs: from('holdSeconds').holdMs,
    riskThreshold: from('riskPercent').riskThreshold,
    graceMs: from('graceSeconds').graceMs,
  };
}

export class LadderReplay {
  readonly timeline = new ModeTimeline();
  readonly #given: ReplayableOptions;
  #carried: LadderState | undefined;

  /** `given` is empty without a candidate: then both modes are the recorded one. */
  constructor(given: ReplayableOptions) {
    this.#given = given;
  }

  /** Evaluations in their order. False for a record that is none, or cannot be read. */
  add(record: ControlRecord): boolean {
    if (record.name !== modeRecordName) return false;
    const evaluation = readEvaluation(record.input);
    if (!evaluation.ok) return false;
    const { settings, state, tick } = evaluation.value;
    const before = { ...(this.#carried ?? state), pin: state.pin };
    const step = stepLadder(candidateSettings(settings, this.#given), before, tick);
    this.#carried = step.state;
    this.timeline.add({
      at: record.at,
      recorded: modeInForce(stepLadder(settings, state, tick).state),
      candidate: modeInForce(step.state),
    });
    return true;
  }
}
