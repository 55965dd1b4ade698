// The production functions as of the behaviour of each block: one re-decider for each number, made
// when it is first met. Control decisions are made again by the rule of their name.

import type { Json } from '../../base/canonical.ts';
import type { Fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { knownBehaviour } from '../../core/decisions/behaviour.ts';
import { type ControlRedecider, Redecider } from '../../core/decisions/redecide.ts';
import { evaluateAgain, modeRecordName, modeRecordVersion } from '../../core/policy/mode-record.ts';
import type { RoutingSnapshot } from '../../core/routing/snapshot.ts';

/** Re-deciders by behaviour number. */
export type Redeciders = (behaviour: number) => Result<Redecider, Fault<'unknown_version'>>;

function evaluation(input: Json, version: number): Json | undefined {
  const step = version === modeRecordVersion ? evaluateAgain(input) : undefined;
  // A step is made of what JSON has: it is written to the log as it is.
  return step?.ok === true ? (step.value as unknown as Json) : undefined;
}

const control: ReadonlyMap<string, ControlRedecider> = new Map([[modeRecordName, evaluation]]);

export function redeciders(source: {
  snapshotOf(digest: string): RoutingSnapshot | undefined;
}): Redeciders {
  const known = new Map<number, Redecider>();
  const snapshotOf = (digest: string): RoutingSnapshot | undefined => source.snapshotOf(digest);
  return (behaviour) => {
    const kept = known.get(behaviour);
    if (kept !== undefined) return ok(kept);
    const checked = knownBehaviour(behaviour);
    if (!checked.ok) return err(checked.error);
    const made = new Redecider({ snapshotOf, behaviour, control });
    known.set(behaviour, made);
    return ok(made);
  };
}
