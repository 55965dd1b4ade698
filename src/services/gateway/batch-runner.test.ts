// Goal: lines are asked as the lane allows and answered once each, whatever becomes of the store, the
// key, the clock or the process. Method: a runner over a store in memory that can fail, answers that the
// test gives, and a clock that the test turns.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { instant } from '../../base/time.ts';
import { ContentFolder } from '../../io/files/content-folder.ts';
import type {
  BatchStore,
  LineResult,
  StatusChange,
  StoredBatch,
} from '../../io/postgres/inference-batch-store.ts';
import { BatchRunner, type RunnerPorts } from './batch-runner.ts';
import type { LineCall, SentAnswer } from './batch-sender.ts';

const folder = mkdtempSync(join(tmpdir(), 'tf-runner-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const endpoint = '/v1/chat/completions';

function inputOf(batchId: string): string {
  return `file-${Buffer.from(batchId).toString('hex').padEnd(24, '0')}`;
}

/** Inputs come from memory, so that reading them takes turns of the event loop and no time. */
class Inputs extends ContentFolder {
  readonly texts = new Map<string, string>();

  override read(id: string, byte = 0): Readable {
    const text = this.texts.get(id);
    return text === undefined
      ? super.read(id, byte)
      : Readable.from([Buffer.from(text.slice(byte))]);
  }
}

const contents = new Inputs(folder);
const startMs = 1_000_000;

function lineOf(label: string): string {
  const body = { model: 'm', label };
  return JSON.stringify({ custom_id: label, method: 'POST', url: endpoint, body });
}

function batch(batchId: string, groupName = 'red'): StoredBatch {
  const none = undefined;
  return {
    batchId,
    groupName,
    keyId: 'key_a',
    endpoint,
    inputFileId: inputOf(batchId),
    metadata: none,
    status: 'validating',
    errors: none,
    total: 0,
    completed: 0,
    failed: 0,
    cursor: { line: 0, byte: 0 },
    outputFileId: none,
    errorFileId: none,
    createdAt: instant(startMs),
    expiresAt: instant(startMs + 86_400_000),
    inProgressAt: none,
    finalizingAt: none,
    completedAt: none,
    failedAt: none,
    expiredAt: none,
    cancellingAt: none,
    cancelledAt: none,
  };
}

/** What PostgreSQL keeps, with its rules: an answer counts once, a change comes from where it may. */
class MemoryStore implements BatchStore {
  readonly batches = new Map<string, StoredBatch>();
  readonly lines = new Map<string, LineResult[]>();
  isAway = false;

  #check(): void {
    if (this.isAway) throw new Error('the database is away');
  }

  async add(): Promise<'added'> {
    return 'added';
  }

  async get(_group: string | undefined, batchId: string): Promise<StoredBatch | undefined> {
    this.#check();
    return this.batches.get(batchId);
  }

  async list() {
    return { items: [], hasMore: false };
  }

  async open(): Promise<readonly StoredBatch[]> {
    const open = ['validating', 'in_progress', 'finalizing', 'cancelling'];
    return [...this.batches.values()].filter(({ status }) => open.includes(status));
  }

  async move(change: StatusChange): Promise<StoredBatch | undefined> {
    this.#check();
    const found = this.batches.get(change.batchId);
    if (found === undefined || !change.from.includes(found.status)) return undefined;
    const moved: StoredBatch = {
      ...found,
      status: change.to,
      total: change.total ?? found.total,
      errors: change.errors ?? found.errors,
      outputFileId: change.files?.output?.fileId,
      errorFileId: change.files?.error?.fileId,
    };
    this.batches.set(change.batchId, moved);
    return moved;
  }

  async record(batchId: string, results: readonly LineResult[], cursor: StoredBatch['cursor']) {
    this.#check();
    const found = this.batches.get(batchId);
    if (found === undefined) return undefined;
    const lines = this.lines.get(batchId) ?? [];
    const fresh = results.filter(({ line }) => lines.every((known) => known.line !== line));
    this.lines.set(batchId, [...lines, ...fresh]);
    const failed = fresh.filter(({ isError }) => isError).length;
    const counted = {
      ...found,
      cursor,
      completed: found.completed + fresh.length - failed,
      failed: found.failed + failed,
    };
    this.batches.set(batchId, counted);
    return counted;
  }

  async answered(batchId: string, line: number): Promise<readonly number[]> {
    const lines = this.lines.get(batchId) ?? [];
    return lines.filter((one) => one.line >= line).map((one) => one.line);
  }

  async *results(batchId: string) {
    yield [...(this.lines.get(batchId) ?? [])].sort((a, b) => a.line - b.line);
  }
}

type Question = LineCall & { readonly label: string; readonly answer: (told: SentAnswer) => void };

class Bench {
  readonly store: MemoryStore;
  readonly runner: BatchRunner;
  /** What was asked and not answered. */
  readonly open: Question[] = [];
  readonly askedLabels: string[] = [];
  readonly load = { waiting: 0, isOpen: true };
  isKeyGood = true;
  nowMs = startMs;

  constructor(store = new MemoryStore(), more: Partial<RunnerPorts> = {}) {
    this.store = store;
    this.runner = new BatchRunner({
      store,
      contents,
      send: (call) => this.#send(call),
      isKeyGood: () => this.isKeyGood,
      modelsOf: () => () => undefined,
      load: () => this.load,
      isStopping: () => false,
      now: () => instant(this.nowMs),
      monotonicMs: () => this.nowMs,
      newLineId: () => 'batch_req_1',
      linesMax: 4,
      keyLinesMax: 4,
      onFailed: () => {},
      ...more,
    });
  }

  #send(call: LineCall): Promise<SentAnswer> {
    const { label } = JSON.parse(call.body) as { label: string };
    this.askedLabels.push(label);
    return new Promise((resolve) => this.open.push({ ...call, label, answer: resolve }));
  }

  make(id: string, labels: readonly string[], group = 'red'): void {
    contents.texts.set(inputOf(id), `${labels.map(lineOf).join('\n')}\n`);
    const made = batch(id, group);
    this.store.batches.set(id, made);
    this.runner.created(made);
  }

  /** Turns the clock by one tick and lets everything settle that needs no answer. */
  async tick(ms = 250): Promise<void> {
    this.nowMs += ms;
    this.runner.tick();
    await settled();
  }

  /** Ticks until `holds`; the clock is turned by the first hundred ticks only. */
  async until(what: string, holds: () => boolean, ms = 0): Promise<void> {
    const deadlineMs = performance.now() + 60_000;
    for (let i = 0; !holds(); i++) {
      const told = JSON.stringify([...this.store.batches.values()]);
      assert.ok(performance.now() < deadlineMs, `never: ${what}; ${told}`);
      await this.tick(i < 100 ? ms : 0);
    }
  }

  asked(count: number): Promise<void> {
    return this.until(`${count} lines are asked`, () => this.open.length >= count, 250);
  }

  answer(status = 200, mayRetry = true, retryAfterMs = 0, place = 0): string {
    const [next] = this.open.splice(place, 1);
    assert.ok(next !== undefined, 'a line is under way');
    const body = JSON.stringify({ label: next.label });
    const answer = { kind: 'answered', status, mayRetry } as const;
    next.answer({ answer, requestId: 'r', body, retryAfterMs });
    return next.label;
  }

  status(id: string): StoredBatch['status'] | undefined {
    return this.store.batches.get(id)?.status;
  }

  /** The custom ids of a file that a batch ended with. */
  ids(fileId: string | undefined): readonly string[] {
    if (fileId === undefined) return [];
    const text = readFileSync(join(folder, fileId), 'utf8').trimEnd();
    return text.split('\n').map((one) => String(JSON.parse(one).custom_id));
  }
}

/** Lets what waits for files and for each other go on; no time passes for the runner. */
async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

const broken: SentAnswer = {
  answer: { kind: 'broken' },
  requestId: '',
  body: '',
  retryAfterMs: 0,
};

test('a batch is validated, asked and ended, and the lane decides how many run at once', async () => {
  const bench = new Bench();
  bench.make('b', ['a', 'b', 'c', 'd', 'e', 'f']);
  await bench.asked(4);
  await bench.tick();
  assert.equal(bench.open.length, 4);
  for (let i = 0; i < 6; i++) {
    await bench.asked(1);
    bench.answer(i === 2 ? 400 : 200, false);
  }
  await bench.until('it ends', () => bench.status('b') === 'completed');
  const ended = bench.store.batches.get('b');
  assert.deepEqual([ended?.completed, ended?.failed], [5, 1]);
  assert.equal(bench.ids(ended?.outputFileId).length, 5);
  assert.equal(bench.ids(ended?.errorFileId).length, 1);
  assert.deepEqual([...bench.askedLabels].sort(), ['a', 'b', 'c', 'd', 'e', 'f']);
});

test('while somebody waits nothing is started', async () => {
  const bench = new Bench();
  bench.load.waiting = 1;
  bench.make('b', ['a', 'b']);
  for (let i = 0; i < 20; i++) await bench.tick();
  assert.equal(bench.open.length, 0);
  bench.load.waiting = 0;
  await bench.asked(1);
  await bench.runner.stop();
});

test('what was written is not asked again by the next process, and what was not is', async () => {
  const first = new Bench();
  first.make('b', ['a', 'b', 'c', 'd']);
  await first.asked(2);
  // Not the first one, so that the input is read again from before it.
  const written = first.answer(200, true, 0, 1);
  await first.until('one is written', () => first.store.lines.get('b')?.length === 1);
  const lost = first.answer();
  first.store.isAway = true;
  await settled();
  const store = new MemoryStore();
  for (const [id, one] of first.store.batches) store.batches.set(id, one);
  for (const [id, lines] of first.store.lines) store.lines.set(id, lines);
  const next = new Bench(store);
  await next.runner.start();
  const again: string[] = [];
  const left = 4 - (store.lines.get('b')?.length ?? 0);
  for (let i = 0; i < left; i++) {
    await next.asked(1);
    again.push(next.answer());
  }
  await next.until('it ends', () => next.status('b') === 'completed');
  assert.ok(!again.includes(written));
  assert.ok(again.includes(lost), 'what was told and not written is asked again');
  assert.deepEqual(next.ids(store.batches.get('b')?.outputFileId), ['a', 'b', 'c', 'd']);
  await first.runner.stop();
});

test('answers wait for a store that is away, and none is lost', async () => {
  const bench = new Bench();
  bench.make('b', ['a', 'b']);
  await bench.asked(1);
  bench.store.isAway = true;
  bench.answer();
  await bench.asked(1);
  bench.answer();
  for (let i = 0; i < 10; i++) await bench.tick();
  bench.store.isAway = false;
  await bench.until('it ends', () => bench.status('b') === 'completed');
  assert.deepEqual(bench.askedLabels, ['a', 'b']);
});

test('a line that finds no room, or whose thread is gone, is asked again until it is answered', async () => {
  const bench = new Bench();
  bench.make('b', ['a']);
  for (const told of [503, 429, 0]) {
    await bench.asked(1);
    const next = bench.open[0];
    if (told > 0) bench.answer(told);
    else bench.open.shift()?.answer(broken);
    await settled();
    assert.equal(bench.open.length, 0, `${next?.label} rests first`);
  }
  await bench.asked(1);
  bench.answer();
  await bench.until('it ends', () => bench.status('b') === 'completed');
  assert.equal(bench.askedLabels.length, 4);
});

test('a batch whose key has reached a limit rests as long as it is told to', async () => {
  const bench = new Bench();
  bench.make('b', ['a']);
  await bench.asked(1);
  bench.answer(429, true, 5000);
  await settled();
  await bench.tick(4999);
  assert.equal(bench.open.length, 0);
  await bench.tick(1);
  await bench.asked(1);
  bench.answer();
  await bench.until('it ends', () => bench.status('b') === 'completed');
});

test('when the key is gone the rest ends without being asked', async () => {
  const bench = new Bench();
  bench.make('b', ['a', 'b', 'c']);
  await bench.asked(1);
  bench.isKeyGood = false;
  bench.answer(401, false);
  await bench.until('it ends', () => bench.status('b') === 'completed');
  const ended = bench.store.batches.get('b');
  assert.deepEqual(bench.ids(ended?.errorFileId), ['a', 'b', 'c']);
  assert.ok(bench.store.lines.get('b')?.every(({ text }) => text.includes('"key_revoked"')));
});

test('at the end of its window a batch keeps what is done and tells what is not', async () => {
  const bench = new Bench();
  bench.make('b', ['a', 'b', 'c']);
  await bench.asked(1);
  const done = bench.answer();
  await bench.until('one is written', () => bench.store.lines.get('b')?.length === 1);
  await bench.asked(1);
  const [underWay] = bench.open;
  await bench.tick(86_400_000);
  await bench.until('it ends', () => bench.status('b') === 'expired');
  assert.ok(underWay?.signal.aborted);
  const ended = bench.store.batches.get('b');
  assert.deepEqual(bench.ids(ended?.outputFileId), [done]);
  assert.deepEqual(bench.ids(ended?.errorFileId), ['b', 'c']);
  assert.ok(readFileSync(join(folder, ended?.errorFileId ?? ''), 'utf8').includes('batch_expired'));
});

test('a cancelled batch ends what is under way and keeps what was answered', async () => {
  const bench = new Bench();
  bench.make('b', ['a', 'b', 'c']);
  await bench.asked(1);
  bench.answer();
  await bench.asked(1);
  const [underWay] = bench.open;
  const from = ['validating', 'in_progress'] as const;
  const at = instant(bench.nowMs);
  const change = { batchId: 'b', from, to: 'cancelling', at, event: undefined } as const;
  const moved = await bench.store.move(change);
  assert.ok(moved !== undefined);
  await bench.runner.cancelled(moved);
  await bench.until('it ends', () => bench.status('b') === 'cancelled');
  assert.ok(underWay?.signal.aborted);
  assert.deepEqual(bench.ids(bench.store.batches.get('b')?.outputFileId), ['a']);
});

test('of two groups each has its turn, however many batches one of them has', async () => {
  const bench = new Bench();
  bench.load.isOpen = false;
  const ids = ['red-1', 'green', 'red-2', 'red-3'];
  const labels = (id: string) => Array.from({ length: 9 }, (_, i) => `${id}-${i}`);
  for (const id of ids) bench.make(id, labels(id), id.slice(0, 3));
  await bench.until('all run', () => ids.every((id) => bench.status(id) === 'in_progress'));
  // Time to read ahead, while nothing may start.
  for (let i = 0; i < 20; i++) await bench.tick();
  bench.load.isOpen = true;
  await bench.asked(4);
  const green = bench.open.filter(({ label }) => label.startsWith('green'));
  assert.equal(green.length, 2);
  await bench.runner.stop();
});

test('the lines of one key leave room for its other requests', async () => {
  const bench = new Bench(undefined, { keyLinesMax: 2 });
  bench.make('b', ['a', 'b', 'c', 'd']);
  await bench.asked(2);
  for (let i = 0; i < 20; i++) await bench.tick();
  assert.equal(bench.open.length, 2);
  await bench.runner.stop();
});

test('an input that is gone fails its batch', async () => {
  const bench = new Bench();
  const gone = batch('gone');
  bench.store.batches.set('gone', gone);
  bench.runner.created(gone);
  await bench.until('it ends', () => bench.status('gone') === 'failed');
  assert.equal(bench.store.batches.get('gone')?.errors?.[0]?.code, 'input_unreadable');
});
