// A gateway thread that dies in mid-request leaves nothing behind: what it held of a backend, its
// requests in flight and its connections are taken back, and its successor serves (specification BR
// 4.4). Method: real gateway threads under the product's pool, a backend that never answers; the thread
// is killed from outside, and by a fault of its own.

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import type { BackendId } from '../../src/base/brand.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { builtInPrices } from '../../src/core/usage/built-in-prices.ts';
import { monthBudget } from '../../src/core/usage/month-budget.ts';
import { digestSecret, type KeyRecord } from '../../src/io/credentials/key-table.ts';
import { type ScriptedBackend, startBackend } from '../../src/io/http/upstream/scripted-backend.ts';
import { Arena } from '../../src/io/shared-memory/arena.ts';
import { LimitTable } from '../../src/io/shared-memory/limit-table.ts';
import { MonthSpend } from '../../src/io/shared-memory/month-spend.ts';
import { SharedCounts } from '../../src/io/shared-memory/shared-counts.ts';
import { createWordBlock } from '../../src/io/shared-memory/shared-words.ts';
import { WaitingBoard } from '../../src/io/shared-memory/waiting-board.ts';
import { formatApiKey, parseApiKey } from '../../src/protocol/credentials/api-key.ts';
import { Breakers } from '../../src/services/gateway/breakers.ts';
import type { ThreadStart } from '../../src/services/gateway/messages.ts';
import { RetryBudget } from '../../src/services/gateway/retry-budget.ts';
import { ThreadDesk } from '../../src/services/gateway/thread-desk.ts';
import { machineMs } from '../../src/services/gateway/thread-limits.ts';
import { ThreadPool } from '../../src/services/gateway/thread-pool.ts';
import { gatewaySettings, routingSettings } from '../../src/targets/gateway-settings.ts';
import { until } from '../support/inference.ts';
import { freePort } from '../support/product.ts';
import { modelOf } from './records.test-support.ts';

const pepper = 'pepper';
const key = formatApiKey(new Uint8Array(12).fill(7), new Uint8Array(32).fill(9));
const parsed = parseApiKey(key);
const record: KeyRecord = {
  keyId: parsed?.keyId ?? '',
  groupName: 'test',
  owner: undefined,
  permissions: ['inference:use'],
  models: [],
  secretHash: digestSecret(pepper, parsed?.secret ?? '').toString('hex'),
  issuedAt: 0,
  expiresAt: undefined,
};

const held = 5;
const arena = Arena.create({ capacity: 4, threads: 1 });
const handle = arena.open(0, 0);
const desk = ThreadDesk.create(1, Date.now());
const counts = new SharedCounts();
const breakerRule = { failures: 5, successes: 2, openMs: 30_000, probes: 1 };
const deaths: { readonly words: string; readonly reclaimed: number }[] = [];
const workers: Worker[] = [];
const onWorker = (message: unknown): void => {
  workers.push((message as { readonly worker: Worker }).worker);
};
let backend: ScriptedBackend;
let pool: ThreadPool;
let port: number;
let answers = false;

function startOf(thread: number): ThreadStart {
  const loaded = loadConfiguration({ env: {}, flags: {} });
  assert.ok(loaded.ok);
  const { config } = loaded.value;
  const bound = {
    port,
    controlSocket: join(tmpdir(), 'no-such.sock'),
    build: 'test',
    tls: undefined,
    decisions: undefined,
  };
  return {
    thread,
    settings: { ...gatewaySettings(config, bound), host: '127.0.0.1', reusePort: false },
    arena: arena.parts,
    counts: counts.buffer,
    desk: desk.parts,
    waiting: WaitingBoard.create(1),
    spend: createWordBlock(MonthSpend.wordsFor(1)),
    spendRules: { prices: builtInPrices, budget: monthBudget(0, 75, 'warn') },
    limits: { table: LimitTable.create(1, 1), originMs: machineMs(), list: [] },
    breakers: Breakers.create(breakerRule),
    retries: RetryBudget.create({ percent: 20, floorPerSecond: 10 }, Date.now()),
    pepper,
    keys: [record],
    version: 1,
    targets: [
      {
        ...handle,
        id: 'slow' as BackendId,
        name: 'slow',
        url: backend.url,
        backendType: 'vllm',
        status: 'healthy',
        statusReason: undefined,
        approved: true,
        priority: 50,
        zone: 'restricted',
        tier: 1,
        models: [modelOf('m')],
        closures: [],
        apiKeyEnv: undefined,
        simulated: false,
        loadedModels: undefined,
      },
    ],
    routing: routingSettings(config),
    isWatched: false,
    snapshotDigest: '',
    serving: 'open',
    compileCache: undefined,
  };
}

before(async () => {
  backend = await startBackend(({ socket }) => {
    if (!answers) return;
    const body = '{"id":"x","object":"chat.completion","choices":[]}';
    const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
    socket.write(`${head}\r\n\r\n${body}`);
  });
  port = await freePort();
  arena.setStatus(handle, 'healthy');
  subscribe('worker_threads', onWorker);
  pool = new ThreadPool({
    arena,
    startOf,
    onReport: () => {},
    onApplied: () => {},
    onNotices: () => {},
    onBreaker: () => {},
    onSealed: () => {},
    onTrouble: () => {},
    release: (thread) => desk.release(thread),
    onDied: (_, words, reclaimed) => deaths.push({ words, reclaimed }),
  });
  await pool.start(1);
});

after(async () => {
  unsubscribe('worker_threads', onWorker);
  await pool?.terminate();
  await backend?.close();
});

function ask(): Promise<number | string> {
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] });
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const path = '/v1/chat/completions';
    const options = { host: '127.0.0.1', port, method: 'POST', path, agent: false, headers };
    const sent = request(options, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', () => resolve('cut'));
    });
    sent.on('error', () => resolve('cut'));
    sent.end(body);
  });
}

async function diesWith(kill: () => void): Promise<void> {
  const before = deaths.length;
  answers = false;
  const asked = Array.from({ length: held }, ask);
  await until('all are with the backend', () => arena.pending(0) === held);
  assert.equal(arena.inFlight(), held);
  kill();
  assert.deepEqual(await Promise.all(asked), new Array<string>(held).fill('cut'));
  await until('the death is told', () => deaths.length === before + 1);
  assert.equal(deaths.at(-1)?.reclaimed, held);
  const left = [arena.pending(0), arena.pendingOf(0), arena.inFlight(), arena.openConnections()];
  assert.deepEqual(left, [0, 0, 0, 0]);
  answers = true;
  await until('its successor serves', async () => (await ask()) === 200);
  await until('nothing is pending', () => arena.pending(0) === 0);
}

test('a thread that is killed in mid-request leaves nothing pending', () =>
  diesWith(() => void workers.at(-1)?.terminate()));

test('nor does one that dies of a fault of its own', () =>
  diesWith(() => {
    const { targets } = startOf(0);
    const upsert = targets.map((target) => ({
      ...target,
      id: 'new' as BackendId,
      models: undefined,
    }));
    pool.broadcast({ type: 'targets', version: 2, upsert, remove: [], snapshotDigest: '' });
  }));
