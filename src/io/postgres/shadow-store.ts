// Comparisons of answers with those of their copies, in PostgreSQL: figures and a distance, never a word
// of a prompt or an answer. The newest are kept, a bounded number of each rule.

import type { Sql } from './connection.ts';
import type { Row } from './rows.ts';

/** Two answers to one request; `primary` is what the client got. */
export type ShadowComparisonRow = {
  /** Name of the rule that sent the copy. */
  readonly shadow: string;
  /** Unix ms at which the copy ended. */
  readonly atMs: number;
  readonly requestId: string;
  readonly outcome: 'compared' | 'failed' | 'timed_out';
  readonly primaryModel: string;
  readonly primaryBackend: string;
  readonly model: string;
  readonly backend: string;
  readonly primaryStatus: number;
  /** 0: no answer. */
  readonly status: number;
  readonly primaryTokens: number;
  readonly tokens: number;
  /** Whole ms; undefined where no byte came. */
  readonly primaryFirstByteMs: number | undefined;
  readonly firstByteMs: number | undefined;
  readonly primaryTotalMs: number;
  readonly totalMs: number;
  /** Basis points, 0 to 10 000; undefined where there were no two texts. */
  readonly distance: number | undefined;
};

/** What the comparisons of one rule come to. */
export type ShadowSummary = {
  readonly shadow: string;
  readonly compared: number;
  readonly failed: number;
  readonly timedOut: number;
  /** Means over those that were compared; undefined without any. */
  readonly meanDistance: number | undefined;
  readonly primaryTokens: number | undefined;
  readonly tokens: number | undefined;
  /** Medians over those that were compared, ms. */
  readonly primaryTotalMs: number | undefined;
  readonly totalMs: number | undefined;
};

export type ShadowStore = {
  /** Adds the rows and lets go of what is more than `keptMax` of a rule. */
  add(rows: readonly ShadowComparisonRow[], keptMax: number): Promise<void>;
  /** By name of the rule. */
  summaries(): Promise<readonly ShadowSummary[]>;
  /** The newest first, of one rule or of all. */
  newest(shadow: string | undefined, limit: number): Promise<readonly ShadowComparisonRow[]>;
};

function rowOf(row: ShadowComparisonRow) {
  return {
    shadow: row.shadow,
    at: new Date(row.atMs),
    request_id: row.requestId,
    outcome: row.outcome,
    primary_model: row.primaryModel,
    primary_backend: row.primaryBackend,
    model: row.model,
    backend: row.backend,
    primary_status: row.primaryStatus,
    status: row.status,
    primary_tokens: row.primaryTokens,
    tokens: row.tokens,
    primary_first_byte_ms: row.primaryFirstByteMs ?? null,
    first_byte_ms: row.firstByteMs ?? null,
    primary_total_ms: row.primaryTotalMs,
    total_ms: row.totalMs,
    distance: row.distance ?? null,
  };
}

function comparisonOf(row: Row<'shadow_comparisons'>): ShadowComparisonRow {
  const { outcome } = row;
  return {
    shadow: row.shadow,
    atMs: row.at.getTime(),
    requestId: row.request_id,
    outcome: outcome === 'compared' || outcome === 'timed_out' ? outcome : 'failed',
    primaryModel: row.primary_model,
    primaryBackend: row.primary_backend,
    model: row.model,
    backend: row.backend,
    primaryStatus: row.primary_status,
    status: row.status,
    primaryTokens: row.primary_tokens,
    tokens: row.tokens,
    primaryFirstByteMs: row.primary_first_byte_ms ?? undefined,
    firstByteMs: row.first_byte_ms ?? undefined,
    primaryTotalMs: row.primary_total_ms,
    totalMs: row.total_ms,
    distance: row.distance ?? undefined,
  };
}

type SummaryRow = {
  readonly shadow: string;
  readonly compared: number;
  readonly failed: number;
  readonly timed_out: number;
  readonly distance: number | null;
  readonly primary_tokens: number | null;
  readonly tokens: number | null;
  readonly primary_total_ms: number | null;
  readonly total_ms: number | null;
};

export function shadowStore(sql: Sql): ShadowStore {
  return {
    async add(rows, keptMax) {
      if (rows.length === 0) return;
      const names = [...new Set(rows.map(({ shadow }) => shadow))];
      await sql.begin(async (tx) => {
        await tx`insert into shadow_comparisons ${tx(rows.map(rowOf))}`;
        for (const name of names) {
          await tx`
            delete from shadow_comparisons where shadow = ${name} and id <= (
              select id from shadow_comparisons where shadow = ${name}
              order by id desc offset ${keptMax} limit 1)`;
        }
      });
    },
    async summaries() {
      const rows = await sql<SummaryRow[]>`
        select shadow,
          count(*) filter (where outcome = 'compared') as compared,
          count(*) filter (where outcome = 'failed') as failed,
          count(*) filter (where outcome = 'timed_out') as timed_out,
          avg(distance)::float8 as distance,
          avg(primary_tokens) filter (where outcome = 'compared')::float8 as primary_tokens,
          avg(tokens) filter (where outcome = 'compared')::float8 as tokens,
          percentile_cont(0.5) within group (order by primary_total_ms)
            filter (where outcome = 'compared') as primary_total_ms,
          percentile_cont(0.5) within group (order by total_ms)
            filter (where outcome = 'compared') as total_ms
        from shadow_comparisons group by shadow order by shadow collate "C"`;
      return rows.map((row) => ({
        shadow: row.shadow,
        compared: row.compared,
        failed: row.failed,
        timedOut: row.timed_out,
        meanDistance: row.distance ?? undefined,
        primaryTokens: row.primary_tokens ?? undefined,
        tokens: row.tokens ?? undefined,
        primaryTotalMs: row.primary_total_ms ?? undefined,
        totalMs: row.total_ms ?? undefined,
      }));
    },
    async newest(shadow, limit) {
      const rows = await sql<Row<'shadow_comparisons'>[]>`
        select shadow, at, request_id, outcome, primary_model, primary_backend, model, backend,
          primary_status, status, primary_tokens, tokens, primary_first_byte_ms, first_byte_ms,
          primary_total_ms, total_ms, distance
        from shadow_comparisons
        where ${shadow === undefined ? sql`true` : sql`shadow = ${shadow}`}
        order by id desc limit ${limit}`;
      return rows.map(comparisonOf);
    },
  };
}
