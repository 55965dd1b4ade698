// The control node: the process that owns the registry, asks after health, moves the serving mode,
// keeps the trail, starts the gateway threads again, and gives them what they miss. When it dies, the
// threads die with it, for they are one process; what is in the database and on the disks stays.

import type { RoutingSettings } from '../../../src/core/routing/snapshot.ts';
import { noticeOf } from '../../../src/services/gateway/thread-desk.ts';
import type { Chance } from '../environment/chance.ts';
import type { VirtualDatabase } from '../environment/database.ts';
import {
  chanceOf,
  controlNode,
  type Ground,
  gatewayCount,
  gatewayNode,
  wallOf,
} from '../environment/ground.ts';
import type { BackendFacts, SimBackend } from './backend.ts';
import type { DecisionStream } from './decision-stream.ts';
import { Deployments } from './deployments.ts';
import { FleetDesk } from './fleet-desk.ts';
import type { FleetEvent } from './fleet-event.ts';
import type { Gateway, GatewayReport, Shared } from './gateway.ts';
import type { KeyFacts } from './key-desk.ts';
import { ladderTickMs, ModeDesk, type ModeRow } from './mode-desk.ts';
import { admin, Operators, viewer } from './operators.ts';
import { Prober } from './prober.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import { Trail } from './trail.ts';

/** What the database holds besides the trail. */
export type Rows = {
  readonly backends: Map<string, BackendFacts>;
  readonly keys: Map<string, KeyFacts>;
  readonly mode: ModeRow;
  settings: RoutingSettings;
};

const probeTurnMs = 500;
const heartbeatMs = 2000;
const deployMs = 6000;

/** One life of the control node. */
class Life {
  readonly shared: Shared;
  readonly fleet: FleetDesk;
  readonly prober: Prober;
  readonly trail: Trail;
  readonly mode: ModeDesk;
  readonly operators: Operators;
  readonly deployments: Deployments;
  keysVersion = 1;
  isOver = false;

  constructor(node: ControlNode, ground: Ground, number: number) {
    const { database, rows, stream } = node;
    const arena = ground.parts.newArena(gatewayCount);
    const desk = ground.parts.newDesk(gatewayCount, wallOf(ground, controlNode));
    this.shared = { arena, desk, keyInFlight: new Map(), mode: 'normal' };
    ground.watch.traffic.newArena(arena);
    node.store.restarted();
    ground.watch.replay.forgetVersions();
    this.fleet = new FleetDesk(ground, arena, node.store, rows.settings, {
      send: (event) => node.sendEvents([event]),
      moved: (before, after) => {
        if (before.status === 'healthy' && after.status === 'unhealthy')
          this.mode.tripped(after.id);
      },
    });
    this.prober = new Prober(
      ground,
      chanceOf(ground.seed + number, 'probes'),
      this.fleet,
      node.backends,
    );
    this.trail = new Trail(ground, database, number);
    this.mode = new ModeDesk(ground, database, this.trail, rows.mode, stream, {
      publish: (mode) => {
        this.shared.mode = mode;
      },
      fleet: () => {
        const approved = this.fleet.backends.filter((backend) => backend.approved);
        const routable = approved.filter(({ status }) => status === 'healthy');
        return { known: approved.length, routable: routable.length };
      },
      gateways: () => node.gateways.filter(({ isUp }) => isUp).length / gatewayCount,
      probes: () => this.prober.takeCounts(),
    });
    this.operators = new Operators(ground, this.trail, [admin, viewer]);
    this.deployments = new Deployments(
      ground,
      chanceOf(ground.seed + number, 'deployments'),
      this.operators,
      () => this.shared.mode,
      number,
    );
  }
}

export class ControlNode {
  readonly database: VirtualDatabase;
  readonly rows: Rows;
  readonly store: SnapshotStore;
  readonly stream: DecisionStream;
  readonly backends: ReadonlyMap<string, SimBackend>;
  readonly gateways: readonly Gateway[];
  readonly #ground: Ground;
  readonly #boots: Chance;
  #life: Life | undefined;
  #lives = 0;

  constructor(
    ground: Ground,
    database: VirtualDatabase,
    rows: Rows,
    store: SnapshotStore,
    stream: DecisionStream,
    backends: ReadonlyMap<string, SimBackend>,
    gateways: readonly Gateway[],
  ) {
    this.#ground = ground;
    this.#boots = chanceOf(ground.seed, 'control');
    this.database = database;
    this.rows = rows;
    this.store = store;
    this.stream = stream;
    this.backends = backends;
    this.gateways = gateways;
  }

  /** The present life; undefined while the process is down. */
  get life(): Life | undefined {
    return this.#life;
  }

  // ---- life --------------------------------------------------------------------------------

  start(): void {
    if (this.database.isAway) {
      this.#ground.timeline.after(500, 'start waits for the database', () => this.start());
      return;
    }
    this.stream.open();
    const life = new Life(this, this.#ground, ++this.#lives);
    this.#life = life;
    for (const facts of this.rows.backends.values()) {
      life.fleet.add(facts);
      life.prober.added(facts.id);
    }
    life.fleet.configure(this.rows.settings);
    for (const gateway of this.gateways) this.#bootGateway(life, gateway);
    this.#every(life, probeTurnMs, 'probe turn', () => life.prober.turn());
    this.#every(life, heartbeatMs, 'heartbeat', () => this.#heartbeat(life));
    this.#every(life, ladderTickMs, 'mode tick', () => life.mode.tick());
    this.#every(life, deployMs, 'release desk', () => {
      life.deployments.submit();
      life.deployments.advance();
    });
  }

  /** The process dies, and its threads with it. */
  crash(): void {
    const life = this.#life;
    if (life === undefined) return;
    life.isOver = true;
    life.trail.close();
    life.prober.stop();
    this.#life = undefined;
    this.#ground.network.restarted(controlNode);
    for (const gateway of this.gateways) gateway.crash();
    this.stream.crash();
  }

  /** A thread died: its leases are reclaimed and another one starts. */
  gatewayDied(gateway: Gateway, backAfterMs: number): void {
    const life = this.#life;
    if (life === undefined) return;
    life.fleet.threadGone(gateway.thread);
    this.#ground.timeline.after(5, 'thread is missed', () => {
      if (life.isOver) return;
      life.shared.desk.release(gateway.thread);
      if (this.#ground.conduct.reclaimsThreads) {
        life.shared.arena.reclaimThread(gateway.thread);
        this.#ground.watch.traffic.reclaimed(gateway.thread);
      }
      for (const [keyId, count] of gateway.heldKeys) {
        life.shared.keyInFlight.set(keyId, (life.shared.keyInFlight.get(keyId) ?? count) - count);
      }
    });
    this.#ground.timeline.after(Math.max(10, backAfterMs), 'thread starts', () => {
      if (!life.isOver) this.#bootGateway(life, gateway);
    });
  }

  #bootGateway(life: Life, gateway: Gateway): void {
    gateway.boot(
      life.shared,
      {
        report: (report) => this.#onReport(report),
        missing: (thread, from, to) => this.#onMissing(thread, from, to),
        missingKeys: (thread) => this.#sendKeys(life, thread),
      },
      this.rows.settings,
    );
    const node = gatewayNode(gateway.thread);
    this.#ground.network.sendBytes(controlNode, node, 'thread start', () => {
      gateway.start({
        version: life.fleet.version,
        events: life.fleet.history,
        settings: life.fleet.settings,
      });
    });
    // Until its keys are there a thread knows nobody.
    const loadMs = this.#boots.between(20, 1500);
    this.#ground.timeline.after(loadMs, 'keys are loaded', () => {
      if (!life.isOver) this.#sendKeys(life, gateway.thread);
    });
  }

  #every(life: Life, ms: number, name: string, run: () => void): void {
    this.#ground.timeline.after(ms, name, () => {
      if (life.isOver) return;
      run();
      this.#every(life, ms, name, run);
    });
  }

  // ---- talking to the gateways -------------------------------------------------------------

  sendEvents(events: readonly FleetEvent[]): void {
    for (const gateway of this.gateways) this.#sendTo(gateway, events);
  }

  #sendTo(gateway: Gateway, events: readonly FleetEvent[]): void {
    this.#ground.network.send(controlNode, gatewayNode(gateway.thread), 'fleet events', () =>
      gateway.heardEvents(events),
    );
  }

  #heartbeat(life: Life): void {
    for (const gateway of this.gateways) {
      const { version } = life.fleet;
      const { keysVersion } = life;
      this.#ground.network.send(controlNode, gatewayNode(gateway.thread), 'heartbeat', () =>
        gateway.heardOf(version, keysVersion),
      );
    }
  }

  #onReport(report: GatewayReport): void {
    const life = this.#life;
    if (life === undefined) return;
    life.mode.heard(report);
    life.fleet.acknowledged(report.gateway, report.version);
    this.#takeNotices(life);
  }

  /** Most urgent first, each backend once; a slot that has another backend since names nobody. */
  #takeNotices(life: Life): void {
    const ids = new Map(life.fleet.targets.map((target) => [noticeOf(target), target.id]));
    const notices = life.shared.desk.takeUnreachable();
    this.#ground.watch.traffic.noticesTaken(notices);
    for (const notice of notices) {
      const id = ids.get(notice);
      if (id !== undefined) life.prober.unreachable(id);
    }
  }

  #onMissing(thread: number, from: number, to: number): void {
    const life = this.#life;
    const gateway = this.gateways[thread];
    if (life === undefined || gateway === undefined) return;
    const last = Math.min(to, life.fleet.version);
    // In two adjoining windows, as a long history would come (RD5).
    const middle = Math.floor((from + last) / 2);
    const first = life.fleet.window(from, middle);
    const second = life.fleet.window(middle + 1, last);
    if (first !== undefined && second !== undefined) {
      this.#sendTo(gateway, first);
      this.#sendTo(gateway, second);
      return;
    }
    const { version, history } = life.fleet;
    this.#ground.network.send(controlNode, gatewayNode(thread), 'fleet state', () =>
      gateway.heardState(version, history),
    );
  }

  #sendKeys(life: Life, thread: number): void {
    const gateway = this.gateways[thread];
    if (gateway === undefined) return;
    const version = life.keysVersion;
    const keys = [...this.rows.keys.values()];
    this.#ground.network.send(controlNode, gatewayNode(thread), 'keys', () =>
      gateway.heardKeys(version, keys),
    );
  }

  keysChanged(life: Life): void {
    life.keysVersion++;
    for (const gateway of this.gateways) this.#sendKeys(life, gateway.thread);
  }
}
