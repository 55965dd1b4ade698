// What making a decision again came to, and how two outcomes of one decision are compared. The order
// is fixed, so that the same log always tells the same first difference:
//
//   admission   verdict
//   queue       ended
//   routing     split, candidates, chosen, code, route_reason, then of each candidate its stage and score
//   control     the members of the output in the order of their names
//
// Reasons in words are not compared: they may be told better later.

import { canonicalJson, type Json } from '../../base/canonical.ts';
import { compareText } from '../../base/compare.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import type { AdmissionVerdict } from '../policy/admission.ts';
import { noPlace } from '../queue/waiting-places.ts';
import type { Consideration, Decision } from '../routing/decide.ts';
import { armAgain, type TrafficSplit } from '../routing/split.ts';
import { stageCodes, stagesInOrder } from './block-layout.ts';
import type { AdmissionRecord, QueuedRecord } from './decision-record.ts';
import type { RoutingView } from './routing-view.ts';

export type Difference = {
  readonly kind: 'differs';
  /** `verdict`, `chosen`, `score of sim-a` ... */
  readonly member: string;
  readonly recorded: string;
  readonly again: string;
};

export type UndecidableReason =
  /** No document under the digest that the record names. */
  | 'snapshot_missing'
  /** The snapshot does not list the model, so it is not the one that was decided on. */
  | 'model_missing'
  /** Nobody here makes control decisions of this name and version again. */
  | 'unknown_control';

export type Redecision =
  | { readonly kind: 'same' }
  | Difference
  | { readonly kind: 'undecidable'; readonly reason: UndecidableReason };

export function undecidable(reason: UndecidableReason): Redecision {
  return { kind: 'undecidable', reason };
}

export const same: Redecision = Object.freeze({ kind: 'same' });

export function differs(member: string, recorded: string, again: string): Difference {
  return { kind: 'differs', member, recorded, again };
}

type AdmissionOutcome = Pick<AdmissionRecord, 'kind' | 'code'>;

const admissionOutcomes: Readonly<Record<AdmissionVerdict, AdmissionOutcome>> = {
  admitted: { kind: 'admitted', code: undefined },
  key_limit: { kind: 'refused', code: 'rate_limit_exceeded' },
  mode: { kind: 'refused', code: 'mode_restricted' },
  shed: { kind: 'shed', code: 'overloaded' },
};

/** What is recorded of a verdict: the kind of the record, and its code. */
export function admissionOutcome(verdict: AdmissionVerdict): AdmissionOutcome {
  return admissionOutcomes[verdict];
}

function admissionWords({ kind, code }: AdmissionOutcome): string {
  return code === undefined ? kind : `${kind} ${code}`;
}

export function admissionDifference(
  recorded: AdmissionOutcome,
  verdict: AdmissionVerdict,
): Difference | undefined {
  const again = admissionOutcome(verdict);
  if (again.kind === recorded.kind && again.code === recorded.code) return undefined;
  return differs('verdict', admissionWords(recorded), admissionWords(again));
}

type Stay = Pick<QueuedRecord, 'priorityClass' | 'reading' | 'ended'>;

/** Might it wait? How a stay then ended is what became of it. */
export function queueDifference({ priorityClass, reading, ended }: Stay): Difference | undefined {
  const again = noPlace(priorityClass, reading) === undefined ? 'a place' : 'full';
  const recorded = ended === 'full' ? 'full' : 'a place';
  return again === recorded ? undefined : differs('ended', recorded, again);
}

function outcomeWords(chosen: Consideration | undefined, code: ErrorCode | undefined): string {
  return code === undefined ? (chosen?.target.id ?? 'none') : `refused ${code}`;
}

/** Is the arm that was drawn the one that these splits draw? */
export function splitDifference(
  { features: { split } }: RoutingView,
  splits: readonly TrafficSplit[],
): Difference | undefined {
  if (split === undefined) return undefined;
  const again = armAgain(splits, split);
  return again === split.arm ? undefined : differs('split', split.arm, again ?? 'none');
}

/** The first difference between a recorded route and the one decided again. */
export function routingDifference(view: RoutingView, again: Decision): Difference | undefined {
  const { candidates } = view;
  const { considered } = again;
  if (considered.length !== candidates.count) {
    return differs('candidates', `${candidates.count}`, `${considered.length}`);
  }
  return outcomeDifference(view, again) ?? candidatesDifference(view, considered);
}

function outcomeDifference(view: RoutingView, again: Decision): Difference | undefined {
  const { considered } = again;
  if (again.kind === 'refuse') {
    const { code } = again.refusal;
    if (view.code === code) return undefined;
    const recorded = outcomeWords(considered[view.chosen], view.code);
    return differs(view.code === undefined ? 'chosen' : 'code', recorded, `refused ${code}`);
  }
  if (view.code !== undefined || considered[view.chosen]?.target !== again.target) {
    const recorded = outcomeWords(considered[view.chosen], view.code);
    return differs('chosen', recorded, again.target.id);
  }
  if (view.routeReason === again.routeReason) return undefined;
  return differs('route_reason', view.routeReason ?? 'none', again.routeReason);
}

function candidatesDifference(
  { candidates }: RoutingView,
  considered: readonly Consideration[],
): Difference | undefined {
  for (let i = 0; i < considered.length; i++) {
    const { stage, score, target } = considered[i] as Consideration;
    const recorded = candidates.stage[i] as number;
    if (recorded !== (stage === undefined ? 0 : stageCodes[stage])) {
      const words = stagesInOrder[recorded] ?? 'candidate';
      return differs(`stage of ${target.id}`, words, stage ?? 'candidate');
    }
    if (score === undefined) continue;
    const before = candidates.score[i] as number;
    // Minus zero and zero are the same score, and so are NaN and NaN.
    if (before !== score && !(Number.isNaN(before) && Number.isNaN(score))) {
      return differs(`score of ${target.id}`, `${before}`, `${score}`);
    }
  }
  return undefined;
}

/** The first member, by name, in which two outputs differ; `output` when they are no objects. */
export function jsonDifference(recorded: Json, again: Json): Difference | undefined {
  const before = canonicalJson(recorded);
  const after = canonicalJson(again);
  if (before === after) return undefined;
  if (!isObject(recorded) || !isObject(again)) return differs('output', before, after);
  const names = new Set([...Object.keys(recorded), ...Object.keys(again)]);
  for (const name of [...names].sort(compareText)) {
    const [a, b] = [memberText(recorded, name), memberText(again, name)];
    if (a !== b) return differs(name, a, b);
  }
  return differs('output', before, after);
}

type JsonObject = { readonly [key: string]: Json | undefined };

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function memberText(object: JsonObject, name: string): string {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return value === undefined ? 'none' : canonicalJson(value);
}
