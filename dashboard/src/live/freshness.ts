// The words of the freshness chip: how old what you see is, and what is done about it.

import { formatCount } from '../format/numbers.ts';
import { formatClock, formatSpan } from '../format/time.ts';
import type { Tone } from '../status/status.ts';
import { type Connection, isPolling } from './connection.ts';

export type Freshness = {
  readonly tone: Tone;
  readonly words: string;
  /** Is what the pages show old enough to be dimmed? */
  readonly stale: boolean;
  /** What the polite live region says; it changes with the state, never with the seconds. */
  readonly announced: string;
};

/** Older than this, data is dimmed: the server renews it every second, the fallback every 5 s. */
export const staleAfterMs = 12_000;

export type FreshnessInput = {
  readonly connection: Connection;
  /** When data last arrived by either way, ms; undefined before the first. */
  readonly dataAt: number | undefined;
  /** Rows held back on this page; undefined when it follows. */
  readonly held: number | undefined;
  readonly now: number;
};

function ageWords(dataAt: number, now: number): string {
  return `data of ${formatClock(dataAt)} (${formatSpan(now - dataAt)} old)`;
}

export function describeFreshness({ connection, dataAt, held, now }: FreshnessInput): Freshness {
  if (dataAt === undefined) {
    const trying = connection.kind === 'waiting';
    return {
      tone: trying ? 'attention' : 'active',
      words: trying ? 'Reconnecting, no data yet' : 'Connecting',
      stale: false,
      announced: trying ? 'Reconnecting' : '',
    };
  }
  const stale = now - dataAt > staleAfterMs;
  if (isPolling(connection)) {
    return {
      tone: 'attention',
      words: `Polling every 5 s, ${ageWords(dataAt, now)}`,
      stale,
      announced: 'Live connection lost, polling every 5 seconds',
    };
  }
  if (connection.kind !== 'live') {
    return {
      tone: 'attention',
      words: `Reconnecting, ${ageWords(dataAt, now)}`,
      stale,
      announced: connection.kind === 'waiting' ? 'Live connection lost, reconnecting' : '',
    };
  }
  if (held !== undefined) {
    const words = `Paused, ${formatCount(held)} new`;
    return { tone: 'off', words, stale, announced: 'Paused' };
  }
  const ageSeconds = Math.max(0, now - dataAt) / 1000;
  return { tone: 'ok', words: `Live ${ageSeconds.toFixed(1)} s`, stale, announced: 'Live' };
}
