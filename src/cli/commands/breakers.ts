// `breakers`: which circuit breakers are not closed and why, and the reset of one, after which the next
// request tries the backend.

import type { Command } from 'commander';
import type { BreakerWire } from '../../protocol/control/breaker-schemas.ts';
import { openApi } from '../client.ts';
import { bareNoun, describe, runs, type Surroundings } from '../command.ts';
import type { Context } from '../context.ts';
import { type ShapeKind, shape } from '../output/shapes.ts';
import { type Column, printListing } from '../output/table.ts';
import { escapeControl } from '../output/text.ts';

const shapes: Readonly<Record<BreakerWire['state'], ShapeKind>> = {
  closed: 'ok',
  half_open: 'attention',
  open: 'bad',
};

async function schemas() {
  return import('../../protocol/control/breaker-schemas.ts');
}

function countWords({ state, failures, successes, probes_out: probes }: BreakerWire): string {
  if (state === 'closed') return `${failures} failed in a row`;
  if (state === 'open') return '';
  return `${successes} good in a row, ${probes} under way`;
}

const columns = (context: Context): readonly Column<BreakerWire>[] => [
  { title: '', isShape: true, shown: (row) => shape(shapes[row.state], context) },
  { title: 'ID', name: 'id', shown: (row) => row.id },
  {
    title: 'STATE',
    name: 'state',
    shown: (row) => row.state.replace('_', ' '),
    raw: (row) => row.state,
  },
  { title: 'SINCE', name: 'since', shown: (row) => row.since ?? '-', raw: (row) => row.since },
  { title: 'COUNT', isSpare: true, shown: countWords },
  {
    title: 'TRIED AT',
    name: 'probe_at',
    isSpare: true,
    shown: (row) => row.probe_at ?? '',
    raw: (row) => row.probe_at,
  },
  {
    title: 'LAST FAILURE',
    name: 'last_failure',
    isSpare: true,
    mayCut: true,
    shown: (row) => row.last_failure ?? '',
    raw: (row) => row.last_failure,
  },
  { title: '', name: 'failures', pipeOnly: true, shown: (row) => String(row.failures) },
  { title: '', name: 'successes', pipeOnly: true, shown: (row) => String(row.successes) },
  { title: '', name: 'probes_out', pipeOnly: true, shown: (row) => String(row.probes_out) },
];

function print(context: Context, rows: readonly BreakerWire[], json: unknown): void {
  printListing(context, {
    rows,
    columns: columns(context),
    id: (row) => row.id,
    json,
    empty: 'Every circuit breaker is closed.',
  });
}

async function list(context: Context, { machine }: Surroundings, isAll: boolean): Promise<void> {
  const { breakerListSchema } = await schemas();
  const api = await openApi(context, machine);
  const path = `/api/v1/breakers${isAll ? '?all=true' : ''}`;
  const answer = await api.call(breakerListSchema, { method: 'GET', path });
  print(context, answer.breakers, answer);
}

/** The id as it is given, or that of a backend whose id is given alone. */
function idOf(text: string): string {
  return text.startsWith('backend:') ? text : `backend:${text}`;
}

function resetWords(row: BreakerWire): string {
  return row.state === 'closed'
    ? `${row.id} is closed: there is nothing to reset`
    : `${row.id} is half open: the next request tries it`;
}

async function reset(context: Context, { machine }: Surroundings, id: string): Promise<void> {
  const { breakerSchema } = await schemas();
  const api = await openApi(context, machine);
  const path = `/api/v1/breakers/${encodeURIComponent(idOf(id))}/reset`;
  const row = await api.call(breakerSchema, { method: 'POST', path });
  if (context.json || context.quiet || !context.isTerminal) print(context, [row], row);
  else context.out(`${shape(shapes[row.state], context)} ${escapeControl(resetWords(row))}`);
}

export function addBreakerCommands(program: Command, surroundings: Surroundings): void {
  const noun = describe(program.command('breakers'), {
    summary: 'circuit breakers: list, reset',
    examples: ['tensorforge breakers', 'tensorforge breakers reset backend:box-1'],
  });
  bareNoun(noun, surroundings, (context) => list(context, surroundings, false));
  const listing = describe(noun.command('list').alias('ls'), {
    summary: 'which breakers are not closed, since when and why',
    description:
      'Lists the circuit breakers that are open or half open: of backends, and of single models on them.',
    examples: ['tensorforge breakers list', 'tensorforge breakers list --all --json'],
  }).option('--all', 'Closed ones too.');
  runs(listing, surroundings, (context, _args, self) =>
    list(context, surroundings, self.opts<{ readonly all?: boolean }>().all === true),
  );
  const command = describe(noun.command('reset <id>'), {
    summary: 'let the next request try it at once',
    description:
      'Half-opens an open breaker before its time is over. If the request fails, it opens again. The id is backend:ID or backend:ID/model:MODEL; the id of a backend alone will do.',
    examples: [
      'tensorforge breakers reset box-1',
      'tensorforge breakers reset backend:box-1/model:llama-3-8b',
    ],
  });
  runs(command, surroundings, (context, [id = '']) => reset(context, surroundings, id));
}
