// `models load`, `unload`, `migrate` and `operations`: what is done to the models of backends. A command
// begins an operation and says its id; with `--wait` it follows the operation to its end.

import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import type { OperationWire } from '../../protocol/control/fleet-schemas.ts';
import { type Api, openApi } from '../client.ts';
import { describe, runs, type Surroundings, wholeNumber } from '../command.ts';
import type { Context } from '../context.ts';
import { CliFailure, exitCodes } from '../failure.ts';
import { createProgress } from '../output/progress.ts';
import { type ShapeKind, shape } from '../output/shapes.ts';
import { type Column, printListing } from '../output/table.ts';
import { escapeControl, shownMs, shownSpan } from '../output/text.ts';
import { resolveBackend } from './backends.ts';

const pollEveryMs = 500;
/** An unload is answered within 50 s, whether it is done by then or not. */
const unloadAnswerMs = 70_000;
const barWidth = 20;

const shapes: Readonly<Record<OperationWire['status'], ShapeKind>> = {
  pending: 'waiting',
  in_progress: 'active',
  completed: 'ok',
  failed: 'bad',
};

async function schemas() {
  return import('../../protocol/control/fleet-schemas.ts');
}

function whereOf({ source_backend_id: source, target_backend_id: target }: OperationWire): string {
  return source === null ? target : `${source} -> ${target}`;
}

/** Time from its begin to its end; null while it runs. */
function durationMs(operation: OperationWire): number | null {
  const { initiated_at: from, completed_at: to } = operation;
  return to === null ? null : Date.parse(to) - Date.parse(from);
}

function stateOf(operation: OperationWire): string {
  const { status, progress_percent: percent, operation_type: type } = operation;
  if (status === 'pending') return 'waits for its download';
  if (status === 'failed') return `failed: ${operation.error_details ?? ''}`;
  const isTold = status === 'in_progress' && type === 'download';
  return isTold ? `in progress ${percent} %` : status.replace('_', ' ');
}

const columns = (context: Context): readonly Column<OperationWire>[] => [
  { title: '', isShape: true, shown: (row) => shape(shapes[row.status], context) },
  { title: 'ID', name: 'operation_id', shown: (row) => row.operation_id },
  { title: 'TYPE', name: 'type', shown: (row) => row.operation_type },
  { title: 'MODEL', name: 'model', mayCut: true, shown: (row) => row.model_id },
  { title: 'BACKEND', name: 'backend', mayCut: true, shown: whereOf },
  { title: 'STATE', name: 'status', mayCut: true, shown: stateOf, raw: (row) => row.status },
  {
    title: 'TOOK',
    isSpare: true,
    name: 'duration_ms',
    alignRight: true,
    shown: (row) => shownMs(durationMs(row)),
    raw: durationMs,
  },
  { title: 'BEGAN', isSpare: true, name: 'initiated_at', shown: (row) => row.initiated_at },
  {
    title: '',
    name: 'progress_percent',
    pipeOnly: true,
    shown: (row) => String(row.progress_percent),
  },
  {
    title: '',
    name: 'error_details',
    pipeOnly: true,
    shown: () => '',
    raw: (row) => row.error_details,
  },
];

function printOne(context: Context, operation: OperationWire): void {
  if (context.isTerminal && !context.json && !context.quiet) {
    const what = `${operation.operation_type} of ${operation.model_id} on ${whereOf(operation)}`;
    const words = escapeControl(`${operation.operation_id}: ${what}, ${stateOf(operation)}`);
    context.out(`${shape(shapes[operation.status], context)} ${words}`);
    return;
  }
  const id = (row: OperationWire) => row.operation_id;
  const listing = { rows: [operation], columns: columns(context), id, json: operation, empty: '' };
  printListing(context, listing);
}

function bar(percent: number): string {
  const full = Math.round((barWidth * percent) / 100);
  return `[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}] ${percent} %`;
}

/** The bar of a download; a load tells nothing but how long it lasts. */
function progressWords(operation: OperationWire, running: OperationWire | undefined): string {
  const shown = running ?? operation;
  const seconds = (Date.now() - Date.parse(operation.initiated_at)) / 1000;
  const what = `${shown.operation_type} ${shown.model_id} on ${whereOf(shown)}`;
  if (shown.operation_type !== 'download') return `${what}  ${shownSpan(seconds)}`;
  const eta = shown.eta_ms === null ? '' : `, ${shownSpan(shown.eta_ms / 1000)} left`;
  return `${what}  ${bar(shown.progress_percent)}${eta}`;
}

async function readOperation(api: Api, id: string): Promise<OperationWire> {
  const { operationSchema } = await schemas();
  return api.call(operationSchema, {
    method: 'GET',
    path: `/api/v1/operations/${encodeURIComponent(id)}`,
  });
}

/** The download that a load waits for. */
async function downloadOf(api: Api, operation: OperationWire): Promise<OperationWire | undefined> {
  if (operation.status !== 'pending') return undefined;
  const { operationListSchema } = await schemas();
  const backend = encodeURIComponent(operation.target_backend_id);
  const path = `/api/v1/operations?backend=${backend}&limit=20`;
  const { operations } = await api.call(operationListSchema, { method: 'GET', path });
  return operations.find(
    (other) =>
      other.operation_type === 'download' &&
      other.model_id === operation.model_id &&
      other.status === 'in_progress',
  );
}

function isOver({ status }: OperationWire): boolean {
  return status === 'completed' || status === 'failed';
}

/** Follows it to its end; throws with exit 3 when that is a failure. */
async function follow(context: Context, api: Api, id: string): Promise<OperationWire> {
  const progress = createProgress(context, () => performance.now());
  try {
    let operation = await readOperation(api, id);
    while (!isOver(operation)) {
      progress.show(progressWords(operation, await downloadOf(api, operation)));
      await wait(pollEveryMs);
      operation = await readOperation(api, id);
    }
    if (operation.status === 'completed') return operation;
    throw new CliFailure('operation_failed', `${id}: ${operation.error_details ?? 'it failed'}`, {
      exitCode: exitCodes.workFailed,
      remedy: `tensorforge explain backend ${operation.target_backend_id} says how the backend is`,
      details: undefined,
    });
  } finally {
    progress.done();
  }
}

/** Says what was begun, or follows it. */
async function conclude(context: Context, api: Api, id: string, waits: boolean): Promise<void> {
  const operation = waits ? await follow(context, api, id) : await readOperation(api, id);
  printOne(context, operation);
  if (!waits && !isOver(operation) && !context.json) {
    context.note(`it goes on without this command: tensorforge models operations`);
  }
}

type LoadFlags = { readonly on: string; readonly download?: boolean; readonly wait?: boolean };

function addLoad(noun: Command, surroundings: Surroundings): void {
  const command = describe(noun.command('load <model>'), {
    summary: 'load a model into the memory of a backend',
    description:
      'Begins to load a model. Requests for it avoid this backend until it is there; all other models of the backend go on serving. It is kept until it is unloaded.',
    examples: [
      'tensorforge models load llama3:8b --on box-1 --wait',
      'tensorforge models load qwen3:32b --on box-1 --download',
    ],
  })
    .requiredOption('--on <backend>', 'Id or name of the backend.')
    .option('--download', 'Have the backend fetch it first when it does not have it.')
    .option('--wait', 'Wait until it is loaded; exit 3 when that fails.');
  runs(command, surroundings, async (context, [model = ''], self) => {
    const flags = self.opts<LoadFlags>();
    const { operationAcceptedSchema } = await schemas();
    const api = await openApi(context, surroundings.machine);
    const { id } = await resolveBackend(api, flags.on);
    const body = { model_id: model, backend_id: id, download: flags.download === true };
    const call = { method: 'POST', path: '/v1/models/load', body } as const;
    const begun = await api.call(operationAcceptedSchema, call);
    await conclude(context, api, begun.operation_id, flags.wait === true);
  });
}

type UnloadFlags = { readonly on: string; readonly drain?: boolean; readonly wait?: boolean };

function addUnload(noun: Command, surroundings: Surroundings): void {
  const command = describe(noun.command('unload <model>'), {
    summary: 'take a model out of the memory of a backend',
    description:
      'Unloads a model. Refused while the backend works on requests, unless --drain says to wait for them. A backend that loads models by itself does so again when the model is asked for.',
    examples: [
      'tensorforge models unload llama3:8b --on box-1',
      'tensorforge models unload llama3:8b --on box-1 --drain --wait',
    ],
  })
    .requiredOption('--on <backend>', 'Id or name of the backend.')
    .option('--drain', 'Take no new requests for it, and wait for those that run.')
    .option('--wait', 'Wait however long they take; else 50 s.');
  runs(command, surroundings, async (context, [model = ''], self) => {
    const flags = self.opts<UnloadFlags>();
    const { operationAcceptedSchema } = await schemas();
    const api = await openApi(context, surroundings.machine);
    const { id } = await resolveBackend(api, flags.on);
    const query = new URLSearchParams({ backend_id: id, drain: String(flags.drain === true) });
    const path = `/v1/models/${encodeURIComponent(model)}?${query.toString()}`;
    const call = { method: 'DELETE', path, timeoutMs: unloadAnswerMs } as const;
    const begun = await api.call(operationAcceptedSchema, call);
    await conclude(context, api, begun.operation_id, flags.wait === true);
  });
}

type MigrateFlags = { readonly from: string; readonly to: string; readonly wait?: boolean };

function addMigrate(noun: Command, surroundings: Surroundings): void {
  const command = describe(noun.command('migrate <model>'), {
    summary: 'load a model of one backend on another one',
    description:
      'Begins to load a model on another backend that has its weights. The first one goes on serving it until you unload it there.',
    examples: [
      'tensorforge models migrate llama3:8b --from box-1 --to box-2 --wait',
      'tensorforge models migrate llama3:8b --from box-1 --to box-2 --json',
    ],
  })
    .requiredOption('--from <backend>', 'The backend that serves it now.')
    .requiredOption('--to <backend>', 'The backend that is to serve it.')
    .option('--wait', 'Wait until it is loaded there; exit 3 when that fails.');
  runs(command, surroundings, async (context, [model = ''], self) => {
    const flags = self.opts<MigrateFlags>();
    const { operationAcceptedSchema } = await schemas();
    const api = await openApi(context, surroundings.machine);
    const source = await resolveBackend(api, flags.from);
    const target = await resolveBackend(api, flags.to);
    const body = { model_id: model, source_backend_id: source.id, target_backend_id: target.id };
    const call = { method: 'POST', path: '/v1/models/migrate', body } as const;
    const begun = await api.call(operationAcceptedSchema, call);
    await conclude(context, api, begun.operation_id, flags.wait === true);
    if (!context.json) {
      context.note(`then: tensorforge models unload ${model} --on ${source.id} --drain`);
    }
  });
}

type ListFlags = { readonly on?: string; readonly limit?: number };

function addOperations(noun: Command, surroundings: Surroundings): void {
  const command = describe(noun.command('operations'), {
    summary: 'what is done and was done to models, newest first',
    examples: ['tensorforge models operations', 'tensorforge models operations --on box-1 --json'],
  })
    .option('--on <backend>', 'Only those of this backend.')
    .option('--limit <n>', 'Operations to print. Default: 50.', wholeNumber(1, 1000));
  runs(command, surroundings, async (context, _args, self) => {
    const { on, limit = 50 } = self.opts<ListFlags>();
    const { operationListSchema } = await schemas();
    const api = await openApi(context, surroundings.machine);
    const query = new URLSearchParams({ limit: String(limit) });
    if (on !== undefined) query.set('backend', (await resolveBackend(api, on)).id);
    const path = `/api/v1/operations?${query.toString()}`;
    const list = await api.call(operationListSchema, { method: 'GET', path });
    printListing(context, {
      rows: list.operations,
      columns: columns(context),
      id: (row) => row.operation_id,
      json: list,
      empty: 'Nothing was done to any model yet. See: tensorforge models load --help',
    });
  });
}

/** The verbs of `models` that change something, and the list of what they did. */
export function addModelOperations(noun: Command, surroundings: Surroundings): void {
  addLoad(noun, surroundings);
  addUnload(noun, surroundings);
  addMigrate(noun, surroundings);
  addOperations(noun, surroundings);
}
