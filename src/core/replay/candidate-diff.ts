// Tier 1 of a replay with a candidate policy, certain: each decision of the log made again under the
// candidate's settings with everything else as it was recorded. It says what this decision would have
// been, not what the fleet would have become: no figure that was read changes because an earlier
// choice would have been another one. Those questions are tiers 2 and 3.
//
//                        admitted?                 which backend?               settled
//   candidate's mode ──> judgeAdmission   snapshot with ──> decide ──┐            │
//                            │            its settings               v            v
//                            └──> refused, no attempt           shifts, diff   tier 2
//
//   D1  Every decision counts once as recorded and once under the candidate: the two columns of
//       `shifts` have the same sum.
//   D2  Requests that are open are kept in a map with a cap; where one falls out, it leaves tier 2.

import { BoundedMap } from '../../base/bounded-map.ts';
import { compareText } from '../../base/compare.ts';
import type { Strategy } from '../../base/routing-words.ts';
import type {
  AdmissionRecord,
  DecisionRecord,
  RoutingRecord,
  SettledRecord,
} from '../decisions/decision-record.ts';
import { type AdmissionVerdict, judgeAdmission, mayAttemptAgain } from '../policy/admission.ts';
import { maxRetries } from '../policy/serving-mode.ts';
import { modelUnder } from '../routing/asked-model.ts';
import type { Consideration, Decision } from '../routing/decide.ts';
import { policyOf } from '../routing/policies/policies.ts';
import type { RoutingSettings, RoutingSnapshot } from '../routing/snapshot.ts';
import { choiceWords, destinationOf, retryWords } from './change-words.ts';
import type { ModeTimeline } from './mode-timeline.ts';
import { OffPolicyEstimate } from './off-policy.ts';

export type CandidatePorts = {
  snapshotOf(digest: string): RoutingSnapshot | undefined;
  /** The decision of the record made again under another snapshot; undefined where it cannot be. */
  redecideWith(
    record: RoutingRecord,
    transform: (snapshot: RoutingSnapshot) => RoutingSnapshot,
  ): Decision | undefined;
};

export type DecisionChange = {
  readonly decisionId: string;
  readonly at: number;
  readonly model: string;
  readonly was: string;
  readonly wouldBe: string;
  readonly because: string;
};

export type Shift = {
  /** Backend id, `refused`, or `undecided` where the log does not hold what would decide. */
  readonly to: string;
  readonly recorded: number;
  readonly candidate: number;
};

/**
 * Uncongested: no candidate was at half of its capacity, or at four in flight where that is unknown,
 * and none was left out for being full.
 */
const congestedShare = 0.5;
const congestedPending = 4;

const changesKept = 100;
const openRequestsMax = 65_536;

const undecided = 'undecided';
const refused = 'refused';

type Open = {
  /** Would the candidate's mode have kept it out? Then no attempt of it counts. */
  readonly isKeptOut: boolean;
  first: FirstAttempt | undefined;
};

type FirstAttempt = {
  readonly model: string;
  readonly promptTokens: number;
  readonly logged: string;
  readonly candidate: string | undefined;
  readonly choices: number;
  readonly isCongested: boolean;
};

function isCongested(considered: readonly Consideration[]): boolean {
  return considered.some(({ stage, reading }) => {
    if (stage === 'capacity') return true;
    if (stage !== undefined) return false;
    const { pending, capacity } = reading;
    return capacity > 0 ? pending >= capacity * congestedShare : pending >= congestedPending;
  });
}

/** Out of how many the log drew, where it drew; 0 where it chose by score. */
function choicesOf(considered: readonly Consideration[], settings: RoutingSettings): number {
  const scored = considered.filter((item) => item.stage === undefined).length;
  const isDrawn = settings.strategy === 'random' || settings.strategy === 'round_robin';
  return isDrawn || scored === 1 ? scored : 0;
}

/** What each strategy decides by and the log holds only where it was the one that decided. */
const ownKeys: Partial<Record<Strategy, string>> = {
  prefix_affinity: 'the beginnings of prompts',
  sticky: 'the sessions',
  cost: 'the prices',
};

/** Why a strategy cannot be asked about a log that another one wrote; undefined when it can. */
function missingFor(to: Strategy, from: Strategy): string | undefined {
  if (to === from) return undefined;
  const reads = policyOf(to).reads & ~policyOf(from).reads;
  const key = ownKeys[to] ?? (reads === 0 ? undefined : 'the figures that it goes by');
  if (key === undefined && to !== 'model_affinity') return undefined;
  const lacks = key ?? 'the models that were loaded';
  return `strategy ${to}: a log of ${from} does not hold ${lacks}`;
}

const verdictWords: Readonly<Record<AdmissionVerdict, string>> = {
  admitted: 'admits it',
  key_limit: 'refuses it: limit of the key',
  mode: 'refuses its class',
  shed: 'sheds it',
};

export class CandidateDiff {
  readonly #routing: Partial<RoutingSettings>;
  readonly #modes: ModeTimeline;
  readonly #ports: CandidatePorts;
  readonly #shifts = new Map<string, { recorded: number; candidate: number }>();
  readonly #changes: DecisionChange[] = [];
  readonly #open = new BoundedMap<string, Open>(openRequestsMax);
  readonly #transformed = new WeakMap<RoutingSnapshot, RoutingSnapshot>();
  readonly estimate = new OffPolicyEstimate();
  #changed = 0;

  /** `routing` holds only what the candidate names. */
  constructor(routing: Partial<RoutingSettings>, modes: ModeTimeline, ports: CandidatePorts) {
    this.#routing = routing;
    this.#modes = modes;
    this.#ports = ports;
  }

  /** Decisions that would have been others. */
  get changed(): number {
    return this.#changed;
  }

  /** The first hundred of them, in the order of the records. */
  get changes(): readonly DecisionChange[] {
    return this.#changes;
  }

  /** By destination; both columns have the same sum (D1). */
  shifts(): readonly Shift[] {
    return [...this.#shifts]
      .map(([to, counts]) => ({ to, ...counts }))
      .sort((a, b) => b.recorded - a.recorded || compareText(a.to, b.to));
  }

  /** Records of one stream in their order. */
  add(record: DecisionRecord): void {
    switch (record.kind) {
      case 'admitted':
      case 'refused':
      case 'shed':
        this.#admission(record);
        return;
      case 'routed':
      case 'failed_over':
        this.#routed(record);
        return;
      case 'settled':
        this.#settled(record);
        return;
      case 'control':
        return;
    }
  }

  #admission(record: AdmissionRecord): void {
    const point = this.#modes.at(record.at);
    const mode =
      point === undefined || point.recorded === point.candidate
        ? record.reading.mode
        : point.candidate;
    const verdict = judgeAdmission(record.priorityClass, { ...record.reading, mode });
    const isAdmitted = verdict === 'admitted';
    this.#open.set(record.requestId, { isKeptOut: !isAdmitted, first: undefined });
    if (record.kind === 'admitted') {
      if (isAdmitted) return;
      // The attempts of the request are what is shifted; this is why.
      this.#note(record, 0, { was: 'admitted', wouldBe: refused }, modeWords(mode, verdict));
    } else if (isAdmitted) {
      // Where it would have gone was never read.
      this.#shift(refused, undecided);
      this.#note(record, 0, { was: refused, wouldBe: 'admitted' }, modeWords(mode, verdict));
    } else this.#shift(refused, refused);
  }

  #routed(record: RoutingRecord): void {
    const snapshot = this.#ports.snapshotOf(record.snapshotDigest);
    const again = this.#ports.redecideWith(record, (recorded) => this.#candidateOf(recorded));
    if (snapshot === undefined || again === undefined) return;
    const was = recordedDestination(record, again);
    const open = this.#open.get(record.requestId);
    if (open?.isKeptOut === true) {
      this.#shift(was, refused);
      this.#changed += was === refused ? 0 : 1;
      return;
    }
    const change = this.#changeOf(record, snapshot.settings, again, was);
    this.#shift(was, change.wouldBe);
    if (change.wouldBe !== was) {
      this.#note(record, record.attempt, { was, wouldBe: change.wouldBe }, change.because);
    }
    if (record.attempt !== 1 || record.outcome.kind !== 'route') return;
    const first: FirstAttempt = {
      model: record.features.resolvedModel,
      promptTokens: record.features.estimatedTokens,
      logged: was,
      candidate: change.wouldBe === undecided ? undefined : change.wouldBe,
      choices: choicesOf(again.considered, snapshot.settings),
      isCongested: isCongested(again.considered),
    };
    this.#open.set(record.requestId, { isKeptOut: false, first });
  }

  #changeOf(
    record: RoutingRecord,
    from: RoutingSettings,
    again: Decision,
    was: string,
  ): { readonly wouldBe: string; readonly because: string } {
    const { features, attempt } = record;
    const to = { ...from, ...this.#routing };
    const missing = missingFor(to.strategy, from.strategy);
    if (missing !== undefined) return { wouldBe: undecided, because: missing };
    const point = this.#modes.at(record.at);
    const differs = point !== undefined && point.recorded !== point.candidate;
    const mode = differs ? point.candidate : record.mode;
    // The number of an attempt counts backends that were gone before they were asked, the limit does
    // not: only a limit that is lower than the recorded one refuses what was done.
    const wasWithin = mayAttemptAgain(attempt - 1, from.maxRetries, record.mode);
    if (attempt > 1 && wasWithin && !mayAttemptAgain(attempt - 1, to.maxRetries, mode)) {
      const isMode = mayAttemptAgain(attempt - 1, to.maxRetries, record.mode);
      const because = isMode
        ? `mode ${record.mode} -> ${mode}: ${maxRetries(mode)} retries`
        : retryWords(attempt, from.maxRetries, to.maxRetries);
      return { wouldBe: refused, because };
    }
    const snapshot = this.#ports.snapshotOf(record.snapshotDigest);
    const model =
      snapshot === undefined || features.isFallback
        ? features.resolvedModel
        : modelUnder(features, snapshot, this.#candidateOf(snapshot));
    if (model === undefined) {
      const because = 'splits: the log does not hold whom the request belongs to';
      return { wouldBe: undecided, because };
    }
    if (model !== features.resolvedModel) {
      const by = features.split === undefined ? 'aliases' : 'aliases or splits';
      const because = `${by}: ${features.model} means ${model}, not ${features.resolvedModel}`;
      return { wouldBe: undecided, because };
    }
    const wouldBe = destinationOf(again);
    const sides = {
      was: again.considered.find((item) => item.target.id === was),
      wouldBe: again.considered.find((item) => item.target.id === wouldBe),
    };
    const because =
      sides.was === undefined || sides.wouldBe === undefined
        ? ''
        : choiceWords({ was: sides.was, wouldBe: sides.wouldBe }, from, to);
    return { wouldBe, because };
  }

  #settled(record: SettledRecord): void {
    const open = this.#open.get(record.requestId);
    if (open === undefined) return;
    this.#open.delete(record.requestId);
    const { first } = open;
    if (first === undefined) return;
    const { model, promptTokens, logged, candidate, choices } = first;
    const { firstByteMs } = record;
    const isTold = record.attempts === 1 && firstByteMs !== undefined && record.code === undefined;
    if (first.isCongested || !isTold) {
      this.estimate.leaveOut(model, promptTokens);
      return;
    }
    const to = candidate === refused ? undefined : candidate;
    this.estimate.add({ model, promptTokens, logged, candidate: to, choices, firstByteMs });
  }

  #candidateOf(snapshot: RoutingSnapshot): RoutingSnapshot {
    let candidate = this.#transformed.get(snapshot);
    if (candidate === undefined) {
      candidate = { ...snapshot, settings: { ...snapshot.settings, ...this.#routing } };
      this.#transformed.set(snapshot, candidate);
    }
    return candidate;
  }

  #shift(recorded: string, candidate: string): void {
    this.#countsOf(recorded).recorded++;
    this.#countsOf(candidate).candidate++;
  }

  #countsOf(to: string): { recorded: number; candidate: number } {
    let counts = this.#shifts.get(to);
    if (counts === undefined) {
      counts = { recorded: 0, candidate: 0 };
      this.#shifts.set(to, counts);
    }
    return counts;
  }

  #note(
    record: AdmissionRecord | RoutingRecord,
    attempt: number,
    sides: { readonly was: string; readonly wouldBe: string },
    because: string,
  ): void {
    this.#changed++;
    if (this.#changes.length >= changesKept) return;
    const model = 'features' in record ? record.features.model : '';
    const decisionId = `${record.requestId}.${attempt}`;
    this.#changes.push({ decisionId, at: record.at, model, ...sides, because });
  }
}

/** Where the log sent it; the candidates of both decisions stand in one order (R2). */
function recordedDestination(record: RoutingRecord, again: Decision): string {
  if (record.outcome.kind === 'refuse') return refused;
  return again.considered[record.outcome.chosen]?.target.id ?? undecided;
}

function modeWords(mode: string, verdict: AdmissionVerdict): string {
  return `mode ${mode} ${verdictWords[verdict]}`;
}
