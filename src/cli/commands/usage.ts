// `usage`: who used what and what it cost, summed as asked. The rows are the server's; all its pages are
// read, so that a list for the books is whole.

import type { Command } from 'commander';
import type { BudgetWire, UsageRowWire, UsageWire } from '../../protocol/control/usage-schemas.ts';
import { openApi } from '../client.ts';
import { describe, runs, type Surroundings } from '../command.ts';
import type { Context } from '../context.ts';
import { usageFailure } from '../failure.ts';
import { csvLine } from '../output/csv.ts';
import { type Column, printListing } from '../output/table.ts';
import { counted } from '../output/text.ts';

type Flags = {
  readonly from?: string;
  readonly to?: string;
  readonly by?: string;
  readonly group?: string;
  readonly key?: string;
  readonly model?: string;
  readonly backend?: string;
  readonly csv?: boolean;
};

/** As many as the server gives at once. */
const pageRows = 1000;

/** Held equal to the closed set of the protocol by a test: loading it would slow every start. */
const dimensions = ['hour', 'day', 'month', 'model', 'key', 'group', 'backend'] as const;
type Dimension = (typeof dimensions)[number];

/** Empty names have a meaning of their own. */
function nameOf(row: UsageRowWire, dimension: Dimension): string {
  switch (dimension) {
    case 'key':
      return row.key_id ?? '';
    case 'group':
      return row.group_name ?? '';
    case 'backend':
      return row.backend_id ?? '';
    default:
      return row[dimension] ?? '';
  }
}

const wireNames: Readonly<Record<Dimension, string>> = {
  hour: 'hour',
  day: 'day',
  month: 'month',
  model: 'model',
  key: 'key_id',
  group: 'group_name',
  backend: 'backend_id',
};

/** A day as `2026-11-30`, a month as `2026-11`; UTC. */
function shownName(row: UsageRowWire, dimension: Dimension): string {
  const name = nameOf(row, dimension);
  if (dimension === 'day') return name.slice(0, 10);
  if (dimension === 'month') return name.slice(0, 7);
  if (dimension === 'hour') return `${name.slice(0, 13).replace('T', ' ')}h`;
  return name === '' ? '(none)' : name;
}

function usdWords(usd: number | null): string {
  if (usd === null) return 'unpriced';
  return `$ ${usd < 1 ? usd.toFixed(4) : usd.toFixed(2)}`;
}

function isDimension(word: string): word is Dimension {
  return (dimensions as readonly string[]).includes(word);
}

/** In the order asked for, each once. */
function dimensionsOf(by: string | undefined): readonly Dimension[] {
  const asked = (by ?? 'model').split(',').map((word) => word.trim().toLowerCase());
  const unknown = asked.find((word) => !isDimension(word));
  if (unknown !== undefined) {
    throw usageFailure(`--by ${unknown}: no such dimension`, `known: ${dimensions.join(', ')}`);
  }
  return [...new Set(asked)].filter(isDimension);
}

type Figure = Exclude<keyof UsageRowWire, 'hour' | 'day' | 'month' | 'model'> &
  ('requests' | 'succeeded' | 'refused' | 'failed' | 'aborted' | `${string}_tokens` | 'cost_usd');

function figure(title: string, name: Figure, isSpare = false): Column<UsageRowWire> {
  return {
    title,
    name,
    alignRight: true,
    isSpare,
    shown: (row) => String(row[name] ?? ''),
    raw: (row) => row[name] ?? null,
  };
}

function columnsFor(by: readonly Dimension[]): readonly Column<UsageRowWire>[] {
  return [
    ...by.map(
      (dimension): Column<UsageRowWire> => ({
        title: dimension.toUpperCase(),
        name: wireNames[dimension],
        mayCut: true,
        shown: (row) => shownName(row, dimension),
        raw: (row) => nameOf(row, dimension),
      }),
    ),
    figure('REQUESTS', 'requests'),
    { ...figure('', 'succeeded'), pipeOnly: true },
    { ...figure('', 'refused'), pipeOnly: true },
    figure('FAILED', 'failed', true),
    { ...figure('', 'aborted'), pipeOnly: true },
    figure('TOKENS IN', 'prompt_tokens'),
    figure('CACHED', 'cached_tokens', true),
    figure('TOKENS OUT', 'completion_tokens'),
    { ...figure('COST', 'cost_usd'), shown: (row) => usdWords(row.cost_usd) },
    {
      title: '',
      name: 'unpriced_requests',
      pipeOnly: true,
      shown: (row) => String(row.unpriced_requests),
      raw: (row) => row.unpriced_requests,
    },
  ];
}

function budgetWords(budget: BudgetWire | null): string {
  if (budget === null) return 'No budget is set.';
  const { current_spending_usd: spent, monthly_limit_usd: limit, billing_month: month } = budget;
  const share = budget.utilization_percent.toFixed(1);
  return `Budget of ${month}: ${usdWords(spent)} of ${usdWords(limit)} (${share} %), ${budget.status}.`;
}

/** One sentence for each limit that holds for the caller and has figures; empty without one. */
function limitsWords(limits: UsageWire['limits']): string {
  const whose = { key: 'this key', group: 'its group', installation: 'the installation' };
  const sentences = limits.flatMap((limit) => {
    const { left } = limit;
    const parts = [
      [left.requests, limit.requests_per_minute, 'requests a minute'],
      [left.tokens, limit.tokens_per_minute, 'tokens a minute'],
      [left.concurrent_requests, limit.concurrent_requests, 'requests at once'],
      [left.month_budget_usd, limit.month_budget_usd, 'USD this month'],
    ] as const;
    const told = parts.flatMap(([rest, bound, words]) =>
      bound === null ? [] : [`${rest ?? bound} of ${bound} ${words}`],
    );
    return told.length === 0 ? [] : [` Left for ${whose[limit.scope]}: ${told.join(', ')}.`];
  });
  return sentences.join('');
}

function summaryOf({ total, prices, budget, limits }: UsageWire): string {
  const unpriced =
    total.unpriced_requests === 0
      ? ''
      : `, ${counted(total.unpriced_requests, 'request')} unpriced`;
  const list = prices.built_in
    ? `Prices: built-in list of ${prices.dated}; set prices.file for your own.`
    : `Prices of ${prices.dated}.`;
  const cost = `${counted(total.requests, 'request')}, ${usdWords(total.cost_usd)}${unpriced}.`;
  return `${cost} ${budgetWords(budget)} ${list}${limitsWords(limits)}`;
}

async function readAll(context: Context, { machine }: Surroundings, flags: Flags) {
  const { usageSchema } = await import('../../protocol/control/usage-schemas.ts');
  const query = new URLSearchParams({ by: dimensionsOf(flags.by).join(','), limit: `${pageRows}` });
  for (const name of ['from', 'to', 'group', 'key', 'model', 'backend'] as const) {
    const value = flags[name];
    if (value !== undefined) query.set(name, value);
  }
  const api = await openApi(context, machine);
  const page = (offset: number): Promise<UsageWire> => {
    query.set('offset', String(offset));
    return api.call(usageSchema, { method: 'GET', path: `/api/v1/usage?${query}` });
  };
  const answer = await page(0);
  const usage = [...answer.usage];
  while (usage.length < answer.count) {
    const { usage: more } = await page(usage.length);
    if (more.length === 0) break;
    usage.push(...more);
  }
  return { ...answer, usage };
}

function printCsv(context: Context, rows: readonly UsageRowWire[], by: readonly Dimension[]): void {
  const columns = columnsFor(by);
  context.out(csvLine(columns.map(({ name }) => name ?? '')));
  for (const row of rows) {
    context.out(csvLine(columns.map(({ raw }) => (raw?.(row) ?? null) as string | number | null)));
  }
}

async function run(context: Context, surroundings: Surroundings, flags: Flags): Promise<void> {
  const by = dimensionsOf(flags.by);
  const answer = await readAll(context, surroundings, flags);
  if (flags.csv === true) {
    printCsv(context, answer.usage, by);
    return;
  }
  printListing<UsageRowWire>(context, {
    rows: answer.usage,
    columns: columnsFor(by),
    id: (row) => by.map((dimension) => nameOf(row, dimension)).join(' '),
    json: answer,
    summary: summaryOf(answer),
    empty: `Nothing was used between ${answer.from} and ${answer.to}. ${budgetWords(answer.budget)}`,
  });
}

export function addUsageCommand(program: Command, surroundings: Surroundings): void {
  const command = describe(program.command('usage'), {
    summary: 'requests, tokens and cost: by time, model, key, group or backend',
    examples: [
      'tensorforge usage',
      'tensorforge usage --by day,group --from 2026-11-01 --to 2026-12-01',
      'tensorforge usage --by key,model --csv > november.csv',
    ],
  })
    .option('--from <time>', 'A day or RFC 3339. Default: the first of this month, UTC.')
    .option('--to <time>', 'The first moment that is out. Default: now.')
    .option('--by <list>', `Comma list of ${dimensions.join(', ')}. Default: model.`)
    .option('--group <list>', 'Only these groups.')
    .option('--key <list>', 'Only these keys, by id.')
    .option('--model <list>', 'Only these models.')
    .option('--backend <list>', 'Only these backends.')
    .option('--csv', 'Print comma-separated values.');
  runs(command, surroundings, (context, _args, own) =>
    run(context, surroundings, own.opts<Flags>()),
  );
}
