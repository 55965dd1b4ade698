// The wires between the nodes. Two kinds of traffic run on them, as in the product's world:
// messages, each on its own, which may be lost, delayed, doubled and overtaken; and connections,
// on which bytes arrive in order or not at all, so that a lost packet is only a later one.
//
//   N1  Undisturbed wires keep the order of each pair of nodes.
//   N2  What was sent to a node that has crashed since is never delivered to its next life.
//   N3  Nothing passes between two parts of a partition.

import type { Chance } from './chance.ts';
import type { FaultKind } from './faults.ts';
import type { Timeline } from './timeline.ts';

type Disturbance = 'message_lost' | 'message_delayed' | 'message_duplicated' | 'message_reordered';

/** What retransmission costs a connection, ms. */
const retransmitMs = 200;

export class Network {
  readonly #timeline: Timeline;
  readonly #chance: Chance;
  readonly #count: (kind: FaultKind) => void;
  readonly #nodes: number;
  readonly #lives: number[];
  readonly #lastArrival: Float64Array;
  /** When the latest of those that may be overtaken arrives. */
  readonly #lateArrival: Float64Array;
  readonly #severed: Uint8Array;
  readonly #disturbed = new Set<Disturbance>();

  constructor(timeline: Timeline, chance: Chance, nodes: number, count: (kind: FaultKind) => void) {
    this.#timeline = timeline;
    this.#chance = chance;
    this.#count = count;
    this.#nodes = nodes;
    this.#lives = new Array<number>(nodes).fill(0);
    this.#lastArrival = new Float64Array(nodes * nodes);
    this.#lateArrival = new Float64Array(nodes * nodes);
    this.#severed = new Uint8Array(nodes * nodes);
  }

  disturb(how: Disturbance, isOn: boolean): void {
    if (isOn) this.#disturbed.add(how);
    else this.#disturbed.delete(how);
  }

  /** Cuts `some` from all other nodes, or heals every cut. */
  partition(some: readonly number[]): void {
    this.#severed.fill(0);
    for (const inside of some) {
      for (let outside = 0; outside < this.#nodes; outside++) {
        if (some.includes(outside)) continue;
        this.#severed[inside * this.#nodes + outside] = 1;
        this.#severed[outside * this.#nodes + inside] = 1;
      }
    }
  }

  isSevered(from: number, to: number): boolean {
    return this.#severed[from * this.#nodes + to] === 1;
  }

  /** The node starts another life: what is under way to it is lost (N2). */
  restarted(node: number): void {
    this.#lives[node] = (this.#lives[node] ?? 0) + 1;
  }

  /** A message on its own. */
  send(from: number, to: number, name: string, deliver: () => void): void {
    if (this.isSevered(from, to)) return;
    if (this.#disturbed.has('message_lost') && this.#chance.hits(0.3)) {
      this.#count('message_lost');
      return;
    }
    this.#deliver(from, to, this.#delayMs(from, to, true), name, deliver);
    if (this.#disturbed.has('message_duplicated') && this.#chance.hits(0.3)) {
      this.#count('message_duplicated');
      const laterMs = this.#delayMs(from, to, true) + this.#chance.between(0, 40);
      this.#deliver(from, to, laterMs, name, deliver);
    }
  }

  /** Bytes on a connection. Within a partition they wait until the receiver loses patience. */
  sendBytes(from: number, to: number, name: string, deliver: () => void): void {
    if (this.isSevered(from, to)) return;
    let delayMs = this.#delayMs(from, to, false);
    if (this.#disturbed.has('message_lost') && this.#chance.hits(0.1)) {
      this.#count('message_lost');
      delayMs += retransmitMs;
    }
    this.#deliver(from, to, delayMs, name, deliver);
  }

  #delayMs(from: number, to: number, mayOvertake: boolean): number {
    let delayMs = this.#chance.between(1, 3);
    if (this.#disturbed.has('message_delayed') && this.#chance.hits(0.3)) {
      this.#count('message_delayed');
      delayMs += this.#chance.between(50, 800);
    }
    const now = this.#timeline.now;
    const pair = from * this.#nodes + to;
    if (!mayOvertake) return this.#inOrder(pair, now + delayMs) - now;
    const late = this.#lateArrival[pair] ?? 0;
    if (this.#disturbed.has('message_reordered') && this.#chance.hits(0.3)) {
      delayMs += this.#chance.between(0, 3000);
      this.#lateArrival[pair] = Math.max(late, now + delayMs);
      return delayMs;
    }
    const arrival = this.#inOrder(pair, now + delayMs);
    if (arrival < late) this.#count('message_reordered');
    return arrival - now;
  }

  /** The arrival of what keeps the order of its pair (N1). */
  #inOrder(pair: number, earliest: number): number {
    const arrival = Math.max(this.#lastArrival[pair] ?? 0, earliest);
    this.#lastArrival[pair] = arrival;
    return arrival;
  }

  #deliver(from: number, to: number, delayMs: number, name: string, deliver: () => void): void {
    const life = this.#lives[to];
    this.#timeline.after(delayMs, name, () => {
      if (this.#lives[to] === life && !this.isSevered(from, to)) deliver();
    });
  }
}
