// One world: three gateways, a control node, ten backends, a database, disks, wires and clients, all
// on virtual time and in one thread. It lives through a phase in which faults strike and a quiet one
// in which all of them end and everything must come to rest.
//
//   0 ────────── faults ────────── 450 s ──── quiet, requests go on ──── 640 s ─ silence ─ 660 s

import { newCheckers } from './checkers/checkers.ts';
import { Chance } from './environment/chance.ts';
import { VirtualDatabase } from './environment/database.ts';
import { planFaults } from './environment/fault-plan.ts';
import { noFaults } from './environment/faults.ts';
import {
  backendCount,
  chanceOf,
  controlNode,
  type Ground,
  gatewayCount,
  gatewayNode,
  nodeCount,
} from './environment/ground.ts';
import { Network } from './environment/network.ts';
import { NodeClock } from './environment/node-clock.ts';
import { worldEndMs } from './environment/span.ts';
import { Timeline } from './environment/timeline.ts';
import type { Arrival } from './nodes/arrival.ts';
import { drawBackends, SimBackend } from './nodes/backend.ts';
import { ClientPlan, firstKeys, shortTtlSeconds } from './nodes/clients.ts';
import { ControlNode, type Rows } from './nodes/control.ts';
import { DecisionStream } from './nodes/decision-stream.ts';
import { Gateway } from './nodes/gateway.ts';
import { admin, settingsOf, viewer } from './nodes/operators.ts';
import { SnapshotStore } from './nodes/snapshot-store.ts';
import { type Conduct, type Parts, productionConduct, productionParts } from './parts.ts';
import { Striker } from './striker.ts';

const faultsEndMs = 450_000;
const arrivalsEndMs = 640_000;

/** What the disks have taken by the end is finished; no block is offered any more. */
const diskGraceMs = 1000;
/** Requests a second in the phase of faults. */
const stormRate = 3.5;
const requestsWanted = 2010;

export type WorldOptions = {
  readonly parts?: Partial<Parts>;
  readonly conduct?: Partial<Conduct>;
  /** Hears every step. */
  readonly say?: (line: string) => void;
};

export class World {
  readonly ground: Ground;
  readonly backends: ReadonlyMap<string, SimBackend>;
  readonly database: VirtualDatabase;
  readonly store = new SnapshotStore();
  readonly streams: readonly DecisionStream[];
  readonly gateways: readonly Gateway[];
  readonly control: ControlNode;
  readonly counts = noFaults();
  /** Planned faults that have struck. */
  struck = 0;
  readonly #clients: ClientPlan;
  readonly #arrivals: Chance;

  constructor(seed: number, options: WorldOptions = {}) {
    const parts = { ...productionParts, ...options.parts };
    const timeline = new Timeline(options.say);
    const count = (kind: keyof typeof this.counts): void => {
      this.counts[kind]++;
    };
    this.ground = {
      seed,
      timeline,
      network: new Network(timeline, chanceOf(seed, 'network'), nodeCount, count),
      parts,
      conduct: { ...productionConduct, ...options.conduct },
      watch: newCheckers(parts),
      clocks: Array.from({ length: 1 + gatewayCount }, () => new NodeClock()),
      count,
    };
    const { ground } = this;
    const facts = drawBackends(chanceOf(seed, 'backends'), backendCount);
    this.backends = new Map(
      facts.map((one) => [one.id, new SimBackend(ground, new Chance(seed, 100 + one.index), one)]),
    );
    this.database = new VirtualDatabase(ground, chanceOf(seed, 'database'));
    const controlStream = new DecisionStream(ground, 'control', controlNode, this.store);
    this.gateways = Array.from({ length: gatewayCount }, (_, thread) => {
      const stream = new DecisionStream(ground, `t${thread}`, gatewayNode(thread), this.store);
      return new Gateway(ground, thread, this.backends, stream);
    });
    this.streams = [controlStream, ...this.gateways.map(({ stream }) => stream)];
    const keys = firstKeys();
    const rows: Rows = {
      backends: new Map(facts.map((one) => [one.id, one])),
      keys: new Map(keys.map((key) => [key.id, key])),
      mode: { state: undefined },
      settings: settingsOf(seed % 4),
    };
    this.control = new ControlNode(
      ground,
      this.database,
      rows,
      this.store,
      controlStream,
      this.backends,
      this.gateways,
    );
    ground.watch.security.keepSecret([
      ...keys.map(({ token }) => token),
      admin.token,
      viewer.token,
    ]);
    this.#clients = new ClientPlan(chanceOf(seed, 'clients'), keys);
    this.#arrivals = new Chance(seed, 200);
  }

  get requests(): number {
    return this.#clients.count;
  }

  /** Lives through all of it; whatever does not hold is thrown. */
  run(): void {
    const { timeline, watch } = this.ground;
    this.control.start();
    const striker = new Striker(this, new Chance(this.ground.seed, 300));
    striker.schedule(planFaults(chanceOf(this.ground.seed, 'plan'), faultsEndMs));
    timeline.after(faultsEndMs, 'the faults end', () => striker.endAll());
    this.#arriveForEver();
    this.#askAtTheEdge();
    this.#intrude();
    while (timeline.step(worldEndMs + diskGraceMs)) watch.traffic.afterStep();
  }

  // ---- clients -----------------------------------------------------------------------------

  #arriveForEver(): void {
    const { timeline } = this.ground;
    const gapMs = this.#gapMs();
    if (timeline.now + gapMs > arrivalsEndMs) return;
    timeline.after(gapMs, 'request', () => {
      this.#arrive(this.#clients.draw(timeline.now));
      this.#arriveForEver();
    });
  }

  /** To the next arrival: at random among faults, then evenly, so that there are enough in all. */
  #gapMs(): number {
    const { now } = this.ground.timeline;
    if (now < faultsEndMs) return (-Math.log(1 - this.#arrivals.unit()) * 1000) / stormRate;
    const left = requestsWanted - this.#clients.count;
    return left > 0 ? Math.min(1000, (arrivalsEndMs - now) / (left + 1)) : 1000;
  }

  #arrive(arrival: Arrival): void {
    this.gateways[arrival.gateway]?.arrive(arrival);
  }

  /** Many at once, within two seconds. */
  burst(count: number): void {
    for (let i = 0; i < count; i++) {
      this.ground.timeline.after(this.#arrivals.between(0, 2000), 'request of a burst', () => {
        this.#arrive(this.#clients.draw(this.ground.timeline.now));
      });
    }
  }

  /** Seconds about the edges in the life of a token: its refresh, and its end. */
  #askAtTheEdge(): void {
    const edges = [-62, -61, -60, -59, -58, -3, -2, -1, 0, 1];
    for (const edge of edges) {
      const second = shortTtlSeconds + edge;
      for (let thread = 0; thread < gatewayCount * 2; thread++) {
        this.ground.timeline.after(second * 1000 - 1000 + thread, 'request at the edge', () => {
          this.#arrive(this.#clients.drawShort(this.ground.timeline.now));
        });
      }
    }
  }

  // ---- intruders ---------------------------------------------------------------------------

  /** Every while somebody asks for a change who may not. */
  #intrude(): void {
    this.ground.timeline.after(20_000, 'intruder', () => {
      const change = (id: string) => ({
        kind: 'backend_removed',
        needs: ['backends:write'],
        stream: 'fleet',
        subject: `backend:${id}`,
        exists: () => this.control.life?.fleet.find(id) !== undefined,
        write: () => this.control.rows.backends.delete(id),
        act: () => this.control.life?.fleet.remove(id),
      });
      const operators = this.control.life?.operators;
      operators?.ask('', '', change('b-00'));
      operators?.ask(admin.id, `${admin.token}x`, change('b-00'));
      operators?.ask(viewer.id, viewer.token, change('b-00'));
      operators?.ask(viewer.id, viewer.token, change('b-none'));
      operators?.ask(admin.id, admin.token, change('b-none'));
      if (this.ground.timeline.now < faultsEndMs) this.#intrude();
    });
  }
}
