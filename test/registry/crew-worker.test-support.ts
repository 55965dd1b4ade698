// One thread of crew.test-support.ts.

import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { assert, present } from '../../src/base/assert.ts';
import { SnapshotReplica, type TargetsDelta } from '../../src/core/routing/snapshot-replica.ts';
import { Arena } from '../../src/io/shared-memory/arena.ts';
import { statusCodes } from '../../src/io/shared-memory/layout.ts';
import { BackendLease } from '../../src/services/gateway/backend-lease.ts';
import {
  type CrewAnswer,
  type CrewStart,
  type CrewTask,
  crewSize,
  type FromCrew,
  gateWord,
} from './crew.test-support.ts';

const { thread, port, gate: buffer, settings } = workerData as CrewStart;
const gate = new Int32Array(buffer);
const faultsMax = 10;

class Hand {
  readonly #replica = new SnapshotReplica(settings);
  #arena: Arena | undefined;
  #leases: BackendLease[] = [];
  #faults: string[] = [];
  #version = 0;

  #send(message: FromCrew): void {
    port.postMessage(message);
  }

  /** Reads what has come; answers with the task, if there is one. */
  pump(): CrewTask | undefined {
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
      const message: CrewTask | TargetsDelta = next.message;
      if ('type' in message) return message;
      this.#replica.apply(message);
      this.#check(message.version > this.#version, `version ${message.version} came late`);
      this.#version = message.version;
      this.#send({ type: 'applied', version: message.version });
    }
    return undefined;
  }

  perform(task: CrewTask): void {
    this.#faults = [];
    try {
      const counts = this.#do(task);
      this.#send({ type: 'answer', answer: this.#answer(counts, task.type === 'tell') });
    } catch (error) {
      this.#send({ type: 'failed', words: error instanceof Error ? `${error.stack}` : 'unknown' });
    }
  }

  #answer(counts: readonly number[], isWhole: boolean): CrewAnswer {
    const { targets, byModel } = this.#replica.snapshot;
    const offers = [...byModel].map(([id, list]) => [id, list.map(({ target }) => target.id)]);
    return {
      counts,
      faults: this.#faults,
      targets: isWhole ? targets.map(({ id, status }) => ({ id, status })) : [],
      offers: isWhole ? Object.fromEntries(offers) : {},
    };
  }

  #check(isSo: boolean, words: string): void {
    if (!isSo && this.#faults.length < faultsMax) this.#faults.push(`thread ${thread}: ${words}`);
  }

  get #memory(): Arena {
    return present(this.#arena, 'the arena of the crew');
  }

  #do(task: CrewTask): readonly number[] {
    switch (task.type) {
      case 'attach':
        this.#arena = new Arena(task.parts);
        this.#leases = [];
        return [];
      case 'count':
        return [...task.steps].map((step) =>
          step === '+'
            ? (this.#memory.increment(task.handle, thread) ?? Number.NaN)
            : (this.#memory.decrement(task.handle, thread) ?? Number.NaN),
        );
      case 'lease':
        return this.#lease(task);
      case 'measure':
        for (const ms of task.samples) this.#memory.recordProbeLatency(task.handle, ms);
        return [];
      case 'get':
        return this.#get(task);
      case 'offers':
        return this.#offers(task);
      case 'change':
        return this.#change(task);
      case 'tell':
        return [];
    }
  }

  #lease({ handle, steps }: Extract<CrewTask, { type: 'lease' }>): readonly number[] {
    const held: BackendLease[] = [];
    let last: BackendLease | undefined;
    for (const step of steps) {
      if (step === '+')
        held.push(present(BackendLease.take(this.#memory, handle, thread, 0), 'a lease'));
      else if (step === '-') last = held.pop() ?? last;
      if (step !== '+') this.#check(last?.release() !== true, 'a lease was clamped');
    }
    this.#leases.push(...held);
    return [held.length];
  }

  /** One backend as a request would see it: the record is whole, and its counters are there. */
  #look(id: string): boolean {
    const target = this.#replica.target(id);
    if (target === undefined) return false;
    this.#check(target.id === id, `${id} is ${target.id}`);
    const counters = this.#memory.read(target);
    if (counters !== undefined) {
      const code = this.#memory.statusCode(target.slot);
      this.#check(
        Object.values(statusCodes).some((known) => known === code),
        `status ${code}`,
      );
      this.#check(counters.pendingRequests < 1000, `${counters.pendingRequests} pending`);
    }
    // I5: list and index are of one moment.
    for (const { id: modelId } of target.models) {
      const offers = this.#replica.snapshot.byModel.get(modelId) ?? [];
      this.#check(
        offers.some((offer) => offer.target === target),
        `${id} is not under ${modelId}`,
      );
    }
    return true;
  }

  #get({ ids, times }: Extract<CrewTask, { type: 'get' }>): readonly number[] {
    let found = 0;
    for (let time = 0; time < times; time++) {
      assert(this.pump() === undefined, 'a task within a task');
      for (const id of ids) found += this.#look(id) ? 1 : 0;
    }
    return [found];
  }

  #offers({ modelIds, times }: Extract<CrewTask, { type: 'offers' }>): readonly number[] {
    let found = 0;
    for (let time = 0; time < times; time++) {
      this.pump();
      for (const id of modelIds) {
        const offers = this.#replica.snapshot.byModel.get(id) ?? [];
        found += offers.length > 0 ? 1 : 0;
        for (const [i, { target, model }] of offers.entries()) {
          this.#check(model.id === id, `${model.id} under ${id}`);
          this.#check(target.models.includes(model), `${target.id} does not list ${id}`);
          const before = offers[i - 1];
          this.#check(before === undefined || before.target.id < target.id, 'out of order');
        }
      }
    }
    return [found];
  }

  /** Takes a lease of a backend for as long as its wish is on the way, if it knows that backend. */
  #change({ wishes, leaseOf }: Extract<CrewTask, { type: 'change' }>): readonly number[] {
    let leases = 0;
    for (const wish of wishes) {
      const target = leaseOf === undefined ? undefined : this.#replica.target(leaseOf);
      const lease = target && BackendLease.take(this.#memory, target, thread, 0);
      leases += lease === undefined ? 0 : 1;
      this.#send({ type: 'wish', wish });
      this.pump();
      this.#look(wish.id);
      this.#check(lease?.release() !== true, 'a lease was clamped');
    }
    return [leases];
  }
}

function waitFor(word: number, least: number): void {
  for (let now = Atomics.load(gate, word); now < least; now = Atomics.load(gate, word)) {
    Atomics.wait(gate, word, now, 1000);
  }
}

const hand = new Hand();
for (let round = 1; ; round++) {
  waitFor(gateWord.round, round);
  const task = hand.pump();
  Atomics.add(gate, gateWord.arrived, 1);
  Atomics.notify(gate, gateWord.arrived);
  waitFor(gateWord.arrived, round * crewSize);
  if (task !== undefined) hand.perform(task);
  Atomics.add(gate, gateWord.done, 1);
  Atomics.notify(gate, gateWord.done);
}
