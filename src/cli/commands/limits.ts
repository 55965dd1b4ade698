// `limits`: what the installation, its groups and its keys may use, and what is left of it. `set` changes
// the members that it is given and keeps the others.

import { type Command, InvalidArgumentError } from 'commander';
import type { LimitSetWire, LimitWire } from '../../protocol/control/limit-schemas.ts';
import { type Api, openApi } from '../client.ts';
import { bareNoun, describe, repeated, runs, type Surroundings } from '../command.ts';
import type { Context } from '../context.ts';
import { CliFailure, usageFailure } from '../failure.ts';
import { type Column, printListing } from '../output/table.ts';
import { escapeControl } from '../output/text.ts';

async function schemas() {
  return import('../../protocol/control/limit-schemas.ts');
}

/** `40 of 60`, `-` where nothing is set. */
function leftOf(left: number | null, bound: number | null): string {
  return bound === null ? '-' : `${left ?? bound} of ${bound}`;
}

function ofUsd(left: number | null, bound: number | null): string {
  if (bound === null) return '-';
  return `$ ${(left ?? bound).toFixed(2)} of ${bound.toFixed(2)}`;
}

type Figure = 'requests_per_minute' | 'tokens_per_minute' | 'concurrent_requests';

function rate(title: string, name: Figure, left: keyof LimitWire['left']): Column<LimitWire> {
  return {
    title,
    name,
    alignRight: true,
    shown: (row) => leftOf(row.left[left], row[name]),
    raw: (row) => row[name],
  };
}

const columns: readonly Column<LimitWire>[] = [
  { title: 'SCOPE', name: 'scope', shown: (row) => row.scope },
  { title: 'ID', name: 'id', shown: (row) => row.id },
  rate('REQUESTS/MIN', 'requests_per_minute', 'requests'),
  rate('TOKENS/MIN', 'tokens_per_minute', 'tokens'),
  rate('AT ONCE', 'concurrent_requests', 'concurrent_requests'),
  {
    title: 'THIS MONTH',
    name: 'month_budget_usd',
    alignRight: true,
    shown: (row) => ofUsd(row.left.month_budget_usd, row.month_budget_usd),
    raw: (row) => row.month_budget_usd,
  },
  {
    title: 'CLASS',
    name: 'max_priority_class',
    isSpare: true,
    shown: (row) => String(row.max_priority_class ?? '-'),
    raw: (row) => row.max_priority_class,
  },
  {
    title: 'MODELS',
    name: 'models',
    isSpare: true,
    mayCut: true,
    shown: (row) => row.models.join(' ') || 'all',
    raw: (row) => row.models.join(','),
  },
  {
    title: 'ZONES',
    name: 'zones',
    isSpare: true,
    shown: (row) => row.zones.join(' ') || 'all',
    raw: (row) => row.zones.join(','),
  },
  {
    title: '',
    name: 'requests_left',
    pipeOnly: true,
    shown: (row) => `${row.left.requests ?? ''}`,
  },
  { title: '', name: 'tokens_left', pipeOnly: true, shown: (row) => `${row.left.tokens ?? ''}` },
  {
    title: '',
    name: 'month_budget_left_usd',
    pipeOnly: true,
    shown: (row) => `${row.left.month_budget_usd ?? ''}`,
  },
];

function print(context: Context, rows: readonly LimitWire[], json: unknown): void {
  printListing(context, {
    rows,
    columns,
    id: (row) => `${row.scope}/${row.id}`,
    json,
    empty:
      'No limits are set: every key may use all there is. Set one: tensorforge limits set key ID --requests 60',
  });
}

async function list(context: Context, { machine }: Surroundings): Promise<void> {
  const { limitListSchema } = await schemas();
  const answer = await (await openApi(context, machine)).call(limitListSchema, {
    method: 'GET',
    path: '/api/v1/limits',
  });
  print(context, answer.limits, answer);
}

/** Throws a failure of usage for what names no scope. */
async function pathOf(scope: string, id: string | undefined): Promise<string> {
  const { installationId, limitScopeSchema } = await schemas();
  const known = limitScopeSchema.safeParse(scope);
  if (!known.success) {
    const words = `"${escapeControl(scope)}" is no scope`;
    throw usageFailure(words, `known: ${limitScopeSchema.options.join(', ')}`);
  }
  if (known.data !== 'installation' && id === undefined) {
    throw usageFailure(`limits of a ${scope} need its ${scope === 'key' ? 'id' : 'name'}`);
  }
  const named = known.data === 'installation' ? (id ?? installationId) : (id ?? '');
  return `/api/v1/limits/${scope}/${encodeURIComponent(named)}`;
}

async function show(context: Context, { machine }: Surroundings, path: string): Promise<void> {
  const { limitSchema } = await schemas();
  const row = await (await openApi(context, machine)).call(limitSchema, { method: 'GET', path });
  print(context, [row], row);
}

/** `none` takes the limit away. */
type Figured = number | 'none';

function figure(text: string): Figured {
  if (text === 'none') return text;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a number, or none.');
}

type SetFlags = {
  readonly requests?: Figured;
  readonly tokens?: Figured;
  readonly concurrent?: Figured;
  readonly budget?: Figured;
  readonly maxClass?: Figured;
  readonly model?: readonly string[];
  readonly zone?: readonly string[];
};

/** `all` alone stands for no list. */
function listOf(given: readonly string[] | undefined): readonly string[] | undefined {
  return given?.length === 1 && given[0] === 'all' ? [] : given;
}

function changesOf(flags: SetFlags): Readonly<Record<string, unknown>> {
  const changes = {
    requests_per_minute: flags.requests,
    tokens_per_minute: flags.tokens,
    concurrent_requests: flags.concurrent,
    month_budget_usd: flags.budget,
    max_priority_class: flags.maxClass,
    models: listOf(flags.model),
    zones: listOf(flags.zone),
  };
  const given = Object.entries(changes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, value === 'none' ? null : value]);
  if (given.length > 0) return Object.fromEntries(given);
  throw usageFailure('nothing to set', 'tensorforge limits set --help');
}

/** What is set now; undefined where nothing is. */
async function current(api: Api, path: string): Promise<LimitSetWire | undefined> {
  const { limitSchema } = await schemas();
  try {
    const row = await api.call(limitSchema, { method: 'GET', path });
    const { scope: _scope, id: _id, left: _left, changed_at: _at, changed_by: _by, ...set } = row;
    return set;
  } catch (error) {
    if (error instanceof CliFailure && error.code === 'not_found') return undefined;
    throw error;
  }
}

async function set(
  context: Context,
  { machine }: Surroundings,
  path: string,
  flags: SetFlags,
): Promise<void> {
  const { limitSchema } = await schemas();
  const changes = changesOf(flags);
  const api = await openApi(context, machine);
  const body = { ...(await current(api, path)), ...changes };
  const row = await api.call(limitSchema, { method: 'PUT', path, body });
  print(context, [row], row);
}

async function clear(context: Context, { machine }: Surroundings, path: string): Promise<void> {
  const { z } = await import('zod');
  await (await openApi(context, machine)).call(z.null(), { method: 'DELETE', path });
  if (!context.json && !context.quiet) context.note('No limit is set there any more.');
}

function addSet(noun: Command, surroundings: Surroundings): void {
  const command = describe(noun.command('set <scope> [id]'), {
    summary: 'set limits of the installation, a group or a key',
    description:
      'Sets the limits that are given and keeps the others of the scope; none takes one away. A request must be admitted by the limits of its key, of its group and of the installation. They are in force at once.',
    examples: [
      'tensorforge limits set key key_0f3a --requests 60 --tokens 100000',
      'tensorforge limits set group ml --budget 250 --concurrent 40',
      'tensorforge limits set installation --tokens 2000000 --budget none',
    ],
  })
    .option('--requests <n>', 'Requests a minute.', figure)
    .option('--tokens <n>', 'Tokens a minute, in and out.', figure)
    .option('--concurrent <n>', 'Requests in flight at once.', figure)
    .option('--budget <usd>', 'USD of a calendar month, UTC.', figure)
    .option('--max-class <n>', 'The most urgent class of requests, 1 to 5.', figure)
    .option(
      '--model <glob>',
      'A model that may be used; may be repeated. all: every one.',
      repeated,
    )
    .option('--zone <zone>', 'A zone that may serve; may be repeated. all: every one.', repeated);
  runs(command, surroundings, async (context, [scope = '', id], self) =>
    set(context, surroundings, await pathOf(scope, id), self.opts<SetFlags>()),
  );
}

export function addLimitCommands(program: Command, surroundings: Surroundings): void {
  const noun = describe(program.command('limits').alias('limit'), {
    summary: 'limits of keys, groups and the installation: list, show, set, clear',
    examples: ['tensorforge limits', 'tensorforge limits set key key_0f3a --requests 60'],
  });
  bareNoun(noun, surroundings, (context) => list(context, surroundings));
  const listing = describe(noun.command('list').alias('ls'), {
    summary: 'which limits are set, and what is left of them',
    examples: ['tensorforge limits list', 'tensorforge limits list --json'],
  });
  runs(listing, surroundings, (context) => list(context, surroundings));
  const showing = describe(noun.command('show <scope> [id]'), {
    summary: 'the limits of one scope',
    examples: ['tensorforge limits show installation', 'tensorforge limits show group ml'],
  });
  runs(showing, surroundings, async (context, [scope = '', id]) =>
    show(context, surroundings, await pathOf(scope, id)),
  );
  addSet(noun, surroundings);
  const clearing = describe(noun.command('clear <scope> [id]').alias('rm'), {
    summary: 'take the limits of one scope away',
    examples: ['tensorforge limits clear key key_0f3a', 'tensorforge limits clear installation'],
  });
  runs(clearing, surroundings, async (context, [scope = '', id]) =>
    clear(context, surroundings, await pathOf(scope, id)),
  );
}
