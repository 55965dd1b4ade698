// Four real threads that are started once and do one task after the other, each case from a barrier:
// what a test says of "concurrent" happens on them. They attach to the arena and keep a copy of the
// fleet by the deltas of its owner, with the classes of the product. The owner is the thread of the
// test; what a thread wants changed it asks of the owner, as a gateway thread does.
//
// All is synchronous: tasks and deltas travel through message ports that are read without the event
// loop, and both sides wait on words of shared memory, so that a case takes microseconds.

import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';
import type { RoutingSettings } from '../../src/core/routing/snapshot.ts';
import type { TargetsDelta } from '../../src/core/routing/snapshot-replica.ts';
import type { ArenaHandle, ArenaParts } from '../../src/io/shared-memory/arena.ts';

export const crewSize = 4;

/** Words that the crew and the test share. */
export const gateWord = { round: 0, arrived: 1, done: 2 } as const;
export const gateWords = 3;

export type CrewTask =
  | { readonly type: 'attach'; readonly parts: ArenaParts }
  /** `+` counts up, `-` down, at the arena; the answers are the values. */
  | { readonly type: 'count'; readonly handle: ArenaHandle; readonly steps: string }
  /** `+` takes a lease, `-` gives the newest back, `=` gives it back again; answers those held. */
  | { readonly type: 'lease'; readonly handle: ArenaHandle; readonly steps: string }
  | { readonly type: 'measure'; readonly handle: ArenaHandle; readonly samples: readonly number[] }
  /** Looks up each of these by id, so often. */
  | { readonly type: 'get'; readonly ids: readonly string[]; readonly times: number }
  /** Looks up the offers of each of these models, so often. */
  | { readonly type: 'offers'; readonly modelIds: readonly string[]; readonly times: number }
  /** Asks the owner for changes, one after the other, and reads meanwhile. */
  | { readonly type: 'change'; readonly wishes: readonly Wish[]; readonly leaseOf?: string }
  /** Tells what its copy holds. */
  | { readonly type: 'tell' };

/** What a thread wants the owner to do. */
export type Wish =
  | { readonly kind: 'status'; readonly id: string; readonly status: 'healthy' | 'unhealthy' }
  | { readonly kind: 'add' | 'remove'; readonly id: string };

export type CrewAnswer = {
  readonly counts: readonly number[];
  /** What was not as it must be, in words; at most ten. */
  readonly faults: readonly string[];
  readonly targets: readonly { readonly id: string; readonly status: string }[];
  /** Model -> backends. */
  readonly offers: Readonly<Record<string, readonly string[]>>;
};

export type FromCrew =
  | { readonly type: 'answer'; readonly answer: CrewAnswer }
  | { readonly type: 'failed'; readonly words: string }
  | { readonly type: 'wish'; readonly wish: Wish }
  | { readonly type: 'applied'; readonly version: number };

export type CrewStart = {
  readonly thread: number;
  readonly port: MessagePort;
  readonly gate: SharedArrayBuffer;
  readonly settings: RoutingSettings;
};

export type Owner = {
  readonly onWish?: (wish: Wish) => void;
  readonly onApplied?: (thread: number, version: number) => void;
  /** Between two looks at the crew. */
  readonly meanwhile?: () => void;
};

const workerFile = new URL('./crew-worker.test-support.ts', import.meta.url);
const lookEveryMs = 0.2;

export class Crew {
  readonly #gate = new Int32Array(new SharedArrayBuffer(4 * gateWords));
  readonly #ports: readonly MessagePort[];
  readonly #workers: readonly Worker[];
  #rounds = 0;

  constructor(settings: RoutingSettings) {
    const channels = Array.from({ length: crewSize }, () => new MessageChannel());
    this.#ports = channels.map(({ port1 }) => port1);
    this.#workers = channels.map(({ port2 }, thread) => {
      const workerData: CrewStart = { thread, port: port2, gate: this.#buffer, settings };
      return new Worker(workerFile, { workerData, transferList: [port2] });
    });
  }

  get #buffer(): SharedArrayBuffer {
    return this.#gate.buffer as SharedArrayBuffer;
  }

  /** A change of the fleet, to all. */
  tell(delta: TargetsDelta): void {
    for (const port of this.#ports) port.postMessage(delta);
  }

  /**
   * Every thread does its task; they begin together. Throws when they are not done within `limitMs`,
   * and what a thread threw.
   */
  run(tasks: readonly CrewTask[], owner: Owner = {}, limitMs = 5000): readonly CrewAnswer[] {
    const deadline = performance.now() + limitMs;
    tasks.forEach((task, thread) => {
      this.#ports[thread]?.postMessage(task);
    });
    this.#rounds++;
    Atomics.add(this.#gate, gateWord.round, 1);
    Atomics.notify(this.#gate, gateWord.round);
    const answers: CrewAnswer[] = [];
    const wanted = this.#rounds * crewSize;
    for (;;) {
      const done = Atomics.load(this.#gate, gateWord.done);
      this.#read(owner, answers);
      if (done === wanted) return answers;
      owner.meanwhile?.();
      if (performance.now() > deadline) throw new Error(`the crew is not done in ${limitMs} ms`);
      Atomics.wait(this.#gate, gateWord.done, done, lookEveryMs);
    }
  }

  /** The same task for all. */
  all(task: CrewTask, owner: Owner = {}): readonly CrewAnswer[] {
    return this.run(new Array<CrewTask>(crewSize).fill(task), owner);
  }

  #read(owner: Owner, answers: CrewAnswer[]): void {
    for (const [thread, port] of this.#ports.entries()) {
      for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
        const message: FromCrew = next.message;
        if (message.type === 'answer') answers[thread] = message.answer;
        else if (message.type === 'wish') owner.onWish?.(message.wish);
        else if (message.type === 'applied') owner.onApplied?.(thread, message.version);
        else throw new Error(`thread ${thread}: ${message.words}`);
      }
    }
  }

  async end(): Promise<void> {
    for (const port of this.#ports) port.close();
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
