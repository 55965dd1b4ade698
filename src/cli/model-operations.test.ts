// Goal: the commands of operations send what was asked, follow it to its end, and say how it ended to
// each reader; advice is printed, or why there is none.
// Method: the program against a real HTTP server that speaks the schemas and lets an operation move on
// at each look.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import {
  modelLoadSchema,
  modelMigrateSchema,
  modelUnloadQuerySchema,
  type OperationWire,
  operationListSchema,
  operationSchema,
  recommendationListSchema,
} from '../protocol/control/fleet-schemas.ts';
import { backendListSchema } from '../protocol/control/schemas.ts';
import { backendFixture, fixtureKey } from './testing/control-server.ts';
import { runCli } from './testing/run-cli.ts';

function operation(over: Partial<OperationWire> = {}): OperationWire {
  return operationSchema.parse({
    operation_id: 'op-1',
    operation_type: 'load',
    model_id: 'llama3:8b',
    source_backend_id: null,
    target_backend_id: 'box-1',
    status: 'in_progress',
    progress_percent: 0,
    eta_ms: null,
    initiated_at: '2026-11-21T12:00:00.000Z',
    completed_at: null,
    error_details: null,
    ...over,
  });
}

const done = {
  status: 'completed',
  progress_percent: 100,
  completed_at: '2026-11-21T12:00:07.000Z',
} as const;

type Call = { readonly method: string; readonly target: string; readonly body: unknown };

/** Answers each look at an operation with the next of `states`, the last one for ever. */
class Installation {
  readonly calls: Call[] = [];
  states: OperationWire[] = [operation()];
  listed: readonly OperationWire[] = [];
  advice = recommendationListSchema.parse({
    recommendations: [],
    fleet_enabled: false,
    generated_at: '2026-11-21T12:00:00.000Z',
  });
  refusal: { readonly status: number; readonly body: unknown } | undefined;
  readonly #server: Server = createServer(
    (request, response) => void this.#answer(request, response),
  );

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no address');
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const part of request) text += String(part);
    const method = request.method ?? 'GET';
    const url = new URL(request.url ?? '/', 'http://fixture');
    const call = {
      method,
      target: request.url ?? '',
      body: text === '' ? undefined : JSON.parse(text),
    };
    const isChange = method !== 'GET';
    if (isChange) this.calls.push(call);
    const refused = isChange ? this.refusal : undefined;
    const status = refused?.status ?? (isChange ? 202 : 200);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(refused?.body ?? this.#body(url, call)));
  }

  #body({ pathname, searchParams }: URL, { method, body }: Call): unknown {
    if (pathname === '/api/v1/backends') {
      const backends = [backendFixture(), backendFixture({ id: 'box-2', name: 'Box 2' })];
      return backendListSchema.parse({ count: 2, summary: '', backends });
    }
    if (pathname === '/v1/fleet/recommendations') return this.advice;
    if (pathname === '/api/v1/operations') {
      return operationListSchema.parse({ count: this.listed.length, operations: this.listed });
    }
    if (pathname.startsWith('/api/v1/operations/')) {
      return this.states.length > 1 ? this.states.shift() : this.states[0];
    }
    if (pathname === '/v1/models/load') modelLoadSchema.parse(body);
    else if (pathname === '/v1/models/migrate') modelMigrateSchema.parse(body);
    else if (method === 'DELETE') modelUnloadQuerySchema.parse(Object.fromEntries(searchParams));
    return {
      operation_id: 'op-1',
      model_id: 'llama3:8b',
      backend_id: 'box-1',
      status: 'in_progress',
    };
  }
}

const server = new Installation();
const folder = mkdtempSync(join(tmpdir(), 'tensorforge-cli-models-'));
let url = '';

before(async () => {
  url = await server.listen();
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  server.calls.length = 0;
  server.states = [operation()];
  server.listed = [];
  server.refusal = undefined;
});

function cli(...args: readonly string[]) {
  const env = {
    TENSORFORGE_URL: url,
    TENSORFORGE_API_KEY: fixtureKey,
    TENSORFORGE_DATA_DIR: folder,
  };
  return runCli(args, { cwd: folder, env });
}

test('a load names model and backend, and prints what was begun', async () => {
  const { code, out, err } = await cli('models', 'load', 'llama3:8b', '--on', 'Box 1');
  assert.equal(code, 0, err);
  assert.deepEqual(server.calls, [
    {
      method: 'POST',
      target: '/v1/models/load',
      body: { model_id: 'llama3:8b', backend_id: 'box-1', download: false },
    },
  ]);
  const [names, values] = out
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  assert.deepEqual(names?.slice(0, 5), ['operation_id', 'type', 'model', 'backend', 'status']);
  assert.deepEqual(values?.slice(0, 5), ['op-1', 'load', 'llama3:8b', 'box-1', 'in_progress']);
  assert.match(err, /tensorforge models operations/);
});

test('with --wait it ends when the operation does: 0 when completed, 3 with the words when failed', async () => {
  server.states = [operation(), operation(done)];
  const good = await cli(
    'models',
    'load',
    'llama3:8b',
    '--on',
    'box-1',
    '--download',
    '--wait',
    '--json',
  );
  assert.equal(good.code, 0, good.err);
  assert.equal(JSON.parse(good.out).status, 'completed');
  assert.equal(modelLoadSchema.parse(server.calls[0]?.body).download, true);
  server.states = [operation({ status: 'failed', error_details: 'it did not end within 300 s' })];
  const bad = await cli('models', 'load', 'llama3:8b', '--on', 'box-1', '--wait');
  assert.equal(bad.code, 3);
  assert.match(
    bad.err,
    /^error {2}operation_failed: op-1: it did not end within 300 s\n {2}do {3}/,
  );
});

test('an unload writes the model into the path, slashes and all, and drains where asked', async () => {
  server.states = [operation({ operation_type: 'unload', ...done })];
  const { code, out } = await cli(
    'models',
    'unload',
    'org/m:8b',
    '--on',
    'box-1',
    '--drain',
    '--quiet',
  );
  assert.deepEqual([code, out], [0, 'op-1\n']);
  assert.equal(server.calls[0]?.target, '/v1/models/org%2Fm%3A8b?backend_id=box-1&drain=true');
});

test('a migration names both backends and says what is left to do', async () => {
  const { code, err } = await cli(
    'models',
    'migrate',
    'llama3:8b',
    '--from',
    'box-1',
    '--to',
    'box-2',
  );
  assert.equal(code, 0, err);
  assert.deepEqual(server.calls[0]?.body, {
    model_id: 'llama3:8b',
    source_backend_id: 'box-1',
    target_backend_id: 'box-2',
  });
  assert.match(err, /then: tensorforge models unload llama3:8b --on box-1 --drain/);
});

test('a refusal is told with its words and exit 1, a missing flag with exit 2 before anything is sent', async () => {
  const message = 'operation op-7 (load of m) runs on box-1.';
  const context = { reason: 'operation_in_progress' };
  server.refusal = {
    status: 409,
    body: { error: { message, type: 'x', param: null, code: 'conflict', context } },
  };
  const refused = await cli('models', 'load', 'llama3:8b', '--on', 'box-1');
  assert.equal(refused.code, 1);
  assert.match(refused.err, /operation_in_progress: operation op-7/);
  server.calls.length = 0;
  for (const args of [
    ['load', 'm'],
    ['unload', 'm'],
    ['migrate', 'm', '--from', 'box-1'],
  ]) {
    assert.equal((await cli('models', ...args)).code, 2, args.join(' '));
  }
  assert.deepEqual(server.calls, []);
});

test('operations are listed with their words and durations', async () => {
  server.listed = [
    operation({ operation_id: 'op-2', operation_type: 'download', progress_percent: 40 }),
    operation({ ...done }),
  ];
  const { code, out } = await cli('models', 'operations', '--on', 'box-1', '--limit', '2');
  assert.equal(code, 0);
  const rows = out
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  const at = (name: string, row: number) => rows[row]?.[rows[0]?.indexOf(name) ?? -1];
  assert.deepEqual([at('progress_percent', 1), at('duration_ms', 1)], ['40', '']);
  assert.deepEqual([at('status', 2), at('duration_ms', 2)], ['completed', '7000']);
});

test('advice is printed with how sure it is, and a bare noun prints it as well', async () => {
  server.advice = recommendationListSchema.parse({
    recommendations: [
      {
        recommendation_id: 'rec-1',
        model_id: 'llama3:8b',
        target_backend_ids: ['box-1', 'box-2'],
        confidence_score: 0.83,
        reasoning: 'peaks at 09:00 UTC',
        vram_required_bytes: null,
        generated_at: '2026-11-21T12:00:00.000Z',
        expires_at: '2026-11-21T13:00:00.000Z',
      },
    ],
    fleet_enabled: true,
    generated_at: '2026-11-21T12:00:00.000Z',
  });
  const [pipe, quiet, json] = await Promise.all([
    cli('fleet', 'recommendations'),
    cli('fleet', '--quiet'),
    cli('fleet', '--json'),
  ]);
  assert.match(pipe.out, /llama3:8b\tbox-1,box-2\t0\.83\t\tpeaks at 09:00 UTC/);
  assert.equal(quiet.out, 'rec-1\n');
  assert.deepEqual(JSON.parse(json.out), server.advice);
});
