// What a request leaves behind for its copy (shadows.ts), and what of the copies a thread tells.

import type { RouteFeatures } from '../../core/routing/decision-input.ts';
import type { ShadowOutcome, ShadowRule } from '../../core/routing/shadow-rule.ts';
import type { ShadowComparisonRow } from '../../io/postgres/shadow-store.ts';
import type { RequestFeatures } from '../../protocol/openai/request-body.ts';
import type { AnswerRecord } from './answer-record.ts';

/** What of a request is needed for its copy. */
export type ShadowedRequest = {
  readonly requestId: string;
  readonly groupName: string;
  readonly enginePath: string;
  readonly route: RouteFeatures;
  readonly features: RequestFeatures;
  readonly body: Buffer;
  /** Are records of it written? */
  readonly isKept: boolean;
};

/** What the client got; times since the backend was asked, ms. */
export type PrimaryEnd = {
  readonly model: string;
  readonly backendId: string;
  readonly status: number;
  readonly completionTokens: number;
  readonly firstByteMs: number | undefined;
  readonly totalMs: number;
};

/** A request that is to be copied, while it is answered. */
export type ShadowTicket = {
  readonly rule: ShadowRule;
  readonly of: ShadowedRequest;
  readonly answer: AnswerRecord;
  /** Bytes that count against what copies may hold. */
  readonly heldBytes: number;
};

/** Where requests hand in their tickets. */
export interface ShadowDesk {
  /** To be asked only where there are rules. Undefined where nothing is to be copied. */
  ticket(of: ShadowedRequest, rules: readonly ShadowRule[]): ShadowTicket | undefined;
  /** The request of the ticket is over; undefined where it was not answered in whole. */
  ended(ticket: ShadowTicket, primary: PrimaryEnd | undefined): void;
}

/** Beside those of the catalogue: requests that would act twice are no copies at all. */
export type UncomparedOutcome = Extract<ShadowOutcome, 'dropped' | 'refused'> | 'side_effects';

/** What a thread tells of its copies; counts of those that were not compared, by rule. */
export type ShadowReport = {
  readonly comparisons: readonly ShadowComparisonRow[];
  readonly uncompared: readonly (readonly [
    shadow: string,
    outcome: UncomparedOutcome,
    count: number,
  ])[];
};
