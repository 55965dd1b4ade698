// T10 (specification BR 6.3): the registry under load from four real threads while its owner writes.
// Method: the product's Fleet on this thread, its deltas over message ports to copies that the threads
// keep, their wishes back; afterwards every copy is what the owner has. Each within five seconds.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { BackendId } from '../../src/base/brand.ts';
import { instant } from '../../src/base/time.ts';
import type { Backend, BackendStatus, Model } from '../../src/core/backends/backend.ts';
import { buildSnapshot } from '../../src/core/routing/snapshot.ts';
import { Arena } from '../../src/io/shared-memory/arena.ts';
import { headerWords, slot as slotWord, slotWords } from '../../src/io/shared-memory/layout.ts';
import { ToldModels } from '../../src/services/gateway/told-models.ts';
import { Fleet } from '../../src/services/routing/fleet.ts';
import {
  Crew,
  type CrewAnswer,
  type CrewTask,
  crewSize,
  type Owner,
  type Wish,
} from './crew.test-support.ts';
import { modelOf, newBackend, routing } from './records.test-support.ts';

const limitMs = 5000;

/** A fleet, with a crew that follows it. */
class Scene {
  readonly arena = Arena.create({ capacity: 256, threads: crewSize });
  readonly fleet: Fleet;
  readonly crew = new Crew(routing);
  readonly #told = new ToldModels();
  #nowMs = 1_800_000_000_000;
  statuses = 0;

  constructor() {
    const events = {
      onDelta: (delta: Parameters<ToldModels['shortened']>[0]) =>
        this.crew.tell(this.#told.shortened(delta)),
      onStatus: () => {
        this.statuses += 1;
      },
    };
    this.fleet = new Fleet(this.arena, events, () => instant(this.#nowMs++));
    this.crew.all({ type: 'attach', parts: this.arena.parts });
  }

  get owner(): Owner {
    return {
      onWish: (wish) => this.grant(wish),
      onApplied: (thread, version) => this.fleet.acknowledged(thread, version),
    };
  }

  add(name: string, models: readonly Model[]): Backend {
    const facts = newBackend(name, { models });
    return this.fleet.insert(this.fleet.compose(name as BackendId, facts));
  }

  /** As a probe tells it. */
  probe(id: BackendId, status: BackendStatus, models?: readonly Model[]): void {
    const facts = {
      latencyMs: 5,
      models,
      capacity: undefined,
      metadata: undefined,
      runtime: undefined,
      busy: false,
    };
    const isGood = status === 'healthy' || models !== undefined;
    this.fleet.applyProbe(
      id,
      {
        status,
        statusReason: undefined,
        lastError: isGood ? undefined : 'connection failed: refused',
        facts: isGood ? facts : undefined,
      },
      instant(this.#nowMs++),
    );
  }

  /** What contested changes come to is decided by the order in which they arrive; errors are not. */
  grant(wish: Wish): void {
    if (wish.kind === 'status') {
      this.probe(wish.id as BackendId, wish.status);
      return;
    }
    const isThere = this.fleet.getBackend(wish.id as BackendId) !== undefined;
    try {
      if (wish.kind === 'add') this.add(wish.id, [modelOf('m'), modelOf('contested')]);
      else this.fleet.remove(wish.id);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : error;
      assert.equal(code, isThere ? 'duplicate_backend' : 'backend_not_found');
    }
  }

  /** Every copy holds what the owner holds, and nothing is left of any request. */
  verify(answers: readonly CrewAnswer[] = []): void {
    assert.deepEqual(
      answers.flatMap(({ faults }) => faults),
      [],
    );
    const snapshot = buildSnapshot(this.fleet.version, this.fleet.targets(), routing);
    const targets = snapshot.targets.map(({ id, status }) => ({ id, status }));
    const listed = [...snapshot.byModel].map(([id, list]) => [id, list.map((o) => o.target.id)]);
    for (const copy of this.crew.all({ type: 'tell' }, this.owner)) {
      assert.deepEqual(copy.targets, targets);
      assert.deepEqual(copy.offers, Object.fromEntries(listed));
    }
    const words = new Uint32Array(this.arena.parts.words);
    for (let slot = 0; slot < this.arena.parts.capacity; slot++) {
      const at = headerWords + slot * slotWords;
      assert.equal(words[at + slotWord.clampEvents], 0, `clamps of slot ${slot}`);
      assert.equal(this.arena.pendingOf(slot), 0, `leases of slot ${slot}`);
    }
  }
}

const scene = new Scene();
const names = Array.from({ length: 100 }, (_, i) => `b${String(i).padStart(3, '0')}`);
for (const name of names) scene.add(name, [modelOf('m'), modelOf(`own-${name}`)]);
after(() => scene.crew.end());

test('10 000 looks at backends by all threads at once, while the owner writes', {
  timeout: limitMs,
}, () => {
  let at = 0;
  const meanwhile = (): void => {
    const name = names[at++ % names.length] as BackendId;
    scene.probe(name, at % 2 === 0 ? 'healthy' : 'unhealthy');
  };
  const times = 10_000 / crewSize / names.length;
  const answers = scene.crew.all({ type: 'get', ids: names, times }, { ...scene.owner, meanwhile });
  assert.deepEqual(
    answers.map(({ counts }) => counts[0]),
    new Array<number>(crewSize).fill(10_000 / crewSize),
  );
  scene.verify(answers);
});

test('100 readers of 100 looks and 50 writers of 100 changes of status on 10 backends', {
  timeout: limitMs,
}, () => {
  const ten = names.slice(0, 10);
  const before = scene.statuses;
  // In each of four rounds two threads are readers and two are writers; then they change places.
  const rounds = 4;
  const looks = (100 * 100) / rounds / 2 / ten.length;
  const changes = (50 * 100) / rounds / 2;
  for (let round = 0; round < rounds; round++) {
    const tasks = Array.from({ length: crewSize }, (_, thread): CrewTask => {
      if ((thread + round) % 2 === 0) return { type: 'get', ids: ten, times: looks };
      const wishes = Array.from({ length: changes }, (_, i): Wish => {
        const status = (Math.floor(i / 10) + round) % 2 === 0 ? 'healthy' : 'unhealthy';
        return { kind: 'status', id: ten[(i + thread) % 10] as string, status };
      });
      return { type: 'change', wishes };
    });
    const answers = scene.crew.run(tasks, scene.owner);
    const found = answers.flatMap(({ counts }, i) => (tasks[i]?.type === 'get' ? counts : []));
    assert.deepEqual(found, [looks * ten.length, looks * ten.length]);
    const faults = answers.flatMap((answer) => answer.faults);
    assert.deepEqual(faults, []);
  }
  assert.ok(scene.statuses > before);
  scene.verify();
});

test('100 times one contested id is added and removed: the last one wins, and its index is whole', {
  timeout: limitMs,
}, () => {
  const each = 100 / crewSize;
  const wishes = Array.from({ length: each }, (): readonly Wish[] => [
    { kind: 'add', id: 'contested' },
    { kind: 'remove', id: 'contested' },
  ]).flat();
  const answers = scene.crew.all({ type: 'change', wishes, leaseOf: 'contested' }, scene.owner);
  scene.verify(answers);
  // Slots were given back and taken again, each only after every thread had forgotten the last one.
  scene.grant({ kind: 'add', id: 'contested' });
  scene.verify();
  scene.grant({ kind: 'remove', id: 'contested' });
  scene.verify();
});

test('200 readers of 100 lists of a model, while models come and go on 10 backends', {
  timeout: limitMs,
}, () => {
  const ten = names.slice(0, 10) as BackendId[];
  const ids = ['x', 'y', 'z'];
  const lists = (step: number, place: number): readonly Model[] => {
    // The first three backends keep one of the models each, so that none is ever without.
    const kept = ids.filter((_, i) => i === place);
    const more = ids.filter((_, i) => i !== place && (step + place + i) % 3 === 0);
    return [...kept, ...more].map((id) => modelOf(id));
  };
  ten.forEach((id, place) => {
    scene.probe(id, 'healthy', lists(0, place));
  });
  scene.verify();
  let step = 0;
  const meanwhile = (): void => {
    step++;
    const place = step % ten.length;
    scene.probe(ten[place] as BackendId, 'healthy', lists(Math.floor(step / 10), place));
  };
  const times = (200 * 100) / crewSize;
  const task = { type: 'offers', modelIds: ids, times } as const;
  const answers = scene.crew.all(task, { ...scene.owner, meanwhile });
  assert.deepEqual(
    answers.map(({ counts }) => counts[0]),
    new Array<number>(crewSize).fill(times * ids.length),
  );
  assert.ok(step > 10, `the owner changed ${step} lists`);
  scene.verify(answers);
});
