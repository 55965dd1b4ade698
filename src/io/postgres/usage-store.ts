// Usage by the hour and spend by the month in PostgreSQL. Batches are added in one transaction, and
// numbered by the process that makes them: one whose answer was lost is recognised when it comes again,
// so that no request is counted twice and none is left out.

import { assert } from '../../base/assert.ts';
import type { Sql, Transaction } from './connection.ts';
import type { Row } from './rows.ts';

export type UsageFiguresRow = {
  readonly requests: number;
  readonly succeeded: number;
  readonly refused: number;
  readonly failed: number;
  readonly aborted: number;
  readonly priced: number;
  readonly unpriced: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly costMicroUsd: number;
  readonly backendMs: number;
};

export type UsageHourRow = UsageFiguresRow & {
  /** Whole hours since 1970 UTC. */
  readonly hour: number;
  readonly keyId: string;
  readonly groupName: string;
  readonly model: string;
  readonly backendId: string;
};

export type MonthSpendRow = {
  readonly scope: 'installation' | 'group' | 'key';
  /** Empty for the installation. */
  readonly id: string;
  /** `2026-11` */
  readonly month: string;
  readonly spendMicroUsd: number;
};

export type UsageBatch = {
  /** A UUID of the process, and the number of the batch from 1 on. */
  readonly writer: string;
  readonly batch: number;
  readonly atMs: number;
  /** Each hour, key, group, model and backend at most once. */
  readonly hours: readonly UsageHourRow[];
  /** Each scope, id and month at most once. */
  readonly months: readonly MonthSpendRow[];
};

export const usageDimensions = [
  'hour',
  'day',
  'month',
  'model',
  'key',
  'group',
  'backend',
] as const;
export type UsageDimension = (typeof usageDimensions)[number];

export type UsageQuery = {
  /** Whole hours since 1970 UTC: the first one, and the first one that is out. */
  readonly fromHour: number;
  readonly toHour: number;
  /** Empty: all. */
  readonly groups: readonly string[];
  readonly keys: readonly string[];
  readonly models: readonly string[];
  readonly backends: readonly string[];
  readonly by: readonly UsageDimension[];
  readonly limit: number;
  readonly offset: number;
};

/** Sums under the values of the dimensions asked for; hours, days and months as RFC 3339 texts. */
export type UsageSumRow = UsageFiguresRow & {
  readonly of: Readonly<Partial<Record<UsageDimension, string>>>;
};

export type UsagePage = {
  readonly total: UsageFiguresRow;
  /** All rows there are, of which `rows` is a part. */
  readonly count: number;
  readonly rows: readonly UsageSumRow[];
};

export type UsageStore = {
  /** Adds the batch, unless it has been added before. */
  add(batch: UsageBatch): Promise<void>;
  /** Micro-USD in `month`, of the installation where nothing else is asked for. */
  spentIn(month: string, scope?: MonthSpendRow['scope'], id?: string): Promise<number>;
  /** Sums by time first, then those that cost most. */
  read(query: UsageQuery): Promise<UsagePage>;
};

/** Rows in one statement; PostgreSQL takes 65 535 parameters. */
const rowsMax = 2000;
/** What processes that are gone have written last is forgotten. */
const writersKeptMs = 30 * 86_400_000;

const columns = [
  ['requests', 'requests'],
  ['succeeded', 'succeeded'],
  ['refused', 'refused'],
  ['failed', 'failed'],
  ['aborted', 'aborted'],
  ['priced', 'priced'],
  ['unpriced', 'unpriced'],
  ['prompt_tokens', 'promptTokens'],
  ['completion_tokens', 'completionTokens'],
  ['cached_tokens', 'cachedTokens'],
  ['cost_micro_usd', 'costMicroUsd'],
  ['backend_ms', 'backendMs'],
] as const satisfies readonly (readonly [keyof Row<'usage_hourly'>, keyof UsageFiguresRow])[];

/** How each dimension is written in SQL; fixed texts, never what a caller sent. */
const expressions: Readonly<Record<UsageDimension, string>> = {
  hour: timeText('hour'),
  day: timeText('day'),
  month: timeText('month'),
  model: 'model',
  key: 'key_id',
  group: 'group_name',
  backend: 'backend_id',
};

function timeText(unit: 'hour' | 'day' | 'month'): string {
  const at = `date_trunc('${unit}', to_timestamp(hour * 3600) at time zone 'UTC')`;
  return `to_char(${at}, 'YYYY-MM-DD"T"HH24:MI:SS".000Z"')`;
}

/** Whole numbers: a sum of bigint is numeric in PostgreSQL, and would come as text. */
const sums = columns.map(([name]) => `coalesce(sum(${name}), 0)::bigint as ${name}`).join(', ');

function isTime(dimension: UsageDimension): boolean {
  return dimension === 'hour' || dimension === 'day' || dimension === 'month';
}

type SumRow = Readonly<Record<string, number | string>>;

function figuresOf(row: SumRow): UsageFiguresRow {
  const figures = columns.map(([name, member]) => [member, Number(row[name])] as const);
  // Every member of the type is in the table of columns, which the type of that table says.
  return Object.fromEntries(figures) as UsageFiguresRow;
}

async function addHours(tx: Transaction, hours: readonly UsageHourRow[]): Promise<void> {
  const added = columns.map(([name]) => `${name} = usage_hourly.${name} + excluded.${name}`);
  for (let at = 0; at < hours.length; at += rowsMax) {
    const rows = hours.slice(at, at + rowsMax).map((row) => ({
      hour: row.hour,
      key_id: row.keyId,
      group_name: row.groupName,
      model: row.model,
      backend_id: row.backendId,
      ...Object.fromEntries(columns.map(([name, member]) => [name, row[member]])),
    }));
    await tx`
      insert into usage_hourly ${tx(rows)}
      on conflict (hour, key_id, group_name, model, backend_id)
      do update set ${tx.unsafe(added.join(', '))}`;
  }
}

async function addMonths(tx: Transaction, months: readonly MonthSpendRow[]): Promise<void> {
  for (let at = 0; at < months.length; at += rowsMax) {
    const rows = months.slice(at, at + rowsMax).map(({ scope, id, month, spendMicroUsd }) => ({
      scope,
      id,
      month,
      spend_micro_usd: spendMicroUsd,
    }));
    await tx`
      insert into budget_months ${tx(rows)}
      on conflict (scope, id, month)
      do update set spend_micro_usd = budget_months.spend_micro_usd + excluded.spend_micro_usd`;
  }
}

/** Notes the batch; false when it was noted before. */
async function isNew(tx: Transaction, { writer, batch, atMs }: UsageBatch): Promise<boolean> {
  const at = new Date(atMs);
  const noted = await tx`
    insert into usage_writers (writer, batch, written_at) values (${writer}, ${batch}, ${at})
    on conflict (writer) do update set batch = excluded.batch, written_at = excluded.written_at
    where usage_writers.batch < excluded.batch
    returning batch`;
  return noted.length > 0;
}

export function usageStore(sql: Sql): UsageStore {
  /** Empty lists ask for everything. */
  const whereOf = (query: UsageQuery) => sql`
    where hour >= ${query.fromHour} and hour < ${query.toHour}
      and (${query.groups.length === 0} or group_name = any(${[...query.groups]}))
      and (${query.keys.length === 0} or key_id = any(${[...query.keys]}))
      and (${query.models.length === 0} or model = any(${[...query.models]}))
      and (${query.backends.length === 0} or backend_id = any(${[...query.backends]}))`;

  return {
    async add(batch) {
      await sql.begin(async (tx) => {
        if (!(await isNew(tx, batch))) return;
        await addHours(tx, batch.hours);
        await addMonths(tx, batch.months);
        const before = new Date(batch.atMs - writersKeptMs);
        await tx`delete from usage_writers where written_at < ${before}`;
      });
    },
    async spentIn(month, scope = 'installation', id = '') {
      const [row] = await sql<Pick<Row<'budget_months'>, 'spend_micro_usd'>[]>`
        select spend_micro_usd from budget_months
        where scope = ${scope} and id = ${id} and month = ${month}`;
      return row?.spend_micro_usd ?? 0;
    },
    async read(query) {
      const { by, limit, offset } = query;
      assert(by.length > 0, 'usage is asked for by something');
      const named = by.map((dimension) => `${expressions[dimension]} as "${dimension}"`);
      const places = by.map((_, index) => index + 1).join(', ');
      const times = by.flatMap((dimension, index) => (isTime(dimension) ? [index + 1] : []));
      const order = [...times, 'cost_micro_usd desc', 'requests desc', places].join(', ');
      const select = sql.unsafe(`${named.join(', ')}, ${sums}`);
      const where = whereOf(query);
      const [totals, counts, rows] = await Promise.all([
        sql<SumRow[]>`select ${sql.unsafe(sums)} from usage_hourly ${where}`,
        sql<{ readonly rows: number }[]>`
          select count(*) as rows from (
            select ${sql.unsafe(named.join(', '))} from usage_hourly ${where}
            group by ${sql.unsafe(places)}) as grouped`,
        sql<SumRow[]>`
          select ${select} from usage_hourly ${where}
          group by ${sql.unsafe(places)} order by ${sql.unsafe(order)}
          limit ${limit} offset ${offset}`,
      ]);
      return {
        total: figuresOf(totals[0] ?? {}),
        count: counts[0]?.rows ?? 0,
        rows: rows.map((row) => ({
          ...figuresOf(row),
          of: Object.fromEntries(by.map((dimension) => [dimension, String(row[dimension])])),
        })),
      };
    },
  };
}
