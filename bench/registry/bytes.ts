// How many bytes a backend takes with the owner and one thread's copy, measured in a process of its own
// (`node --expose-gc bytes.ts SHAPE`): heap after a forced collection, over that before, and the arena.
import { isMainThread } from 'node:worker_threads';
import { SnapshotReplica } from '../../src/core/routing/snapshot-replica.ts';
import { SnapshotPublisher } from '../../src/services/resilience/snapshot-publisher.ts';
import { backendCount, buildFleet, routing, shapes } from './fleets.ts';

export type Bytes = {
  readonly owner: number;
  readonly copy: number;
  readonly arena: number;
  /** What the decision log keeps besides, to name states of the fleet. */
  readonly log: number;
};

function heap(): number {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('run with --expose-gc');
  for (let i = 0; i < 3; i++) gc();
  return process.memoryUsage().heapUsed;
}

function measure(): Bytes {
  const shape = shapes.find((name) => name === process.argv[2]);
  if (shape === undefined) throw new Error(`no shape ${process.argv[2]}`);
  const before = heap();
  const { fleet, arena } = buildFleet({ shape });
  const withOwner = heap();
  const replica = new SnapshotReplica(routing);
  // Over a thread's border, in one message for each backend.
  for (const target of fleet.targets()) {
    replica.apply({ version: 1, upsert: [structuredClone(target)], remove: [] });
  }
  const withCopy = heap();
  const publisher = new SnapshotPublisher(routing, {
    put: () => {},
    send: () => {},
    later: (work) => work(),
    onTrouble: () => {},
  });
  publisher.changed({ version: 1, upsert: fleet.targets(), remove: [] });
  publisher.open();
  const withLog = heap();
  const { words, ledger } = arena.parts;
  const each = (bytes: number): number => Math.round(bytes / backendCount);
  // Still in use when the last figure was taken.
  if (replica.snapshot.targets.length + fleet.modelCount + publisher.digest().length === 0) throw 0;
  return {
    owner: each(withOwner - before),
    copy: each(withCopy - withOwner),
    arena: each(words.byteLength + ledger.byteLength),
    log: each(withLog - withCopy),
  };
}

if (isMainThread) process.stdout.write(JSON.stringify(measure()));
