// The last good data of a page that asks for it by itself: when asking fails, the failure is told
// above it, and it stays without its colours and with its time.

import type { ReactNode } from 'react';
import { formatClock } from '../format/time.ts';
import { FailureNote } from './failure-note.tsx';

export type LastGoodProps = {
  readonly error: unknown;
  /** When the data came, ms since the epoch. */
  readonly dataAt: number;
  readonly onRetry: () => void;
  readonly children: ReactNode;
};

export function LastGood({ error, dataAt, onRetry, children }: LastGoodProps) {
  if (error === null) return children;
  return (
    <>
      <FailureNote error={error} onRetry={onRetry} />
      <p className="muted num">As of {formatClock(dataAt)}:</p>
      <div className="stale">{children}</div>
    </>
  );
}
