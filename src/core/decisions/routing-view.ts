// A routing record as replay looks at it: readings in columns, the outcome flat. A cursor shows one
// in a block without making it; `viewOf` makes one of a record that is an object. So both are decided
// again by the same code.

import type { ErrorCode } from '../../errors/catalogue.ts';
import type { RouteReason } from '../routing/decide.ts';
import type { BudgetStatus, RouteFeatures } from '../routing/decision-input.ts';
import { stageCodes } from './block-layout.ts';
import { CandidateColumns, columnsOf } from './candidate-columns.ts';
import type { RoutingRecord } from './decision-record.ts';

export type RoutingView = {
  readonly snapshotDigest: string;
  readonly features: RouteFeatures;
  /** Places among the candidates. */
  readonly tried: readonly number[];
  readonly cursor: number;
  readonly seed: number;
  readonly budget: BudgetStatus;
  readonly candidates: CandidateColumns;
  /** Undefined exactly for a refusal. */
  readonly routeReason: RouteReason | undefined;
  /** Place among the candidates; 0 for a refusal. */
  readonly chosen: number;
  /** Defined exactly for a refusal. */
  readonly code: ErrorCode | undefined;
};

function viewColumns(candidates: RoutingRecord['candidates']): CandidateColumns {
  const columns = new CandidateColumns();
  columns.resize(candidates.length);
  candidates.forEach(({ reading, stage, score }, i) => {
    columns.stage[i] = stage === undefined ? 0 : stageCodes[stage];
    columns.statusCode[i] = reading.statusCode;
    columns.isCurrent[i] = reading.isCurrent ? 1 : 0;
    columns.pending[i] = reading.pending;
    columns.capacity[i] = reading.capacity;
    columns.latencyMs[i] = reading.latencyMs;
    columns.score[i] = score ?? 0;
    columns.more |= columnsOf(reading);
    columns.gates[i] = reading.gates;
    columns.peakMs[i] = reading.peakMs;
    columns.tokens[i] = reading.tokens;
    columns.engineRequests[i] = reading.engineRequests;
    columns.kvUse[i] = reading.kvUse;
  });
  return columns;
}

export function viewOf(record: RoutingRecord): RoutingView {
  const { snapshotDigest, features, tried, cursor, seed, budget, outcome } = record;
  const isRoute = outcome.kind === 'route';
  return {
    snapshotDigest,
    features,
    tried,
    cursor,
    seed,
    budget,
    candidates: viewColumns(record.candidates),
    routeReason: isRoute ? outcome.routeReason : undefined,
    chosen: isRoute ? outcome.chosen : 0,
    code: isRoute ? undefined : outcome.code,
  };
}
