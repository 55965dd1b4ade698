// Goal: invariants L1 to L5, and that a load which is not known is never taken for an idle engine.
// Method: a clock in the test's hands; readings end when the test says so.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { seededRandom } from '../../base/random.ts';
import { instant } from '../../base/time.ts';
import type { Backend } from '../../core/backends/backend.ts';
import type { EngineLoad } from '../../core/backends/engine-load.ts';
import type { Scrape } from './adapters/scrape-backend.ts';
import { backendFixture, TestClock } from './lifecycle.test-support.ts';
import { LoadScraper, type LoadScraperOptions, readingsMissed } from './load-scraper.ts';

const intervalMs = 5_000;
const busy: Scrape = { kind: 'reading', load: { running: 3, waiting: 1, kvUse: 0.5 } };

class Scene {
  readonly clock = new TestClock();
  readonly backends = new Map<string, Backend>();
  /** What the next readings answer; a missing one stays outstanding until `finish`. */
  readonly answers = new Map<string, Scrape | Error>();
  readonly pending: { readonly id: string; readonly finish: (scrape: Scrape) => void }[] = [];
  readonly set: {
    readonly id: string;
    readonly load: EngineLoad | undefined;
    readonly at: number;
  }[] = [];
  readonly asked: { readonly id: string; readonly at: number }[] = [];
  readonly errors: unknown[] = [];
  readonly scraper: LoadScraper;

  constructor(more: Partial<LoadScraperOptions> = {}) {
    this.scraper = new LoadScraper({
      listBackends: () => [...this.backends.values()],
      setLoad: (id, load) => this.set.push({ id, load, at: this.clock.monotonicMs() }),
      clock: this.clock,
      random: seededRandom(3),
      scrape: ({ id }) => this.#scrape(id),
      intervalMs,
      onReaderError: (_id, error) => this.errors.push(error),
      ...more,
    });
  }

  #scrape(id: string): Promise<Scrape> {
    this.asked.push({ id, at: this.clock.monotonicMs() });
    const answer = this.answers.get(id);
    if (answer instanceof Error) return Promise.reject(answer);
    if (answer !== undefined) return Promise.resolve(answer);
    return new Promise((resolve) => this.pending.push({ id, finish: resolve }));
  }

  add(name: string, more: Partial<Backend> = {}): void {
    const url = `http://10.0.0.1/${name}`;
    const backend = backendFixture(name, { backendType: 'vllm', url, ...more });
    this.backends.set(name, backend);
  }

  count(id: string): number {
    return this.asked.filter((one) => one.id === id).length;
  }

  lastLoad(id: string): EngineLoad | undefined {
    return this.set.findLast((one) => one.id === id)?.load;
  }
}

test('a reading is set with its time, and the next one comes after an interval', async () => {
  const scene = new Scene();
  scene.add('a');
  scene.answers.set('a', busy);
  scene.scraper.start();
  await scene.clock.advance(intervalMs);
  assert.equal(scene.count('a'), 1);
  const load = scene.lastLoad('a');
  assert.deepEqual([load?.running, load?.waiting, load?.kvUse], [3, 1, 0.5]);
  assert.equal(load?.readAt, instant(1_700_000_000_000 + (scene.asked[0]?.at ?? 0)));
  await scene.clock.advance(60_000);
  assert.ok(scene.count('a') >= 11 && scene.count('a') <= 14, `${scene.count('a')} readings`);
});

test('L2 only healthy, approved engines of our own are asked, and a change is noticed by itself', async () => {
  const scene = new Scene();
  scene.add('ill', { status: 'unhealthy' });
  scene.add('unknown', { status: 'unknown' });
  scene.add('draining', { status: 'draining' });
  scene.add('pending', { approved: false });
  scene.add('cloud', { backendType: 'openai' });
  for (const id of scene.backends.keys()) scene.answers.set(id, busy);
  scene.scraper.start();
  await scene.clock.advance(60_000);
  assert.deepEqual(scene.asked, []);
  scene.add('ill', { status: 'healthy' });
  await scene.clock.advance(intervalMs);
  assert.equal(scene.count('ill'), 1);
});

test('first readings are spread over one interval', async () => {
  const scene = new Scene();
  for (let i = 0; i < 100; i++) {
    scene.add(`b${i}`);
    scene.answers.set(`b${i}`, busy);
  }
  scene.scraper.start();
  await scene.clock.advance(intervalMs);
  const perTenth = Array.from({ length: 10 }, (_, tenth) => {
    const from = (tenth * intervalMs) / 10;
    return scene.asked.filter(({ at }) => at >= from && at < from + intervalMs / 10).length;
  });
  assert.ok(Math.max(...perTenth) <= 25, perTenth.join(' '));
});

test('L1 one outstanding reading per backend, at most the concurrency in all', async () => {
  const scene = new Scene({ concurrency: 2 });
  for (const id of ['a', 'b', 'c']) scene.add(id);
  scene.scraper.start();
  await scene.clock.advance(4 * intervalMs);
  assert.equal(scene.asked.length, 2);
  assert.equal(scene.scraper.outstanding, 2);
  scene.pending.shift()?.finish(busy);
  await turn();
  assert.equal(scene.asked.length, 3, 'the place that was freed is taken at once');
  assert.equal(new Set(scene.asked.map(({ id }) => id)).size, 3);
});

test('servers that hang keep nobody out: what is longest overdue comes first', async () => {
  const scene = new Scene({ concurrency: 1 });
  for (const id of ['a', 'b', 'c', 'd']) scene.add(id);
  scene.scraper.start();
  await scene.clock.advance(2 * intervalMs);
  for (let i = 0; i < 7; i++) {
    scene.pending.shift()?.finish({ kind: 'failed' });
    await scene.clock.advance(2 * intervalMs);
  }
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((id) => scene.count(id)),
    [2, 2, 2, 2],
  );
});

test('L4 three intervals without a good reading, and it is not known any more', async () => {
  const scene = new Scene();
  scene.add('a');
  scene.answers.set('a', busy);
  scene.scraper.start();
  await scene.clock.advance(intervalMs);
  const goodAt = scene.set.at(-1)?.at ?? 0;
  scene.answers.set('a', { kind: 'failed' });
  await scene.clock.advance(10 * intervalMs);
  const cleared = scene.set.at(-1);
  assert.equal(cleared?.load, undefined);
  const afterMs = (cleared?.at ?? 0) - goodAt;
  assert.ok(afterMs >= readingsMissed * intervalMs && afterMs <= (readingsMissed + 1) * intervalMs);
  assert.equal(scene.set.filter(({ load }) => load === undefined).length, 1, 'told once');
});

test('L4 a backend that fell ill and is asked no more is cleared as well', async () => {
  const scene = new Scene();
  scene.add('a');
  scene.answers.set('a', busy);
  scene.scraper.start();
  await scene.clock.advance(intervalMs);
  scene.add('a', { status: 'unhealthy' });
  await scene.clock.advance((readingsMissed + 1) * intervalMs);
  assert.equal(scene.lastLoad('a'), undefined);
});

test('a server without metrics is asked again after ten minutes only', async () => {
  const scene = new Scene();
  scene.add('a');
  scene.answers.set('a', { kind: 'absent' });
  scene.scraper.start();
  await scene.clock.advance(intervalMs);
  assert.equal(scene.count('a'), 1);
  await scene.clock.advance(530_000);
  assert.equal(scene.count('a'), 1);
  await scene.clock.advance(140_000);
  assert.equal(scene.count('a'), 2);
  assert.deepEqual(scene.set, [], 'nothing was known, nothing is cleared');
});

test('L3 a reading of one who is gone, ill or another by now is dropped', async () => {
  const gone = (scene: Scene): void => void scene.backends.delete('a');
  const ill = (scene: Scene): void => scene.add('a', { status: 'unhealthy' });
  const moved = (scene: Scene): void => scene.add('a', { url: 'http://10.0.0.2' });
  for (const change of [gone, ill, moved]) {
    const scene = new Scene();
    scene.add('a');
    scene.scraper.start();
    await scene.clock.advance(intervalMs);
    change(scene);
    scene.pending.shift()?.finish(busy);
    await turn();
    assert.deepEqual(scene.set, []);
  }
});

test('L3 another backend in the same place does not inherit a load', async () => {
  const scene = new Scene();
  scene.add('a');
  scene.answers.set('a', busy);
  scene.scraper.start();
  await scene.clock.advance(intervalMs);
  scene.answers.set('a', { kind: 'failed' });
  scene.add('a', { url: 'http://10.0.0.2' });
  await scene.clock.advance(intervalMs);
  assert.equal(scene.lastLoad('a'), undefined);
});

test('a reader that throws is told of, and counts as missed', async () => {
  const scene = new Scene();
  scene.add('a');
  scene.answers.set('a', new Error('bug'));
  scene.scraper.start();
  await scene.clock.advance(2 * intervalMs);
  assert.ok(scene.errors.length >= 1);
  assert.deepEqual(scene.set, []);
});

test('L5 after the stop nothing is set and nothing asked', async () => {
  const scene = new Scene();
  scene.add('a');
  scene.scraper.start();
  await scene.clock.advance(intervalMs);
  const stopped = scene.scraper.stop();
  scene.pending.shift()?.finish(busy);
  await stopped;
  await scene.clock.advance(60_000);
  assert.deepEqual(scene.set, []);
  assert.equal(scene.asked.length, 1);
  assert.equal(scene.clock.timers.size, 0);
});

test('an interval of 0 reads nothing', async () => {
  const scene = new Scene({ intervalMs: 0 });
  scene.add('a');
  scene.scraper.start();
  await scene.clock.advance(60_000);
  assert.deepEqual([scene.asked.length, scene.clock.timers.size], [0, 0]);
});
