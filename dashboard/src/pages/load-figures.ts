// What an engine says of its own load, with the doubt that belongs to it: read just now, read too
// long ago, not told by this engine, or never read at all. None of these is 0.

import type { BackendExplainWire, EngineLoadWire } from '../api/wire.ts';
import { formatCount, formatShare } from '../format/numbers.ts';

export type LoadMember = 'running' | 'waiting' | 'kv_use';

export type LoadFigure =
  | { readonly kind: 'current' | 'old'; readonly text: string; readonly readAt: string }
  | { readonly kind: 'untold' | 'never' };

/** `71 %` of the cache, or a count of requests. */
export function loadText(member: LoadMember, value: number): string {
  return member === 'kv_use' ? formatShare(value, 1) : formatCount(value);
}

type Reading = Pick<BackendExplainWire, 'last_load'> & {
  readonly backend: { readonly load: EngineLoadWire | null };
};

/** The server judges the age, by its own clock: what it no longer counts is old. */
export function loadFigure({ backend, last_load }: Reading, member: LoadMember): LoadFigure {
  const reading = backend.load ?? last_load;
  if (reading === null) return { kind: 'never' };
  const value = reading[member];
  if (value === null) return { kind: 'untold' };
  const kind = backend.load === null ? 'old' : 'current';
  return { kind, text: loadText(member, value), readAt: reading.read_at };
}
