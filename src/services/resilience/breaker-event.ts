// A transition of a breaker as it is written: the row after it, and its event.

import { instant } from '../../base/time.ts';
import type { BreakerRule } from '../../core/resilience/breaker-word.ts';
import type { BreakerState } from '../../core/resilience/circuit-breaker.ts';
import type { BreakerWrite } from '../../io/postgres/breaker-store.ts';
import type { BreakerSubject } from './breaker-subject.ts';

/** A transition, as a gateway thread tells it. */
export type BreakerNews = BreakerSubject & {
  readonly from: BreakerState;
  readonly to: BreakerState;
  /** Unix ms. */
  readonly at: number;
  /** What the attempt came to that caused it. */
  readonly words: string | undefined;
};

/** `found`: the thread that made it died before it told. */
export type BreakerCause = 'attempts' | 'time' | 'reset' | 'start' | 'found';

const kinds: Readonly<Record<BreakerState, string>> = {
  open: 'breaker_opened',
  half_open: 'breaker_half_opened',
  closed: 'breaker_closed',
};

export type WrittenTransition = {
  readonly subject: string;
  readonly news: BreakerNews;
  readonly cause: BreakerCause;
  readonly actor: string;
  /** What is known of it after the transition; undefined once it is closed. */
  readonly known:
    | { readonly openedAt: number | undefined; readonly lastFailure: string | undefined }
    | undefined;
  readonly rule: BreakerRule;
};

export function breakerWrite(transition: WrittenTransition): BreakerWrite {
  const { subject, news, cause, actor, known, rule } = transition;
  const { from, to, at, words } = news;
  // A half-open one opens at one failure.
  const failures = to !== 'open' ? 0 : from === 'closed' ? rule.failures : 1;
  const opened = to === 'open' ? { failures, words: words ?? null } : {};
  return {
    row: {
      subject,
      state: to,
      failures,
      successes: 0,
      movedAt: at,
      openedAt: known?.openedAt,
      lastFailure: known?.lastFailure,
    },
    event: {
      stream: 'resilience',
      kind: kinds[to],
      version: 1,
      occurredAt: instant(at),
      actor,
      subject,
      data: { from, cause, ...opened },
    },
  };
}
