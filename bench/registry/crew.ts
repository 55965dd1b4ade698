// The threads of bench registry, seen from the owner: what it tells them and what they measured.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { TargetsDelta } from '../../src/core/routing/snapshot-replica.ts';
import type { ArenaHandle, ArenaParts } from '../../src/io/shared-memory/arena.ts';
import type { FromThread, ThreadTask, ToThread } from './thread.ts';

const file = new URL('./thread.ts', import.meta.url);

export type Applied = { readonly at: bigint; readonly us: number };

type Answer<Type extends FromThread['type']> = Extract<FromThread, { readonly type: Type }>;

export class Crew {
  readonly #workers: readonly Worker[];
  readonly #words = new Int32Array(new SharedArrayBuffer(12));

  private constructor(parts: ArenaParts, threads: number) {
    const words = this.#words.buffer;
    if (!(words instanceof SharedArrayBuffer)) throw new Error('the words are not shared');
    this.#workers = Array.from({ length: threads }, (_, thread) => {
      const workerData: ThreadTask = { thread, parts, words };
      return new Worker(file, { workerData });
    });
    for (const worker of this.#workers) worker.setMaxListeners(0);
  }

  static async start(parts: ArenaParts, threads: number): Promise<Crew> {
    const crew = new Crew(parts, threads);
    await crew.#answers('ready');
    return crew;
  }

  async #answer<Type extends FromThread['type']>(
    worker: Worker,
    type: Type,
  ): Promise<Answer<Type>> {
    for (;;) {
      const [message] = (await once(worker, 'message')) as [FromThread];
      if (message.type === type) return message as Answer<Type>;
    }
  }

  #answers<Type extends FromThread['type']>(type: Type): Promise<readonly Answer<Type>[]> {
    return Promise.all(this.#workers.map((worker) => this.#answer(worker, type)));
  }

  #tell(message: ToThread): void {
    for (const worker of this.#workers) worker.postMessage(message);
  }

  /** Tells a change; resolves when each thread has it, with the time at which each had it. */
  async apply(delta: TargetsDelta): Promise<readonly Applied[]> {
    const applied = this.#answers('applied');
    this.#tell({ type: 'delta', delta });
    return await applied;
  }

  /** All threads look these up at the same time; ms from the first begin to the last end. */
  async read(idsOf: (thread: number) => readonly string[]): Promise<number> {
    Atomics.store(this.#words, 0, 0);
    const answers = this.#answers('read');
    const threads = this.#workers.length;
    for (const [thread, worker] of this.#workers.entries()) {
      worker.postMessage({ type: 'read', ids: idsOf(thread), threads } satisfies ToThread);
    }
    const times = await answers;
    const began = times.map((time) => time.began).reduce((a, b) => (a < b ? a : b));
    const ended = times.map((time) => time.ended).reduce((a, b) => (a > b ? a : b));
    return Number(ended - began) / 1e6;
  }

  /** Runs the body while one thread changes counters of these backends as fast as it can. */
  async hammered<Result>(
    handles: readonly ArenaHandle[],
    body: () => Result | Promise<Result>,
  ): Promise<Result> {
    const [worker] = this.#workers;
    if (worker === undefined) throw new Error('nobody to hammer');
    Atomics.store(this.#words, 1, 1);
    const ended = this.#answer(worker, 'hammered');
    worker.postMessage({ type: 'hammer', handles } satisfies ToThread);
    try {
      return await body();
    } finally {
      Atomics.store(this.#words, 1, 0);
      await ended;
    }
  }

  /** ns from just before `change` of each slot until a thread that looks for it sees it. */
  async seen(
    slots: readonly number[],
    change: (place: number) => void,
  ): Promise<readonly number[]> {
    const [worker] = this.#workers;
    if (worker === undefined) throw new Error('nobody to watch');
    Atomics.store(this.#words, 2, 0);
    const watched = this.#answer(worker, 'watched');
    worker.postMessage({ type: 'watch', slots } satisfies ToThread);
    const begun: bigint[] = [];
    for (const place of slots.keys()) {
      while (Atomics.load(this.#words, 2) <= place) Atomics.pause();
      begun.push(process.hrtime.bigint());
      change(place);
    }
    const { at } = await watched;
    return at.map((time, place) => Number(time - (begun[place] ?? time)));
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
