// Goal: a thread never decides on targets under the name of others, names are made late and once, and
// what is named is stored. Method: a thread that applies messages as the real one does, random changes
// of a fleet, turns of an event loop by hand; disks that fail on demand.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { present } from '../../base/assert.ts';
import { SnapshotDigester } from '../../core/decisions/snapshot-digester.ts';
import { settings, target } from '../../core/routing/fleet.test-support.ts';
import type { RoutingSettings, Target } from '../../core/routing/snapshot.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import { type NamedChange, SnapshotPublisher } from './snapshot-publisher.ts';

function digestOf(targets: readonly Target[], routing: RoutingSettings): string {
  return new SnapshotDigester(nodeCrypto.sha256Hex).digested({ targets, settings: routing }).digest;
}

/** What a gateway thread holds. */
class Thread {
  readonly targets = new Map<string, Target>();
  routing: RoutingSettings;
  digest: string;

  constructor(targets: Iterable<Target>, routing: RoutingSettings, digest: string) {
    for (const one of targets) this.targets.set(one.id, one);
    this.routing = routing;
    this.digest = digest;
  }

  apply({ remove, upsert, snapshotDigest }: NamedChange): void {
    for (const id of remove) this.targets.delete(id);
    for (const one of upsert) this.targets.set(one.id, one);
    this.digest = snapshotDigest;
  }

  get isNamedRight(): boolean {
    return this.digest === digestOf([...this.targets.values()], this.routing);
  }
}

/** A publisher with its threads, its files, and the fleet that it is told of. */
class Bench {
  readonly fleet = new Map<string, Target>();
  readonly files = new Map<string, string>();
  readonly sent: NamedChange[] = [];
  readonly troubles: unknown[] = [];
  readonly threads: Thread[] = [];
  readonly publisher: SnapshotPublisher;
  isDiskFull = false;
  written = 0;
  #version = 0;
  #routing = settings();
  #turn: (() => void)[] = [];

  constructor(isKept = true) {
    const put = (digest: string, text: string): void => {
      if (this.files.has(digest)) return;
      if (this.isDiskFull) throw new Error('no space');
      this.written++;
      this.files.set(digest, text);
    };
    this.publisher = new SnapshotPublisher(this.#routing, {
      put: isKept ? put : undefined,
      send: (change) => {
        this.sent.push(change);
        for (const thread of this.threads) thread.apply(change);
      },
      later: (work) => this.#turn.push(work),
      onTrouble: (error) => this.troubles.push(error),
    });
  }

  startThread(): Thread {
    const thread = new Thread(this.fleet.values(), this.#routing, this.publisher.digest());
    this.threads.push(thread);
    return thread;
  }

  change(upsert: readonly Target[], remove: readonly string[] = []): void {
    for (const id of remove) this.fleet.delete(id);
    for (const one of upsert) this.fleet.set(one.id, one);
    this.publisher.changed({ version: ++this.#version, upsert, remove });
  }

  reconfigure(routing: RoutingSettings): void {
    this.#routing = routing;
    const digest = this.publisher.reconfigured(routing);
    for (const thread of this.threads) {
      thread.routing = routing;
      thread.digest = digest;
    }
  }

  turn(): void {
    const work = this.#turn;
    this.#turn = [];
    for (const one of work) one();
  }
}

type Step = (bench: Bench) => void;

const ids = fc.constantFrom('a', 'b', 'c', 'd');
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(ids, fc.nat({ max: 3 }), fc.constantFrom(undefined, 'busy', 'warming')).map(
    ([id, priority, statusReason]): Step =>
      (bench) =>
        bench.change([target(id, { priority, statusReason })]),
  ),
  ids.map(
    (id): Step =>
      (bench) =>
        bench.change([], [id]),
  ),
  fc.constantFrom(1, 2, 3).map(
    (maxRetries): Step =>
      (bench) =>
        bench.reconfigure(settings({ maxRetries })),
  ),
  fc.constantFrom<Step>(
    (bench) => bench.turn(),
    (bench) => bench.publisher.settle(),
    (bench) => bench.publisher.open(),
    (bench) => void bench.startThread(),
  ),
);

holds(
  'a thread holds what its digest names, and after the turn what the fleet is (P1)',
  fc.property(fc.array(steps, { maxLength: 14 }), fc.array(steps, { maxLength: 14 }), (a, b) => {
    const bench = new Bench();
    bench.startThread();
    for (const step of a) step(bench);
    bench.publisher.open();
    for (const step of b) {
      step(bench);
      for (const thread of bench.threads) {
        assert.ok(thread.isNamedRight);
        assert.ok(bench.files.has(thread.digest), 'stored before anybody decides on it');
      }
    }
    bench.turn();
    for (const { targets } of bench.threads) assert.deepEqual(targets, bench.fleet);
  }),
  { runs: 200 },
);

describe('names are made late', () => {
  test('a start of 1000 backends is one document, sent when serving opens', () => {
    const bench = new Bench();
    const thread = bench.startThread();
    for (let i = 0; i < 1000; i++) {
      bench.change([target(`b${i}`)]);
      bench.turn();
    }
    bench.reconfigure(settings({ maxRetries: 1 }));
    assert.deepEqual([bench.files.size, bench.sent.length, thread.digest], [0, 0, '']);
    bench.publisher.open();
    assert.deepEqual([bench.sent.length, bench.sent[0]?.version], [1, 1000]);
    assert.equal(bench.files.size, 33, 'a root and its pages');
    assert.ok(thread.isNamedRight);
    bench.publisher.open();
    assert.equal(bench.sent.length, 1);
  });

  test('deltas of one turn are one change; what went and came again is both', () => {
    const bench = new Bench();
    const thread = bench.startThread();
    bench.publisher.open();
    bench.change([target('a'), target('b')]);
    bench.turn();
    const { written } = bench;
    bench.change([target('a', { priority: 1 })]);
    bench.change([], ['a', 'b']);
    bench.change([target('a', { priority: 2 })]);
    bench.turn();
    const { upsert, remove, version } = present(bench.sent.at(-1), 'a change');
    assert.deepEqual(
      [upsert.map(({ priority }) => priority), remove, version],
      [[2], ['a', 'b'], 4],
    );
    assert.deepEqual([bench.sent.length, bench.written - written], [3, 2]);
    assert.ok(thread.isNamedRight);
  });

  test('a state that was there before is neither written nor sent under another name', () => {
    const bench = new Bench();
    bench.publisher.open();
    const flap = (statusReason: 'busy' | undefined): number => {
      bench.change([target('a', { statusReason })]);
      bench.turn();
      return bench.written;
    };
    const first = flap(undefined);
    const second = flap('busy');
    assert.equal(second, first + 1, 'another standing is another root');
    assert.deepEqual([flap(undefined), flap('busy'), flap(undefined)], [second, second, second]);
    assert.equal(bench.sent.at(-1)?.snapshotDigest, bench.sent.at(-3)?.snapshotDigest);
  });

  test('without a decision log there are changes, and no names', () => {
    const bench = new Bench(false);
    const thread = bench.startThread();
    bench.publisher.open();
    bench.change([target('a')]);
    bench.turn();
    bench.reconfigure(settings());
    bench.publisher.keep();
    assert.deepEqual([...thread.targets.keys()], ['a']);
    assert.deepEqual([thread.digest, bench.publisher.digest()], ['', '']);
  });
});

describe('a document that cannot be stored', () => {
  test('is told, and stored with the next one, also when it is in force no more (P2)', () => {
    const bench = new Bench();
    bench.publisher.open();
    bench.isDiskFull = true;
    bench.change([target('a')]);
    bench.turn();
    const { snapshotDigest } = present(bench.sent.at(-1), 'a change');
    assert.deepEqual([bench.troubles.length, bench.files.has(snapshotDigest)], [1, false]);
    bench.isDiskFull = false;
    bench.change([target('a', { priority: 7 })]);
    bench.turn();
    assert.ok(bench.files.has(snapshotDigest));
  });

  test('is stored at the next look, and one that was removed comes back', () => {
    const bench = new Bench();
    bench.isDiskFull = true;
    bench.publisher.open();
    bench.isDiskFull = false;
    bench.publisher.keep();
    assert.ok(bench.files.has(bench.publisher.digest()));
    bench.files.clear();
    bench.publisher.keep();
    assert.ok(bench.files.has(bench.publisher.digest()));
  });

  test('leaves no root without its pages (P3)', () => {
    const bench = new Bench();
    for (let i = 0; i < 100; i++) bench.change([target(`b${i}`)]);
    bench.publisher.open();
    const [...names] = bench.files.keys();
    assert.equal(names.at(-1), bench.publisher.digest());
  });
});
