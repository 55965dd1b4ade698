// One thread of bench registry: it keeps a copy of the fleet by messages on its event loop, as a
// gateway thread does, and does what it is told: look up backends, watch a status, change counters.
import { parentPort, workerData } from 'node:worker_threads';
import { present } from '../../src/base/assert.ts';
import { SnapshotReplica, type TargetsDelta } from '../../src/core/routing/snapshot-replica.ts';
import { Arena, type ArenaHandle, type ArenaParts } from '../../src/io/shared-memory/arena.ts';
import { waitForAll } from '../../src/io/shared-memory/testing/threads.ts';
import { routing } from './fleets.ts';

export type ThreadTask = {
  readonly thread: number;
  readonly parts: ArenaParts;
  /** Words: 0 the gate of a round, 1 whoever hammers goes on, 2 the status that is looked for. */
  readonly words: SharedArrayBuffer;
};

export type ToThread =
  | { readonly type: 'delta'; readonly delta: TargetsDelta }
  /** Looks up each of these, once all `threads` threads are there. */
  | { readonly type: 'read'; readonly ids: readonly string[]; readonly threads: number }
  /** Takes and gives back leases of these until word 1 is 0. */
  | { readonly type: 'hammer'; readonly handles: readonly ArenaHandle[] }
  /** Tells when the status of each of these turned to 2 (unhealthy), one after the other. */
  | { readonly type: 'watch'; readonly slots: readonly number[] };

/** Nanoseconds of the machine's monotonic clock, which all threads share. */
export type FromThread =
  | { readonly type: 'ready' }
  | { readonly type: 'applied'; readonly version: number; readonly at: bigint; readonly us: number }
  | { readonly type: 'read'; readonly began: bigint; readonly ended: bigint }
  | { readonly type: 'hammered'; readonly operations: number }
  | { readonly type: 'watched'; readonly at: readonly bigint[] };

const { thread, parts, words: buffer } = workerData as ThreadTask;
const port = present(parentPort, 'a thread of the benchmark runs as a worker');
const arena = new Arena(parts);
const words = new Int32Array(buffer);
const replica = new SnapshotReplica(routing);
const unhealthyCode = 2;

function send(message: FromThread): void {
  port.postMessage(message);
}

function read(ids: readonly string[], threads: number): void {
  waitForAll(words, 0, threads);
  const began = process.hrtime.bigint();
  let found = 0;
  for (const id of ids) {
    const target = replica.target(id);
    if (target !== undefined && arena.read(target) !== undefined) found += 1;
  }
  const ended = process.hrtime.bigint();
  if (found !== ids.length) throw new Error(`${found} of ${ids.length} backends were found`);
  send({ type: 'read', began, ended });
}

function hammer(handles: readonly ArenaHandle[]): void {
  let operations = 0;
  while (Atomics.load(words, 1) !== 0) {
    for (const handle of handles) {
      arena.increment(handle, thread);
      arena.decrement(handle, thread);
    }
    operations += 2 * handles.length;
  }
  send({ type: 'hammered', operations });
}

/** Word 2 says how many of them this thread waits for, so that the writer waits for it. */
function watch(slots: readonly number[]): void {
  const at: bigint[] = [];
  for (const slot of slots) {
    Atomics.add(words, 2, 1);
    while (arena.statusCode(slot) !== unhealthyCode);
    at.push(process.hrtime.bigint());
  }
  send({ type: 'watched', at });
}

port.on('message', (message: ToThread) => {
  switch (message.type) {
    case 'delta': {
      const began = performance.now();
      replica.apply(message.delta);
      const us = (performance.now() - began) * 1000;
      const { version } = message.delta;
      send({ type: 'applied', version, at: process.hrtime.bigint(), us });
      return;
    }
    case 'read':
      return read(message.ids, message.threads);
    case 'hammer':
      return hammer(message.handles);
    case 'watch':
      return watch(message.slots);
  }
});
send({ type: 'ready' });
