// Which faults a seed gets, and when. Every kind may come, in an order of its own; the second half of
// what is planned is drawn freely, so that kinds meet each other. Nothing is planned into the quiet
// phase.

import type { Chance } from './chance.ts';
import { type FaultKind, faultKinds } from './faults.ts';

export type PlannedFault = {
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly lastsMs: number;
};

/** How many faults a world gets at least; some cannot strike, so there are more than are asked. */
const planned = 34;

export function planFaults(chance: Chance, untilMs: number): readonly PlannedFault[] {
  const kinds: FaultKind[] = [...faultKinds];
  while (kinds.length < planned) kinds.push(chance.pick(faultKinds));
  const spacing = untilMs / (kinds.length + 1);
  return chance.shuffled(kinds).map((kind, place) => ({
    kind,
    atMs: Math.round((place + 0.3 + chance.unit()) * spacing),
    lastsMs: chance.between(2000, 20_000),
  }));
}
