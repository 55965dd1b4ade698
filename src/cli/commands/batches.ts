// `batches`: OpenAI batches of the installation, how far each is, and the end of one.

import type { Command } from 'commander';
import type { BatchesWire, BatchWire } from '../../protocol/control/batch-schemas.ts';
import { openApi } from '../client.ts';
import { bareNoun, describe, runs, type Surroundings } from '../command.ts';
import type { Context } from '../context.ts';
import { type ShapeKind, shape } from '../output/shapes.ts';
import { type Column, printListing } from '../output/table.ts';
import { escapeControl } from '../output/text.ts';

const shapes: Readonly<Record<BatchWire['status'], ShapeKind>> = {
  validating: 'attention',
  in_progress: 'ok',
  finalizing: 'ok',
  completed: 'ok',
  cancelling: 'attention',
  cancelled: 'attention',
  expired: 'bad',
  failed: 'bad',
};

/** Why no more lines run than do. */
const reasons: Readonly<Record<BatchesWire['lane']['reason'], string>> = {
  starting: 'it has just begun',
  filling: 'it grows while nothing interactive is touched',
  full: 'limits.batch_lines is reached',
  serving_mode: 'the serving mode admits no batch work',
  interactive_waits: 'interactive requests wait for a backend',
  first_tokens: 'first tokens of interactive streams came later',
  no_room: 'the backends have no room for more',
};

async function schemas() {
  return import('../../protocol/control/batch-schemas.ts');
}

function time(seconds: number | null): string {
  return seconds === null ? '-' : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

const columns = (context: Context): readonly Column<BatchWire>[] => [
  { title: '', isShape: true, shown: (row) => shape(shapes[row.status], context) },
  { title: 'ID', name: 'id', shown: (row) => row.id },
  {
    title: 'STATUS',
    name: 'status',
    shown: (row) => row.status.replace('_', ' '),
    raw: (row) => row.status,
  },
  { title: 'LINES', name: 'total', shown: (row) => String(row.request_counts.total) },
  { title: 'DONE', name: 'completed', shown: (row) => String(row.request_counts.completed) },
  { title: 'FAILED', name: 'failed', shown: (row) => String(row.request_counts.failed) },
  { title: 'GROUP', name: 'group_name', isSpare: true, shown: (row) => row.group_name },
  { title: 'ENDPOINT', name: 'endpoint', isSpare: true, shown: (row) => row.endpoint },
  { title: 'CREATED', name: 'created_at', isSpare: true, shown: (row) => time(row.created_at) },
  { title: '', name: 'output_file_id', pipeOnly: true, shown: (row) => row.output_file_id ?? '' },
  { title: '', name: 'error_file_id', pipeOnly: true, shown: (row) => row.error_file_id ?? '' },
];

function print(context: Context, rows: readonly BatchWire[], json: unknown): void {
  printListing(context, {
    rows,
    columns: columns(context),
    id: (row) => row.id,
    json,
    empty: 'There are no batches. Make one with POST /v1/batches.',
  });
}

async function list(context: Context, { machine }: Surroundings, flags: Flags): Promise<void> {
  const { batchesSchema } = await schemas();
  const api = await openApi(context, machine);
  const query = new URLSearchParams();
  if (flags.limit !== undefined) query.set('limit', flags.limit);
  if (flags.after !== undefined) query.set('after', flags.after);
  const path = `/api/v1/batches${query.size === 0 ? '' : `?${query}`}`;
  const answer = await api.call(batchesSchema, { method: 'GET', path });
  print(context, answer.batches, answer);
  if (context.json || context.quiet || !context.isTerminal) return;
  const { limit, under_way: underWay, reason } = answer.lane;
  context.out(`${underWay} lines run, ${limit} may: ${reasons[reason]}.`);
}

type Flags = { readonly limit?: string; readonly after?: string };

const pathOf = (id: string): string => `/api/v1/batches/${encodeURIComponent(id)}`;

/** What stands in the way, or where the results are. */
function detailLines(row: BatchWire): readonly string[] {
  const { errors, output_file_id: output, error_file_id: error } = row;
  return [
    `expires   ${time(row.expires_at)}`,
    `input     ${row.input_file_id}`,
    ...(output === null ? [] : [`results   ${output}`]),
    ...(error === null ? [] : [`errors    ${error}`]),
    ...(errors?.data ?? []).map(({ line, code, message }) =>
      line === null ? `${code}: ${message}` : `line ${line}: ${code}: ${message}`,
    ),
  ];
}

async function show(context: Context, { machine }: Surroundings, id: string): Promise<void> {
  const { batchSchema } = await schemas();
  const api = await openApi(context, machine);
  const row = await api.call(batchSchema, { method: 'GET', path: pathOf(id) });
  print(context, [row], row);
  if (context.json || context.quiet || !context.isTerminal) return;
  for (const line of detailLines(row)) context.out(escapeControl(line));
}

async function cancel(context: Context, { machine }: Surroundings, id: string): Promise<void> {
  const { batchSchema } = await schemas();
  const api = await openApi(context, machine);
  const row = await api.call(batchSchema, { method: 'POST', path: `${pathOf(id)}/cancel` });
  print(context, [row], row);
}

export function addBatchCommands(program: Command, surroundings: Surroundings): void {
  const noun = describe(program.command('batches'), {
    summary: 'OpenAI batches: list, show, cancel',
    examples: ['tensorforge batches', 'tensorforge batches show batch_3f2a9c'],
  });
  bareNoun(noun, surroundings, (context) => list(context, surroundings, {}));
  const listing = describe(noun.command('list').alias('ls'), {
    summary: 'batches, newest first, and how many of their lines run now',
    description: 'Lists the batches of the group, or of all groups for who may read telemetry.',
    examples: ['tensorforge batches list', 'tensorforge batches list --limit 100 --json'],
  })
    .option('--limit <n>', 'How many, 1 to 100. Default: 50.')
    .option('--after <id>', 'Those that were made before this one.');
  runs(listing, surroundings, (context, _args, self) =>
    list(context, surroundings, self.opts<Flags>()),
  );
  const showing = describe(noun.command('show <id>'), {
    summary: 'one batch: how far it is, its files, what was wrong with it',
    description: 'Shows a batch with its files, and each line that kept it from being started.',
    examples: [
      'tensorforge batches show batch_3f2a9c',
      'tensorforge batches show batch_3f2a9c --json',
    ],
  });
  runs(showing, surroundings, (context, [id = '']) => show(context, surroundings, id));
  const cancelling = describe(noun.command('cancel <id>'), {
    summary: 'end a batch and keep what was answered',
    description:
      'Cancels a batch of the own group. Lines that are under way are ended; what was answered is written to its files.',
    examples: [
      'tensorforge batches cancel batch_3f2a9c',
      'tensorforge batches cancel batch_3f2a9c --quiet',
    ],
  });
  runs(cancelling, surroundings, (context, [id = '']) => cancel(context, surroundings, id));
}
