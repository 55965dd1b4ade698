// What the serving modes change, in words: one line for each gate. The page shows them side by side,
// the dialog of a pin shows those in which two modes differ.

import type { ModeEffectsWire, ServingModeWire } from '../api/wire.ts';
import { formatShare } from '../format/numbers.ts';
import { formatSpan } from '../format/time.ts';

export type Gate = {
  readonly name: string;
  readonly words: (effects: ModeEffectsWire) => string;
};

const yesNo = (holds: boolean) => (holds ? 'yes' : 'no');

/** A share of what is configured: all, none, or the share. */
function shareWords(share: number): string {
  if (share <= 0) return 'none';
  return share >= 1 ? 'all' : formatShare(share, 1);
}

const batchingWords: Readonly<Record<ModeEffectsWire['batching'], string>> = {
  all: 'every request',
  priority: 'priority groups only',
  none: 'none',
};

/** What the mode does to requests and changes. */
export const gates: readonly Gate[] = [
  { name: 'Retries', words: ({ retries }) => String(retries) },
  {
    name: 'Classes admitted',
    words: ({ least_class }) => (least_class <= 1 ? 'all five' : `from ${least_class} up`),
  },
  { name: 'Emergency shedding', words: (effects) => yesNo(effects.emergency_shedding) },
  { name: 'Experiments', words: (effects) => yesNo(effects.experiments) },
  { name: 'Shadow traffic', words: (effects) => shareWords(effects.shadow_share) },
  { name: 'Canary promotion', words: (effects) => yesNo(effects.canary_promotion) },
  { name: 'Deployments', words: (effects) => yesNo(effects.deployments) },
  { name: 'Batching', words: ({ batching }) => batchingWords[batching] },
  { name: 'Batch wait', words: (effects) => shareWords(effects.batch_wait_share) },
  { name: 'OpenAI batches', words: (effects) => yesNo(effects.openai_batches) },
  { name: 'New suite runs', words: (effects) => yesNo(effects.suite_runs) },
];

/** How the ladder itself leaves a mode; nothing that a request notices. */
export const ladderBounds: readonly Gate[] = [
  {
    name: 'Calm ticks to leave it downwards',
    words: ({ calm_ticks }) => (calm_ticks === null ? 'is the lowest' : String(calm_ticks)),
  },
  {
    name: 'Cooldown before the next step up',
    words: ({ cooldown_seconds }) => formatSpan(cooldown_seconds * 1000),
  },
];

export type GateChange = { readonly name: string; readonly from: string; readonly to: string };

/** The gates in which two modes differ, in the order of the table. */
export function changedGates(from: ModeEffectsWire, to: ModeEffectsWire): readonly GateChange[] {
  return gates
    .map(({ name, words }) => ({ name, from: words(from), to: words(to) }))
    .filter((change) => change.from !== change.to);
}

export function effectsOf(
  effects: readonly ModeEffectsWire[],
  mode: ServingModeWire,
): ModeEffectsWire | undefined {
  return effects.find((one) => one.mode === mode);
}

/** What the mode holds back or asks for beyond normal operation, one phrase each. */
export function heldBack(
  effects: readonly ModeEffectsWire[],
  mode: ServingModeWire,
): readonly string[] {
  const normal = effectsOf(effects, 'normal');
  const now = effectsOf(effects, mode);
  if (normal === undefined || now === undefined) return [];
  return changedGates(normal, now).map(
    ({ name, from, to }) => `${name.toLowerCase()} ${to}, normally ${from}`,
  );
}
