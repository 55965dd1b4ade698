// One seed from its beginning to its verdict.

import { logReaders } from './checkers/log.ts';
import { type CheckerName, demand, Violation } from './checkers/violation.ts';
import { Chance } from './environment/chance.ts';
import type { FaultCounts } from './environment/faults.ts';
import { worldEndMs } from './environment/span.ts';
import { World, type WorldOptions } from './world.ts';

type Failure = {
  readonly checker: CheckerName;
  readonly words: string;
  readonly step: number;
  readonly virtualMs: number;
  /** The newest steps, oldest first. */
  readonly recent: readonly string[];
};

export type SeedReport = {
  readonly seed: number;
  readonly virtualMs: number;
  readonly steps: number;
  readonly requests: number;
  readonly answered: number;
  /** Decisions that were made again from the log, each as recorded. */
  readonly decisions: number;
  readonly struck: number;
  readonly faults: FaultCounts;
  readonly failure: Failure | undefined;
};

/** What the issue asks of every seed. */
const virtualMsMin = 600_000;
const requestsMin = 2000;
const faultsMin = 20;

/** Everything that must hold once the world has come to rest; the number of decisions made again. */
function judgeEnd(world: World): number {
  const { watch, seed } = world.ground;
  watch.traffic.atEnd(world.requests);
  const life = world.control.life;
  demand('calm', life !== undefined, () => 'the control node is down');
  if (life === undefined) return 0;
  const copies = world.gateways.map(({ copy }) => copy);
  for (const [thread, copy] of copies.entries()) {
    demand('calm', copy?.version === life.fleet.version, () => {
      return `thread ${thread} is at version ${copy?.version}, the fleet at ${life.fleet.version}`;
    });
  }
  const keys = [...world.control.rows.keys.keys()].sort().join();
  for (const { thread, keyIds } of world.gateways) {
    demand('calm', keyIds.join() === keys, () => `thread ${thread} knows the keys ${keyIds}`);
  }
  for (const { id, status } of life.fleet.backends) {
    demand('calm', status === 'healthy', () => `${id} is ${status}`);
  }
  const histories = [life.fleet.history, ...copies.map((copy) => copy?.history ?? [])];
  watch.replay.atEnd(histories, new Chance(seed, 400));
  watch.policy.atEnd(world.database.events, life.mode.mode);
  watch.security.atEnd(
    world.database.events,
    world.streams.flatMap(({ disk }) => disk.contents()),
  );
  const readers = logReaders((digest) => world.store.snapshotOf(digest));
  let decisions = 0;
  for (const { name, disk } of world.streams) {
    const found = watch.log.atEnd(name, disk.segments(), readers);
    decisions += found.decisions;
  }
  demand('hardness', world.requests >= requestsMin, () => `only ${world.requests} requests`);
  demand('hardness', world.struck >= faultsMin, () => `only ${world.struck} faults struck`);
  demand('hardness', world.ground.timeline.now >= virtualMsMin, () => 'the world ended too early');
  return decisions;
}

/** Anything thrown is a finding: of a checker, or an assertion of the product itself. */
function failureOf(world: World, error: unknown): Failure {
  const { timeline } = world.ground;
  const isViolation = error instanceof Violation;
  return {
    checker: isViolation ? error.checker : 'no-error',
    words: isViolation
      ? error.message
      : error instanceof Error
        ? String(error.stack)
        : String(error),
    step: timeline.steps,
    virtualMs: timeline.now,
    recent: timeline.recent(),
  };
}

export function runSeed(seed: number, options: WorldOptions = {}): SeedReport {
  const world = new World(seed, options);
  let failure: Failure | undefined;
  let decisions = 0;
  try {
    world.run();
    decisions = judgeEnd(world);
  } catch (error) {
    failure = failureOf(world, error);
  }
  return {
    seed,
    virtualMs: failure === undefined ? worldEndMs : world.ground.timeline.now,
    steps: world.ground.timeline.steps,
    requests: world.requests,
    answered: world.ground.watch.traffic.answered,
    decisions,
    struck: world.struck,
    faults: world.counts,
    failure,
  };
}
