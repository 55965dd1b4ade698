// The gateway threads, seen from the control thread: started together, told every change, listened
// to, replaced when one dies. What a dead thread held in the arena is taken back.

import { Worker } from 'node:worker_threads';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { SealedSegment } from '../../io/segments/segment-writer.ts';
import type { Arena } from '../../io/shared-memory/arena.ts';
import type { BreakerMoved } from './breakers.ts';
import type { FromThread, ThreadReport, ThreadStart, ToThread } from './messages.ts';

export type ThreadPoolPorts = {
  readonly arena: Arena;
  /** What a thread that starts now must know. */
  readonly startOf: (thread: number) => ThreadStart;
  readonly onReport: (report: ThreadReport) => void;
  readonly onApplied: (thread: number, version: number) => void;
  /** The desk has notices of unreachable backends. */
  readonly onNotices: () => void;
  readonly onBreaker: (moved: BreakerMoved) => void;
  readonly onSealed: (sealed: SealedSegment) => void;
  readonly onTrouble: (thread: number, words: string) => void;
  /** The thread is gone, and its successor has not begun. */
  readonly release: (thread: number) => void;
  readonly onDied: (thread: number, words: string, reclaimed: number) => void;
};

const entry = new URL('./thread-entry.ts', import.meta.url);

/** A thread that dies is started again, at most this often in its life. */
const restartsMax = 20;
/** How long figures wait for a thread to report. */
const flushPatienceMs = 200;
/** How long a reader of the decision log waits for the newest records to be on disk. */
const journalPatienceMs = 2000;

type Flush = { readonly waiting: Set<number>; readonly done: () => void };

type Member = { worker: Worker; restarts: number; isServing: boolean };

export class ThreadPool {
  readonly #ports: ThreadPoolPorts;
  readonly #members: Member[] = [];
  #stopping = false;
  readonly #flushes = new Map<number, Flush>();
  #flushCount = 0;
  readonly #lost: Promise<string>;
  #giveUp: (words: string) => void = () => {};
  readonly #drained = new Map<number, (cut: number) => void>();

  constructor(ports: ThreadPoolPorts) {
    this.#ports = ports;
    this.#lost = new Promise((resolve) => {
      this.#giveUp = resolve;
    });
  }

  /** Resolves with words when a thread keeps dying: there is no point in going on. */
  get lost(): Promise<string> {
    return this.#lost;
  }

  get size(): number {
    return this.#members.length;
  }

  /** Threads that listen now. */
  get serving(): number {
    return this.#members.filter(({ isServing }) => isServing).length;
  }

  /** Resolves with the bound port once every thread listens. */
  async start(count: number): Promise<number> {
    const first = await this.#spawn(0);
    const rest = Array.from({ length: count - 1 }, (_, i) => this.#spawn(i + 1));
    await Promise.all(rest);
    return first;
  }

  #spawn(thread: number): Promise<number> {
    const worker = new Worker(entry, {
      workerData: this.#ports.startOf(thread),
      name: `gateway-${thread}`,
      resourceLimits: { maxYoungGenerationSizeMb: 16 },
    });
    const member = this.#members[thread];
    if (member === undefined) this.#members[thread] = { worker, restarts: 0, isServing: false };
    else member.worker = worker;
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromThread) => {
        if (message.type === 'listening') {
          this.#setServing(thread, true);
          resolve(message.port);
        } else if (message.type === 'fatal') {
          reject(new TensorForgeError('internal_error', `gateway thread: ${message.words}`));
        } else this.#onMessage(message);
      });
      let cause: string | undefined;
      worker.on('error', (error: unknown) => {
        cause = error instanceof Error ? error.message : 'unknown';
      });
      worker.on('exit', (code) => {
        // Only now does it touch nothing any more; one that was killed had no error before.
        if (!this.#stopping) this.#onDeath(thread, cause ?? `it ended with code ${code}`);
        reject(new TensorForgeError('internal_error', `a gateway thread ended with code ${code}`));
        // Whoever waits for this thread to drain hears that there is nothing left to wait for.
        this.#drained.get(thread)?.(0);
        for (const id of [...this.#flushes.keys()]) this.#flushed(thread, id);
        if (!this.#stopping && code !== 0) this.#onExit(thread);
      });
    });
  }

  #setServing(thread: number, isServing: boolean): void {
    const member = this.#members[thread];
    if (member !== undefined) member.isServing = isServing;
  }

  #onMessage(message: Exclude<FromThread, { type: 'listening' | 'fatal' }>): void {
    switch (message.type) {
      case 'applied':
        this.#ports.onApplied(message.thread, message.version);
        return;
      case 'notices':
        this.#ports.onNotices();
        return;
      case 'breaker':
        this.#ports.onBreaker(message);
        return;
      case 'sealed':
        this.#ports.onSealed(message);
        return;
      case 'trouble':
        this.#ports.onTrouble(message.thread, message.words);
        return;
      case 'report':
        this.#ports.onReport(message);
        return;
      case 'flushed':
        this.#flushed(message.thread, message.id);
        return;
      case 'drained':
        this.#drained.get(message.thread)?.(message.cut);
        return;
    }
  }

  #onDeath(thread: number, words: string): void {
    this.#setServing(thread, false);
    const reclaimed = this.#ports.arena.reclaimThread(thread);
    this.#ports.onDied(thread, words, reclaimed);
  }

  #onExit(thread: number): void {
    const member = this.#members[thread];
    if (member === undefined) return;
    if (member.restarts >= restartsMax) {
      this.#giveUp(`gateway thread ${thread} died ${restartsMax + 1} times`);
      return;
    }
    member.restarts++;
    this.#ports.release(thread);
    // The new thread starts from the present state; a failure of it comes back here.
    this.#spawn(thread).catch(() => undefined);
  }

  broadcast(message: ToThread): void {
    for (const { worker } of this.#members) worker.postMessage(message);
  }

  /**
   * Resolves when every thread has reported what it had counted at this moment, so that a reader of
   * figures sees its own requests; with the journal also when its decisions are on disk. Bounded: a
   * thread that is busy for longer is not waited for.
   */
  flush(withJournal = false): Promise<void> {
    return this.#flush(withJournal, withJournal ? journalPatienceMs : flushPatienceMs);
  }

  /**
   * Resolves when every thread has taken in what it was sent before this call, and has written down
   * what it held then, or cannot write for now. However long that takes: for whoever must not miss
   * anything. A thread that ends meanwhile is not waited for.
   */
  written(): Promise<void> {
    return this.#flush(true, undefined);
  }

  #flush(withJournal: boolean, patienceMs: number | undefined): Promise<void> {
    const id = this.#flushCount++;
    return new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#flushes.delete(id);
        resolve();
      };
      const timer = patienceMs === undefined ? undefined : setTimeout(done, patienceMs);
      this.#flushes.set(id, { waiting: new Set(this.#members.keys()), done });
      this.broadcast({ type: 'flush', id, withJournal });
    });
  }

  #flushed(thread: number, id: number): void {
    const flush = this.#flushes.get(id);
    if (flush === undefined) return;
    flush.waiting.delete(thread);
    if (flush.waiting.size === 0) flush.done();
  }

  /** Lets running requests finish within `graceMs`, then cuts; the number of requests cut. */
  async drain(graceMs: number): Promise<number> {
    this.#stopping = true;
    const ends = this.#members.map(
      (_, thread) => new Promise<number>((resolve) => this.#drained.set(thread, resolve)),
    );
    this.broadcast({ type: 'drain', graceMs });
    const cuts = await Promise.all(ends);
    return cuts.reduce((sum, cut) => sum + cut, 0);
  }

  async terminate(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#members.map(({ worker }) => worker.terminate()));
  }
}
