// What every node of a world stands on: time, wires, chance, the parts it is made of, and the
// checkers that watch it. Nodes know each other only through what is handed to them.

import type { Checkers } from '../checkers/checkers.ts';
import type { Conduct, Parts } from '../parts.ts';
import { Chance } from './chance.ts';
import type { FaultKind } from './faults.ts';
import type { Network } from './network.ts';
import type { NodeClock } from './node-clock.ts';
import type { Timeline } from './timeline.ts';

export const controlNode = 0;
export const gatewayCount = 3;
/** Node of gateway thread `thread`, 0 to 2. */
export function gatewayNode(thread: number): number {
  return 1 + thread;
}
/** Node of backend `index`. */
export function backendNode(index: number): number {
  return 1 + gatewayCount + index;
}
export const backendCount = 10;
export const nodeCount = backendNode(backendCount);

/** One stream of chance per concern; the number is its place in the seed. */
const concerns = {
  network: 0,
  database: 1,
  clients: 2,
  backends: 3,
  control: 4,
  plan: 5,
  disks: 6,
  deployments: 7,
  gateways: 8,
  probes: 9,
} as const;

export type Ground = {
  readonly seed: number;
  readonly timeline: Timeline;
  readonly network: Network;
  readonly parts: Parts;
  readonly conduct: Conduct;
  readonly watch: Checkers;
  /** By node: the control node and the gateways. */
  readonly clocks: readonly NodeClock[];
  readonly count: (kind: FaultKind) => void;
};

export function chanceOf(seed: number, concern: keyof typeof concerns): Chance {
  return new Chance(seed, concerns[concern]);
}

/** Unix ms as `node` believes. */
export function wallOf(ground: Ground, node: number): number {
  const clock = ground.clocks[node];
  return clock === undefined ? 0 : clock.wallMs(ground.timeline.now);
}

/** Monotonic ms of `node`. */
export function monotonicOf(ground: Ground, node: number): number {
  const clock = ground.clocks[node];
  return clock === undefined ? 0 : clock.monotonicMs(ground.timeline.now);
}

/** A line of a node's log; an error fails the seed. */
export function log(ground: Ground, level: 'info' | 'warn' | 'error', words: string): void {
  ground.timeline.note(`${level}: ${words}`);
  ground.watch.security.logged(words);
  ground.watch.traffic.logged(level, words);
}
