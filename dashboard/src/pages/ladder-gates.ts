// What stands between the present mode and the next step in either direction, gate by gate, each
// with the number that was read and the one that it needs.

import type { PolicyViewWire } from '../api/wire.ts';
import { formatCount, formatSignificant, plural } from '../format/numbers.ts';
import { formatSpan } from '../format/time.ts';

export type LadderGate = {
  readonly name: string;
  readonly words: string;
  /** Does it let the step happen? */
  readonly open: boolean;
};

type Gated = Pick<PolicyViewWire, 'up' | 'down'>;

/** A burst or the risk escalates, once the cooldown is over. */
export function gatesUp({ up }: Gated): readonly LadderGate[] {
  const cooling = up.cooldown_left_seconds > 0;
  const left = cooling ? `${formatSpan(up.cooldown_left_seconds * 1000)} left` : 'over';
  const held =
    up.suppressed === 0 ? '' : `, held back ${plural(up.suppressed, 'escalation')} meanwhile`;
  return [
    {
      name: 'Burst',
      words: `${formatCount(up.burst)} of ${formatCount(up.burst_needed)} bad ticks in a row`,
      open: up.burst >= up.burst_needed,
    },
    {
      name: 'Risk',
      words: `${formatSignificant(up.risk)}, above ${formatSignificant(up.risk_threshold)} it counts as a burst`,
      open: up.risk > up.risk_threshold,
    },
    { name: 'Cooldown', words: `${left}${held}`, open: !cooling },
  ];
}

/** All of them must be open; none are there in normal, which is the lowest mode. */
export function gatesDown({ down }: Gated): readonly LadderGate[] {
  const { streak, streak_needed: needed, hold_left_seconds: holdLeft, recovered } = down;
  if (needed === null) return [];
  return [
    {
      name: 'Calm',
      words: `${formatCount(Math.min(streak, needed))} of ${formatCount(needed)} good ticks in a row`,
      open: streak >= needed,
    },
    {
      name: 'Hold',
      words: holdLeft > 0 ? `${formatSpan(holdLeft * 1000)} left` : 'over',
      open: holdLeft <= 0,
    },
    {
      name: 'Recovery',
      words: recovered
        ? 'burn and outcomes have recovered'
        : 'burn or outcomes have not recovered yet',
      open: recovered,
    },
  ];
}
