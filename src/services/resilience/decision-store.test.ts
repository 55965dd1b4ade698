// Goal: any request of the log is found by its id or by a filter, with its reasons made again, and only
// by who may see it. Method: a log on disk of two groups on two streams; routes called as the server
// calls them.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { ControlCall, Principal } from '../../io/http/control-route.ts';
import {
  type DecisionWire,
  decisionListSchema,
  decisionSchema,
} from '../../protocol/control/schemas.ts';
import { decisionRoutes } from './decision-routes.ts';
import { DecisionStore } from './decision-store.ts';
import { FolderSource } from './folder-source.ts';
import {
  LogStream,
  logFolder,
  logStartMs,
  requestIdOf,
  type WrittenRequest,
  writeTraffic,
} from './log.test-support.ts';
import { redeciders } from './redeciders.ts';

const folder = logFolder();
let written: readonly WrittenRequest[] = [];

before(async () => {
  const ml = { requests: 300, seed: 1, groups: ['ml', 'lab'], blockRecords: 25 };
  const one = await writeTraffic(folder, ml);
  const two = await writeTraffic(folder, { ...ml, requests: 200, seed: 2, stream: 't1' });
  written = [...one, ...two];
});

function storeOf(at: string): DecisionStore {
  return new DecisionStore(
    () => new FolderSource(at),
    (source) => ({
      redeciders: redeciders(source),
      snapshotOf: (digest) => source.snapshotOf(digest),
    }),
  );
}

const recent: DecisionWire[] = [];

function principal(groupName: string, ...rights: readonly string[]): Principal {
  const permissions = new Set(['decisions:read', ...rights]);
  return { text: 'key:k', kind: 'key', user: undefined, groupName, permissions, keyId: 'k' };
}

const admin = principal('admin', 'replay:run');

async function call(
  who: Principal,
  path: '/api/v1/decisions' | '/api/v1/decisions/:id',
  facts: { readonly id?: string; readonly query?: Readonly<Record<string, unknown>> } = {},
): Promise<unknown> {
  const routes = decisionRoutes({
    store: storeOf(folder),
    recent: { list: () => recent, find: (id) => recent.find((each) => each.request_id === id) },
    flush: async () => {},
  });
  const route = routes.find((each) => each.path === path);
  assert.ok(route !== undefined);
  const request: ControlCall = {
    principal: who,
    maybePrincipal: who,
    params: { id: facts.id ?? '' },
    query: facts.query ?? {},
    body: undefined,
    peer: { address: '127.0.0.1', isTls: false },
    cookie: undefined,
  };
  const answer = await route.handle(request);
  return answer.body;
}

async function one(who: Principal, id: string): Promise<DecisionWire> {
  return decisionSchema.parse(await call(who, '/api/v1/decisions/:id', { id }));
}

function page(who: Principal, query: Readonly<Record<string, unknown>>) {
  return call(who, '/api/v1/decisions', { query }).then((body) => decisionListSchema.parse(body));
}

test('a request is found by its id, joined from admission to outcome, and decided again', async () => {
  const wanted = written.find((request) => request.attempts === 2);
  assert.ok(wanted !== undefined);
  const decision = await one(admin, wanted.requestId);
  assert.equal(decision.decision_id, `${wanted.requestId}.2`);
  assert.equal(decision.again, 'same');
  assert.equal(decision.backend_id, wanted.backendId);
  assert.equal(decision.group_name, wanted.groupName);
  assert.equal(decision.status, 200);
  assert.equal(decision.completion_tokens, 51);
  assert.equal(decision.admission?.verdict, 'admitted');
  assert.match(
    decision.admission?.words ?? '',
    /^came in: class 3, mode normal, 7 of 1000 in flight$/,
  );
  const [first, second] = decision.attempts_detail ?? [];
  assert.deepEqual([first?.attempt, second?.attempt], [1, 2]);
  assert.deepEqual(second?.tried, [first?.backend_id]);
  assert.match(first?.snapshot ?? '', /^[0-9a-f]{64}$/);
  assert.match(decision.record?.segment ?? '', /^t[01]\/00000001\.tfd$/);
});

test('one attempt of a request has an id of its own and its own reasons', async () => {
  const wanted = written.find((request) => request.attempts === 2);
  const decision = await one(admin, `${wanted?.requestId}.1`);
  assert.equal(decision.decision_id, `${wanted?.requestId}.1`);
  assert.notEqual(decision.backend_id, wanted?.backendId);
  const chosen = decision.candidates.find((item) => item.backend_id === decision.backend_id);
  assert.equal(chosen?.reason, 'chosen');
  const terms = chosen?.terms;
  assert.ok(terms !== null && terms !== undefined);
  assert.equal(terms.priority + terms.load + terms.latency, chosen?.score);
  const down = decision.candidates.find((item) => item.backend_id === 'sim-d');
  assert.deepEqual([down?.stage, down?.reason], ['health', 'unhealthy']);
  await assert.rejects(one(admin, `${wanted?.requestId}.3`), /No decision .*\.3 in the log/);
});

test('a request that never came in has its verdict and no candidates', async () => {
  const refused = written.find((request) => !request.admitted);
  assert.ok(refused !== undefined);
  const decision = await one(admin, refused.requestId);
  assert.deepEqual([decision.status, decision.code], [429, 'rate_limit_exceeded']);
  assert.equal(decision.admission?.verdict, 'key_limit');
  assert.deepEqual(decision.candidates, []);
  assert.equal(decision.again, 'same');
});

test('a group sees its own requests; those of another one answer as if they were not there', async () => {
  const own = written.find((request) => request.groupName === 'ml');
  const other = written.find((request) => request.groupName === 'lab');
  assert.ok(own !== undefined && other !== undefined);
  const reader = principal('ml');
  assert.equal((await one(reader, own.requestId)).group_name, 'ml');
  const foreign = await one(reader, other.requestId).catch((error: unknown) => error);
  const random = requestIdOf(other.at, 0xfff_fff);
  const absent = await one(reader, random).catch((error: unknown) => error);
  assert.ok(foreign instanceof TensorForgeError && absent instanceof TensorForgeError);
  assert.equal(foreign.code, 'not_found');
  assert.equal(
    foreign.message.replace(other.requestId, ''),
    absent.message.replace(random, ''),
    'the words tell nothing of what is there',
  );
  const { decisions } = await page(reader, {
    from: new Date(logStartMs).toISOString(),
    limit: 100,
  });
  assert.ok(decisions.length > 0);
  assert.ok(decisions.every((decision) => decision.group_name === 'ml'));
});

test('pages go back in time without a gap or a double, over both streams', async () => {
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const query: Record<string, unknown> = { backend: 'sim-a', limit: 17, ...(after && { after }) };
    const found = await page(admin, query);
    assert.ok(found.decisions.length <= 17);
    assert.equal(found.incomplete, null);
    seen.push(...found.decisions.map((decision) => decision.request_id));
    after = found.next ?? undefined;
  } while (after !== undefined);
  const wanted = written.filter((request) => request.backendId === 'sim-a');
  assert.equal(new Set(seen).size, seen.length);
  assert.deepEqual(seen.toSorted(), wanted.map((request) => request.requestId).toSorted());
  const times = seen.map((id) => written.find((request) => request.requestId === id)?.at ?? 0);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => b - a),
  );
});

test('filters of time, model and outcome hold together', async () => {
  const from = logStartMs + 2000;
  const to = logStartMs + 6000;
  const query = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const failed = await page(admin, { ...query, outcome: 'failed', limit: 100 });
  assert.ok(failed.decisions.length > 0);
  assert.ok(failed.decisions.every((decision) => decision.status === 429));
  const byCode = await page(admin, { ...query, outcome: 'rate_limit_exceeded', limit: 100 });
  assert.deepEqual(byCode.decisions, failed.decisions);
  const good = await page(admin, { ...query, outcome: 'ok', model: 'm', limit: 100 });
  assert.ok(good.decisions.every((decision) => decision.status === 200));
  assert.equal((await page(admin, { model: 'nobody' })).count, 0);
  await assert.rejects(page(admin, { after: 'x' }), /must be “next” of an answer/);
});

test('damage near a request is told where it is not found', async () => {
  const broken = logFolder();
  const requests = await writeTraffic(broken, { requests: 40, seed: 9 });
  const [name] = readdirSync(join(broken, 't0')).filter((file) => file.endsWith('.tfd'));
  const file = join(broken, 't0', name ?? '');
  const bytes = readFileSync(file);
  for (let at = 200; at < bytes.length - 200; at += 97) bytes.writeUInt8((bytes[at] ?? 0) ^ 1, at);
  writeFileSync(file, bytes);
  const requestId = requests[3]?.requestId ?? '';
  const found = await storeOf(broken).find({ requestId, attempt: undefined }, undefined);
  assert.ok(found.kind === 'none');
  assert.match(found.words, /damaged places were met/);
});

test('what a request met besides its attempts is told in words', async () => {
  const later = logFolder();
  const [plain] = await writeTraffic(later, { requests: 1, seed: 3, failing: 0 });
  assert.ok(plain !== undefined);
  const { requestId, at } = plain;
  const head = { requestId, at };
  // The copy ends after the request, in a block of its own.
  const log = new LogStream(later, 't0', 5);
  log.encoder.later({
    kind: 'annotated',
    ...head,
    annotations: [{ name: 'variant', value: 'b' }],
  });
  const reading = { depth: 7, sizeMax: 10, held: 2, isEmergency: false };
  const stay = { groupName: 'ml', priorityClass: 3, reading, waitedMs: 12.5 } as const;
  log.encoder.later({ kind: 'queued', ...head, ...stay, ended: 'placed' });
  const batchId = requestIdOf(at, 77);
  const batch = { batchId, size: 3, limit: 8, cause: 'timeout', waitedMs: 4 } as const;
  log.encoder.later({ kind: 'batched', ...head, ...batch });
  log.encoder.later({
    kind: 'degraded_served',
    ...head,
    code: 'no_healthy_backend',
    ageMs: 9000,
  });
  log.encoder.later({
    kind: 'shadowed',
    ...head,
    shadow: 'next',
    backendId: 'sim-d',
    model: 'm2',
    outcome: 'compared',
    status: 200,
    primaryStatus: 200,
    completionTokens: 4,
    primaryCompletionTokens: 5,
    totalMs: 80,
    primaryTotalMs: 60,
    distance: 1250,
  });
  await log.close();
  const found = await storeOf(later).find({ requestId, attempt: undefined }, undefined);
  assert.ok(found.kind === 'found');
  const decision = decisionSchema.parse(found.decision);
  assert.equal(decision.again, 'same');
  assert.deepEqual(decision.annotations, { variant: 'b' });
  assert.deepEqual(
    [
      decision.queue?.[0]?.words,
      decision.batches?.[0]?.words,
      decision.degraded?.words,
      decision.shadows?.[0]?.words,
    ],
    [
      'waited 12.5 ms, then a backend took it: 7 of 10 places were taken, 2 by group ml; class 3 may fill 9',
      `one of 3 in batch ${batchId} of at most 8, sent after 4 ms because the wait for more was over`,
      'an answer 9 s old took the place of no_healthy_backend',
      'next: m2 at sim-d answered 200 against 200, 80 ms against 60, texts 12.5 % apart',
    ],
  );
});
