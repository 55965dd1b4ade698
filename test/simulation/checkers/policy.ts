// RP1 to RP7: the serving mode, what it refuses, and which backends take requests. Expectations are
// written out here as the specification has them (F.2), not taken from the code that is watched.

import type { Backend } from '../../../src/core/backends/backend.ts';
import type { HealthConfig, ProbeOutcome, ProbeRun } from '../../../src/core/backends/health.ts';
import type { ControlEvent } from '../../../src/core/events/control-event.ts';
import type { PriorityClass } from '../../../src/core/jobs/priority-class.ts';
import type { AdmissionReading, AdmissionVerdict } from '../../../src/core/policy/admission.ts';
import { type LadderEffect, type LadderStep, stepLadder } from '../../../src/core/policy/ladder.ts';
import type { LadderSettings } from '../../../src/core/policy/ladder-settings.ts';
import type { LadderState } from '../../../src/core/policy/ladder-state.ts';
import type { ServingMode } from '../../../src/core/policy/serving-mode.ts';
import type { LadderTick } from '../../../src/core/policy/tick-evidence.ts';
import type { Decision } from '../../../src/core/routing/decide.ts';
import type { Arena } from '../../../src/io/shared-memory/arena.ts';
import { demand } from './violation.ts';

const order: readonly ServingMode[] = ['normal', 'watch', 'restricted', 'halted'];
const retriesOf: Readonly<Record<ServingMode, number>> = {
  normal: 3,
  watch: 2,
  restricted: 1,
  halted: 0,
};

/** Of so many evaluations one is made again on the spot; the log makes all of them again. */
const sampling = 16;

function place(mode: ServingMode): number {
  return order.indexOf(mode);
}

function expectedVerdict(
  priorityClass: PriorityClass,
  reading: AdmissionReading,
): AdmissionVerdict {
  const { mode, inFlight, inFlightMax, keyInFlight, keyInFlightMax } = reading;
  if (keyInFlightMax > 0 && keyInFlight > keyInFlightMax) return 'key_limit';
  if (mode === 'halted' && priorityClass < 5) return 'mode';
  const isEmergency = place(mode) >= 2;
  if (isEmergency && inFlight >= Math.floor((inFlightMax * 8) / 10)) return 'shed';
  return inFlight > inFlightMax ? 'shed' : 'admitted';
}

export class PolicyChecker {
  #mode: ServingMode = 'normal';
  #evaluations = 0;
  readonly #counted = new Set<string>();
  #reported = 0;
  #countedRequests = 0;
  /** Modes that the world has been in, by how often it came there. */
  readonly visits = new Map<ServingMode, number>();

  modeLoaded(mode: ServingMode): void {
    this.#mode = mode;
  }

  // ---- admission and retries ---------------------------------------------------------------

  admitted(
    priorityClass: PriorityClass,
    reading: AdmissionReading,
    verdict: AdmissionVerdict,
  ): void {
    const expected = expectedVerdict(priorityClass, reading);
    demand('RP2', verdict === expected, () => {
      return `class ${priorityClass} in ${JSON.stringify(reading)}: ${verdict}, not ${expected}`;
    });
  }

  askedRetry(index: number, mode: ServingMode, retriesDone: number, isAdmitted: boolean): void {
    const expected = retriesDone < retriesOf[mode];
    demand('RP2', isAdmitted === expected, () => {
      return `request ${index} after ${retriesDone} retries in ${mode}: ${isAdmitted ? 'admitted' : 'refused'}`;
    });
  }

  // ---- routing -----------------------------------------------------------------------------

  /** Whoever is chosen takes requests at this very moment, whatever the snapshot says (RP5). */
  decided(decision: Decision, arena: Arena): void {
    if (decision.kind !== 'route') return;
    const { id, slot, generation } = decision.target;
    demand('RP5', arena.generationOf(slot) === generation, () => `${id} was removed, and chosen`);
    demand('RP5', arena.statusCode(slot) === 1, () => {
      return `${id} has the status code ${arena.statusCode(slot)}, and was chosen`;
    });
  }

  /** What a probe did to the status of a backend. */
  probed(
    backend: Backend,
    event: string,
    run: ProbeRun,
    outcome: ProbeOutcome,
    config: HealthConfig,
  ): void {
    const { id, status } = backend;
    const words = () =>
      `${id} was ${status}, ${event}, is ${outcome.status}: ${JSON.stringify(run)}`;
    demand('RP5', run.failures === 0 || run.successes === 0, words);
    if (outcome.status === 'healthy' && status !== 'healthy') {
      const needed = status === 'unhealthy' ? config.recoveryThreshold : 1;
      demand('RP5', event === 'ProbeSucceeded' && run.successes >= needed, words);
    }
    const isTooWell = event === 'ProbeFailed' && run.failures >= config.failureThreshold;
    demand('RP5', !isTooWell || outcome.status !== 'healthy', words);
  }

  // ---- mode --------------------------------------------------------------------------------

  reported(requests: number, failures: number): void {
    demand('RP2', failures <= requests, () => `${failures} failures of ${requests} requests`);
    this.#reported += requests;
  }

  /** A report is in the tick: each once, and no more than was reported. */
  counted(id: string, requests: number, _failures: number): void {
    demand('RD7', !this.#counted.has(id), () => `report ${id} counts twice`);
    this.#counted.add(id);
    this.#countedRequests += requests;
    demand('RD7', this.#countedRequests <= this.#reported, () => {
      return `${this.#countedRequests} requests counted, ${this.#reported} reported`;
    });
  }

  evaluated(
    settings: LadderSettings,
    before: LadderState,
    tick: LadderTick,
    step: LadderStep,
  ): void {
    const { state } = step;
    const up = place(state.mode) - place(before.mode);
    const words = () => `${before.mode} -> ${state.mode} on ${JSON.stringify({ before, tick })}`;
    demand('RP1', Math.abs(up) <= 1, words);
    const moves = step.effects.filter(({ kind }) => kind !== 'mode_escalation_suppressed');
    demand('RP1', moves.length === Math.abs(up), words);
    this.#checkCooldown(settings, before, tick, step, up, words);
    demand('RP4', up <= 0 || state.runs.successStreak === 0, words);
    demand('RP4', up >= 0 || state.runs.failureBurst === 0, words);
    this.#checkRisk(tick, step);
    this.#checkAgain(settings, before, tick, step);
  }

  #checkCooldown(
    settings: LadderSettings,
    before: LadderState,
    tick: LadderTick,
    step: LadderStep,
    up: number,
    words: () => string,
  ): void {
    const rest = settings.minCooldownMs * 2 ** place(before.mode);
    const elapsed = tick.at - (before.lastChange ?? Number.NEGATIVE_INFINITY);
    demand('RP3', up <= 0 || elapsed >= rest, words);
    const isTold = step.effects.some(({ kind }) => kind === 'mode_escalation_suppressed');
    demand('RP3', !isTold || elapsed < rest, words);
    const isCounted = step.state.suppressed === before.suppressed + 1;
    demand('RP3', !isTold || isCounted, words);
    // A tick with nothing to tell leaves the level as it is.
    const isEmpty = tick.outcomes.requests === 0 && tick.trips.length === 0;
    const hasProbes = tick.probes.good + tick.probes.failed > 0;
    demand('RP1', !isEmpty || hasProbes || up === 0, words);
  }

  /** The risk told is the mean of burn and of what the stages in a row are available (RP6). */
  #checkRisk(tick: LadderTick, step: LadderStep): void {
    const evidence = step.effects[0]?.evidence;
    if (evidence === undefined) return;
    const { known, routable } = tick.backends;
    const available =
      tick.gateway * (tick.databaseThere ? 1 : 0) * (known === 0 ? 1 : routable / known);
    const fast = tick.burn[0];
    const burning = fast === undefined ? 0 : Math.min(1, (fast.shortBurn ?? 0) / 14.4);
    const expected = (burning + 1 - available) / 2;
    demand('RP6', Math.abs(evidence.risk - expected) < 1e-9, () => {
      return `risk ${evidence.risk}, but burn ${burning} and availability ${available} make ${expected}`;
    });
  }

  #checkAgain(
    settings: LadderSettings,
    before: LadderState,
    tick: LadderTick,
    step: LadderStep,
  ): void {
    if (this.#evaluations++ % sampling !== 0) return;
    const stored = JSON.parse(JSON.stringify({ settings, before, tick }));
    const again = stepLadder(stored.settings, stored.before, stored.tick);
    demand('RP7', JSON.stringify(again) === JSON.stringify(step), () => {
      return `made again: ${JSON.stringify(again)}, was ${JSON.stringify(step)}`;
    });
  }

  /** A move took effect. */
  acted(effect: LadderEffect): void {
    if (effect.kind === 'mode_escalation_suppressed') return;
    demand('RP1', effect.from === this.#mode, () => {
      return `${effect.kind} from ${effect.from}, but the mode was ${this.#mode}`;
    });
    demand('RP1', Math.abs(place(effect.to) - place(effect.from)) === 1, () => {
      return `${effect.kind} from ${effect.from} to ${effect.to} is not one step`;
    });
    this.#mode = effect.to;
    this.visits.set(effect.to, (this.visits.get(effect.to) ?? 0) + 1);
  }

  /** The end: the trail tells one history, in steps of one. */
  atEnd(trail: readonly ControlEvent[], mode: ServingMode): void {
    let told: unknown = 'normal';
    for (const { kind, data, sequence } of trail) {
      if (kind !== 'mode_escalated' && kind !== 'mode_deescalated') continue;
      demand('RP1', data['from'] === told, () => {
        return `event ${sequence} of the mode goes from ${data['from']}, the one before to ${told}`;
      });
      told = data['to'];
    }
    demand('RP7', told === mode, () => `the trail ends in ${told}, the mode is ${mode}`);
    demand('calm', mode === 'normal', () => `the mode is still ${mode}`);
  }
}
