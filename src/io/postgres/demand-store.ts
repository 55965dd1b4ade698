// What models are asked for, by the hour, in PostgreSQL. Counts are added, since several processes may
// serve one installation; one whose answer was lost may count twice, which advice can bear.

import type { Sql } from './connection.ts';
import type { Row } from './rows.ts';
import { requireStorable } from './storable-text.ts';

export type DemandCount = {
  readonly modelId: string;
  /** Whole hours since 1970 UTC. */
  readonly hour: number;
  /** At least 1. */
  readonly requests: number;
};

export type DemandStore = {
  /** Adds the counts, each model and hour at most once among them, and forgets what is before `firstHour`. */
  add(counts: readonly DemandCount[], firstHour: number): Promise<void>;
  /** Of the models with at least `minRequests` since `firstHour`: by model, then hour. */
  load(firstHour: number, minRequests: number): Promise<readonly DemandCount[]>;
};

/** Rows in one statement; PostgreSQL takes 65 535 parameters. */
const rowsMax = 5000;

export function demandStore(sql: Sql): DemandStore {
  return {
    async add(counts, firstHour) {
      for (const { modelId } of counts) requireStorable(modelId, 'model_id');
      await sql.begin(async (tx) => {
        for (let at = 0; at < counts.length; at += rowsMax) {
          const rows = counts
            .slice(at, at + rowsMax)
            .map(({ modelId, hour, requests }) => ({ model_id: modelId, hour, requests }));
          await tx`
            insert into model_demand ${tx(rows)}
            on conflict (model_id, hour)
            do update set requests = model_demand.requests + excluded.requests`;
        }
        await tx`delete from model_demand where hour < ${firstHour}`;
      });
    },
    async load(firstHour, minRequests) {
      const rows = await sql<Row<'model_demand'>[]>`
        select model_id, hour, requests from model_demand
        where hour >= ${firstHour} and model_id in (
          select model_id from model_demand where hour >= ${firstHour}
          group by model_id having sum(requests) >= ${minRequests})
        order by model_id collate "C", hour`;
      return rows.map((row) => ({
        modelId: row.model_id,
        hour: row.hour,
        requests: row.requests,
      }));
    },
  };
}
