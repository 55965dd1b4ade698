// `backends`: see the fleet and change it, through the control API of the running installation.

import type { Command } from 'commander';
import type { z } from 'zod';
import { nearest } from '../../config/nearest.ts';
import type { BackendViewWire, backendListSchema } from '../../protocol/control/schemas.ts';
import { type Api, openApi } from '../client.ts';
import { bareNoun, describe, runs, type Surroundings, wholeNumber } from '../command.ts';
import type { Context } from '../context.ts';
import { CliFailure, exitCodes } from '../failure.ts';
import { backendShape, shape } from '../output/shapes.ts';
import { type Column, printListing } from '../output/table.ts';
import { counted, cutTo, escapeControl, shownMs, shownSince } from '../output/text.ts';
import { loadWords } from './explain-backend.ts';

type BackendList = z.infer<typeof backendListSchema>;

async function schemas() {
  return import('../../protocol/control/schemas.ts');
}

/** First-byte latency of inference where it was measured, else that of probes. */
function latencyOf(row: BackendViewWire): number | null {
  if (row.first_byte_ms !== null) return row.first_byte_ms;
  return row.avg_latency_ms > 0 ? row.avg_latency_ms : null;
}

function stateOf(row: BackendViewWire): string {
  if (!row.approved) return 'waits for approval';
  const { current_operation: running } = row;
  if (running !== null) {
    return `${row.status}, ${running.operation_type} ${running.progress_percent} %`;
  }
  return row.status_reason === null ? row.status : `${row.status} ${row.status_reason}`;
}

function shownShare(share: number | null): string {
  return share === null ? '-' : `${Math.round(share * 100)} %`;
}

/** `2 of 5` where the engine tells what is in memory, else how many there are. */
function modelsOf(row: BackendViewWire): string {
  const { loaded_models: loaded, models } = row;
  return loaded === null ? String(models.length) : `${loaded.length} of ${models.length}`;
}

function pipeOnly(
  name: string,
  raw: (row: BackendViewWire) => string | number | boolean | null,
): Column<BackendViewWire> {
  return { title: '', name, pipeOnly: true, shown: () => '', raw };
}

function columnsFor(context: Context): readonly Column<BackendViewWire>[] {
  const now = Date.now();
  return [
    { title: '', isShape: true, shown: (row) => shape(backendShape(row), context) },
    { title: 'STATE', name: 'status', mayCut: true, shown: stateOf, raw: (row) => row.status },
    { title: 'ID', name: 'id', shown: (row) => row.id },
    {
      title: 'TYPE',
      name: 'type',
      isSpare: true,
      shown: (row) => (row.simulated ? `${row.backend_type} SIM` : row.backend_type),
      raw: (row) => row.backend_type,
    },
    {
      title: 'IN FLIGHT',
      isSpare: true,
      name: 'pending_requests',
      alignRight: true,
      shown: (row) =>
        row.capacity > 0 ? `${row.pending_requests}/${row.capacity}` : String(row.pending_requests),
      raw: (row) => row.pending_requests,
    },
    {
      title: 'LATENCY',
      isSpare: true,
      name: 'latency_ms',
      alignRight: true,
      shown: (row) => shownMs(latencyOf(row)),
      raw: latencyOf,
    },
    {
      title: 'WAITING',
      isSpare: true,
      name: 'waiting',
      alignRight: true,
      shown: (row) => String(row.load?.waiting ?? '-'),
      raw: (row) => row.load?.waiting ?? null,
    },
    {
      title: 'KV',
      isSpare: true,
      name: 'kv_use',
      alignRight: true,
      shown: (row) => shownShare(row.load?.kv_use ?? null),
      raw: (row) => row.load?.kv_use ?? null,
    },
    {
      title: 'MODELS',
      isSpare: true,
      name: 'models',
      alignRight: true,
      shown: modelsOf,
      raw: (row) => row.models.length,
    },
    {
      title: 'SINCE',
      isSpare: true,
      name: 'status_since',
      shown: (row) => shownSince(row.status_since, now),
      raw: (row) => row.status_since,
    },
    { title: 'URL', name: 'url', isSpare: true, mayCut: true, shown: (row) => row.url },
    pipeOnly('routable', (row) => row.routable),
    pipeOnly('status_reason', (row) => row.status_reason),
    pipeOnly('priority', (row) => row.priority),
    pipeOnly('zone', (row) => row.zone),
    pipeOnly('total_requests', (row) => row.total_requests),
    pipeOnly('simulated', (row) => row.simulated),
  ];
}

const pageSize = 100;

/** All backends; the control API answers at most 100 at a time. */
export async function listBackends(api: Api): Promise<BackendList> {
  const { backendListSchema: schema } = await schemas();
  const page = (offset: number) =>
    api.call(schema, {
      method: 'GET',
      path: `/api/v1/backends?limit=${pageSize}&offset=${offset}`,
    });
  let list = await page(0);
  while (list.backends.length < list.count) {
    const next = await page(list.backends.length);
    if (next.backends.length === 0) break;
    list = { ...list, backends: [...list.backends, ...next.backends] };
  }
  return list;
}

const shortestPrefix = 4;

/** The backend that a person means by its id, name, or a prefix of the id that only one has. */
export async function resolveBackend(api: Api, word: string): Promise<BackendViewWire> {
  const { backends } = await listBackends(api);
  const exact = backends.find((each) => each.id === word || each.name === word);
  if (exact !== undefined) return exact;
  const some = word.length < shortestPrefix ? [] : backends.filter((b) => b.id.startsWith(word));
  const [only, second] = some;
  if (only !== undefined && second === undefined) return only;
  const ids = backends.map((each) => each.id);
  if (second !== undefined) {
    const which = some.map((each) => each.id).join(', ');
    throw new CliFailure('backend_not_found', `"${word}" could be any of ${which}`, {
      exitCode: exitCodes.failed,
      remedy: 'give more of the id',
    });
  }
  const near = nearest(word, ids);
  throw new CliFailure('backend_not_found', `there is no backend "${word}"`, {
    exitCode: exitCodes.failed,
    remedy:
      near === undefined
        ? 'tensorforge backends list shows all of them'
        : `did you mean ${near}? tensorforge backends list shows all of them`,
  });
}

function pathOf(id: string, verb = ''): string {
  return `/api/v1/backends/${encodeURIComponent(id)}${verb === '' ? '' : `/${verb}`}`;
}

async function printList(context: Context, { machine }: Surroundings): Promise<void> {
  const list = await listBackends(await openApi(context, machine));
  printListing(context, {
    rows: list.backends,
    columns: columnsFor(context),
    id: (row) => row.id,
    json: list,
    summary: list.summary,
    empty:
      'No backends yet. A backend is a model server. Add one: tensorforge backends add http://HOST:11434',
  });
}

/** The one line after a change: what the backend is now. */
function printOne(context: Context, view: BackendViewWire): void {
  if (context.isTerminal && !context.json && !context.quiet) {
    const type = view.simulated ? `${view.backend_type} SIM` : view.backend_type;
    const facts = [type, counted(view.models.length, 'model'), view.status_words];
    const words = escapeControl(`${view.id}: ${facts.join(', ')}`);
    context.out(`${shape(backendShape(view), context)} ${words}`);
    return;
  }
  const columns = columnsFor(context);
  printListing(context, { rows: [view], columns, id: (row) => row.id, json: view, empty: '' });
}

function printDetails(context: Context, view: BackendViewWire): void {
  printOne(context, view);
  if (context.json || context.quiet || !context.isTerminal) return;
  const now = Date.now();
  const lines: readonly (readonly [string, string])[] = [
    ['name', view.name],
    ['url', view.url],
    ['state', `${stateOf(view)} for ${shownSince(view.status_since, now)}`],
    ['last error', view.last_error ?? 'none'],
    ['probed', `${shownSince(view.last_health_check, now)} ago`],
    [
      'latency',
      `probe ${shownMs(view.avg_latency_ms || null)}, first byte ${shownMs(view.first_byte_ms)}`,
    ],
    ['requests', `${view.pending_requests} in flight, ${view.total_requests} in all`],
    ['choice', `priority ${view.priority}, tier ${view.tier}, zone ${view.zone}`],
    ['capacity', view.capacity === 0 ? 'not known' : String(view.capacity)],
    ['load', loadWords(view.load, Number.POSITIVE_INFINITY, now)],
    [
      'in memory',
      view.loaded_models === null ? 'not told' : view.loaded_models.join(', ') || 'none',
    ],
    [
      'closed',
      view.closed_models.map(({ id, reason }) => `${id} (${reason})`).join(', ') || 'none',
    ],
    ['source', view.simulated ? `${view.discovery_source}, simulated` : view.discovery_source],
    ['models', view.models.map((model) => model.id).join(', ') || 'none'],
  ];
  for (const [name, value] of lines) {
    const line = escapeControl(`  ${name.padEnd(11)}${value}`);
    // A fleet can offer hundreds of models; name and address are to be copied, so they stay whole.
    context.out(name === 'models' ? cutTo(line, context.columns) : line);
  }
}

type AddFlags = {
  readonly name?: string;
  readonly type?: string;
  readonly priority?: number;
  readonly zone?: string;
  readonly tier?: number;
  readonly capacity?: number;
  readonly apiKeyEnv?: string;
};

async function add(context: Context, surroundings: Surroundings, url: string, flags: AddFlags) {
  const { backendAddSchema, backendViewSchema } = await schemas();
  const { apiKeyEnv, ...rest } = flags;
  const wanted = backendAddSchema.safeParse({
    url,
    ...rest,
    ...(apiKeyEnv === undefined ? {} : { api_key_env: apiKeyEnv }),
  });
  if (!wanted.success) {
    const [issue] = wanted.error.issues;
    const flag = String(issue?.path[0] ?? 'url').replaceAll('_', '-');
    throw new CliFailure('usage', `${flag === 'url' ? 'URL' : `--${flag}`}: ${issue?.message}`, {
      exitCode: exitCodes.usage,
      remedy: 'tensorforge backends add --help',
    });
  }
  const api = await openApi(context, surroundings.machine);
  const body = wanted.data;
  const view = await api.call(backendViewSchema, {
    method: 'POST',
    path: '/api/v1/backends',
    body,
  });
  printOne(context, view);
}

function addAdd(noun: Command, surroundings: Surroundings): void {
  const command = describe(noun.command('add <url>'), {
    summary: 'add a model server',
    description:
      'Adds a model server and keeps it over restarts. Its type is found out by asking it unless --type says it. A credential is never an argument: --api-key-env names the variable of the control plane that holds it.',
    examples: [
      'tensorforge backends add http://192.168.1.20:11434',
      'tensorforge backends add https://api.openai.com --type openai --api-key-env OPENAI_API_KEY',
    ],
  })
    .option('--name <name>', 'Its name; its id is made of it. Default: made of the address.')
    .option(
      '--type <type>',
      'ollama, vllm, llamacpp, exo, openai, generic, lmstudio, anthropic or google.',
    )
    .option('--priority <n>', 'Lower is preferred. Default: 50.', wholeNumber(-1000, 1000))
    .option('--zone <zone>', 'restricted or open. Default: open for clouds, else restricted.')
    .option('--tier <n>', 'Capability, 1 to 5, higher is better. Default: 1.', wholeNumber(1, 5))
    .option(
      '--capacity <n>',
      'Requests it works on at once; 0: not known.',
      wholeNumber(0, 1_000_000),
    )
    .option('--api-key-env <variable>', 'Variable of the control plane with its credential.');
  runs(command, surroundings, (context, [url = ''], self) =>
    add(context, surroundings, url, self.opts<AddFlags>()),
  );
}

/** Verbs that are one POST and answer with the backend as it is now. */
const verbs = [
  {
    verb: 'drain',
    summary: 'give a backend no new requests; running ones end',
    undo: (id: string) => `undo: tensorforge backends resume ${id}`,
  },
  { verb: 'resume', summary: 'give a drained backend requests again', undo: undefined },
  { verb: 'approve', summary: 'let a discovered backend take requests', undo: undefined },
  { verb: 'probe', summary: 'check a backend now', undo: undefined },
] as const;

function addVerbs(noun: Command, surroundings: Surroundings): void {
  for (const { verb, summary, undo } of verbs) {
    const command = describe(noun.command(`${verb} <backend>`), {
      summary,
      examples: [`tensorforge backends ${verb} box-1`, `tensorforge backends ${verb} box-1 --json`],
    });
    runs(command, surroundings, async (context, [word = '']) => {
      const { backendViewSchema } = await schemas();
      const api = await openApi(context, surroundings.machine);
      const { id } = await resolveBackend(api, word);
      const view = await api.call(backendViewSchema, { method: 'POST', path: pathOf(id, verb) });
      printOne(context, view);
      if (undo !== undefined && !context.json) context.note(undo(id));
    });
  }
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w.:/@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function undoOfRemove(view: BackendViewWire): string {
  if (view.discovery_source === 'static') {
    return 'it stands in the configuration file, which brings it back at the next start: remove it there too';
  }
  const { url, name, backend_type: type } = view;
  return `undo: tensorforge backends add ${quoted(url)} --name ${quoted(name)} --type ${type}`;
}

export function addBackendCommands(program: Command, surroundings: Surroundings): void {
  const noun = describe(program.command('backends').alias('backend'), {
    summary: 'the model servers: list, show, add, remove, drain, resume, approve, probe',
    examples: ['tensorforge backends list', 'tensorforge backends add http://192.168.1.20:11434'],
  });
  bareNoun(noun, surroundings, (context) => printList(context, surroundings));
  const list = describe(noun.command('list').alias('ls'), {
    summary: 'list the model servers',
    examples: ['tensorforge backends list', 'tensorforge backends list --quiet'],
  });
  runs(list, surroundings, (context) => printList(context, surroundings));
  const show = describe(noun.command('show <backend>').alias('status'), {
    summary: 'show one model server',
    examples: ['tensorforge backends show box-1', 'tensorforge backends show box-1 --json'],
  });
  runs(show, surroundings, async (context, [word = '']) => {
    const api = await openApi(context, surroundings.machine);
    printDetails(context, await resolveBackend(api, word));
  });
  addAdd(noun, surroundings);
  const remove = describe(noun.command('remove <backend>').alias('rm'), {
    summary: 'remove a model server; running requests end',
    examples: ['tensorforge backends remove box-1', 'tensorforge backends rm box-1 --quiet'],
  });
  runs(remove, surroundings, async (context, [word = '']) => {
    const { z: zod } = await import('zod');
    const api = await openApi(context, surroundings.machine);
    const view = await resolveBackend(api, word);
    await api.call(zod.unknown(), { method: 'DELETE', path: pathOf(view.id) });
    if (context.json) context.out(JSON.stringify({ removed: view.id }));
    else if (context.quiet) context.out(view.id);
    else {
      context.out(`${shape('off', context)} ${escapeControl(view.id)} removed`);
      context.note(escapeControl(undoOfRemove(view)));
    }
  });
  addVerbs(noun, surroundings);
}
