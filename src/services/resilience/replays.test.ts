// Goal: a replay is written down first, runs alone, reports while it runs and always ends. Method: the
// routes with a runner that the test steers; then once with the real worker thread on a real log.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { ControlAnswer, ControlCall, Principal } from '../../io/http/control-route.ts';
import {
  type ReplayReportWire,
  replayListSchema,
  replayReportSchema,
} from '../../protocol/control/trust-schemas.ts';
import { logFolder, writeTraffic } from './log.test-support.ts';
import { replayAsked } from './replay-request.ts';
import { replayRoutes } from './replay-routes.ts';
import { runInWorker } from './replay-runner.ts';
import { emptyReport, type ReplayRunner, Replays } from './replays.ts';

const principal: Principal = {
  text: 'user:ana',
  kind: 'session',
  user: 'ana',
  groupName: 'ml',
  permissions: new Set(['replay:run']),
  keyId: 'k',
};

type Steps = {
  progress: (report: ReplayReportWire) => void;
  done: (report: ReplayReportWire) => void;
  fail: (error: Error) => void;
};

let story: string[] = [];
let steps: Steps | undefined;

const steered: ReplayRunner = (task, onProgress) => {
  story.push(`run ${task.id}`);
  const { promise, resolve, reject } = Promise.withResolvers<ReplayReportWire>();
  steps = { progress: onProgress, done: resolve, fail: reject };
  return {
    report: promise,
    stop: async () => reject(new Error('stopped')),
  };
};

function replaysOf(run: ReplayRunner, folder = '/nowhere'): Replays {
  let count = 0;
  return new Replays({
    folder,
    flush: async () => {
      story.push('flush');
    },
    tell: async ({ id, actor, data }) => {
      story.push(`tell ${id} ${actor} ${data.candidate?.slice(0, 4) ?? '-'}`);
    },
    newId: () => `rep-${++count}`,
    run,
  });
}

async function call(
  replays: Replays,
  method: 'GET' | 'POST',
  path: string,
  facts: { readonly id?: string; readonly body?: unknown } = {},
): Promise<ControlAnswer> {
  const route = replayRoutes(replays).find((each) => each.method === method && each.path === path);
  assert.ok(route !== undefined);
  assert.deepEqual(route.needs, { kind: 'permission', permission: 'replay:run' });
  const request: ControlCall = {
    principal,
    maybePrincipal: principal,
    params: { id: facts.id ?? '' },
    query: {},
    body: facts.body,
    peer: { address: '127.0.0.1', isTls: false },
    cookie: undefined,
  };
  return route.handle(request);
}

const all = '/api/v1/replays';
const byId = '/api/v1/replays/:id';

/** Everything that was resolved before has been acted on. */
async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

beforeEach(() => {
  story = [];
  steps = undefined;
});

test('a replay is written down, then flushed, then run, and answers 202 with its id', async () => {
  const replays = replaysOf(steered);
  const body = { policy: { routing: { max_retries: 1 } } };
  const answer = await call(replays, 'POST', all, { body });
  assert.equal(answer.status, 202);
  assert.equal(replayReportSchema.parse(answer.body).state, 'running');
  assert.match(story.join(' | '), /^tell rep-1 user:ana [0-9a-f]{4} \| flush \| run rep-1$/);
});

test('a second one is refused while the first runs, and welcome after it', async () => {
  const replays = replaysOf(steered);
  await call(replays, 'POST', all, { body: {} });
  const refused = await call(replays, 'POST', all, { body: {} }).catch((error: unknown) => error);
  assert.ok(refused instanceof TensorForgeError && refused.code === 'operation_in_progress');
  steps?.progress({ ...emptyReport('rep-1'), decisions: 7 });
  const running = await call(replays, 'GET', byId, { id: 'rep-1' });
  assert.equal(replayReportSchema.parse(running.body).decisions, 7);
  steps?.done({ ...emptyReport('rep-1'), state: 'done', decisions: 9 });
  await settled();
  assert.equal(replays.get('rep-1')?.state, 'done');
  await call(replays, 'POST', all, { body: {} });
  const list = replayListSchema.parse((await call(replays, 'GET', all)).body);
  assert.deepEqual(
    list.replays.map(({ id, state }) => [id, state]),
    [
      ['rep-2', 'running'],
      ['rep-1', 'done'],
    ],
  );
});

test('a replay whose thread dies has failed, keeps its counts, and makes room', async () => {
  const replays = replaysOf(steered);
  await call(replays, 'POST', all, { body: {} });
  steps?.progress({ ...emptyReport('rep-1'), decisions: 5 });
  steps?.fail(new Error('its thread ended with code 1'));
  await settled();
  const report = replays.get('rep-1');
  assert.deepEqual([report?.state, report?.decisions], ['failed', 5]);
  assert.match(report?.words ?? '', /^The replay failed: its thread ended/);
  await call(replays, 'POST', all, { body: {} });
  await replays.close();
  await settled();
  assert.equal(replays.get('rep-2')?.state, 'failed');
});

test('a replay that cannot be written down does not run', async () => {
  const replays = new Replays({
    folder: '/nowhere',
    flush: async () => {},
    tell: () => Promise.reject(new TensorForgeError('retry', 'The database does not answer.')),
    newId: () => 'rep-1',
    run: steered,
  });
  for (let i = 0; i < 2; i++) {
    await assert.rejects(call(replays, 'POST', all, { body: {} }), /database does not answer/);
  }
  assert.deepEqual(story, []);
  assert.equal(replays.list().length, 0);
});

test('only the newest twenty are kept, and others are not there', async () => {
  const replays = replaysOf(steered);
  for (let i = 1; i <= 22; i++) {
    await call(replays, 'POST', all, { body: {} });
    steps?.done({ ...emptyReport(`rep-${i}`), state: 'done' });
    await settled();
  }
  assert.equal(replays.list().length, 20);
  await assert.rejects(call(replays, 'GET', byId, { id: 'rep-1' }).then(), /no replay rep-1/);
});

test('what is asked wrong is refused before anything happens, a candidate with every fault', async () => {
  const replays = replaysOf(steered);
  const cases = [
    [{ from: '2026-11-21T13:00:00Z', to: '2026-11-21T12:00:00Z' }, 'invalid_request', /after to/],
    [{ request_id: 'last' }, 'invalid_request', /UUID of version 7/],
    [{ policy: { routing: { stratgy: 1 }, x: {} } }, 'policy_invalid', /2 faults/],
    [{ policy: { policy: { objective: 0.9 } } }, 'policy_invalid', /simulate tries them/],
  ] as const;
  for (const [body, code, words] of cases) {
    const refused = await call(replays, 'POST', all, { body }).catch((error: unknown) => error);
    assert.ok(refused instanceof TensorForgeError, JSON.stringify(body));
    assert.equal(refused.code, code);
    assert.match(refused.message, words);
  }
  assert.deepEqual(story, []);
});

test('the worker thread replays a real log and ends', async () => {
  const folder = logFolder();
  await writeTraffic(folder, { requests: 300, seed: 1 });
  const { report } = runInWorker({ id: 'w', folder, options: {} }, () => {});
  const done = replayReportSchema.parse(await report);
  assert.deepEqual([done.state, done.divergences, done.faults], ['done', 0, []]);
  assert.ok(done.decisions > 500);
  const lost = runInWorker({ id: 'x', folder: `${folder}/none`, options: {} }, () => {});
  assert.equal((await lost.report).decisions, 0);
});

test('a folder that is not there is refused, not called whole', () => {
  const replayNothing = () => replayAsked('/nowhere/decisions', {}, () => {});
  assert.throws(replayNothing, /There is no folder \/nowhere\/decisions/);
});
