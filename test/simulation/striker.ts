// Makes the faults of a plan happen to a world, and takes them back. A fault that needs something to
// strike, such as a request that uses the key, waits a while for it.

import type { Chance } from './environment/chance.ts';
import type { PlannedFault } from './environment/fault-plan.ts';
import type { FaultKind } from './environment/faults.ts';
import { backendNode, controlNode, gatewayCount, gatewayNode } from './environment/ground.ts';
import type { Ailment, SimBackend } from './nodes/backend.ts';
import { admin, type Change, settingsOf, viewer } from './nodes/operators.ts';
import type { World } from './world.ts';

const ailmentOf: Partial<Record<FaultKind, Ailment>> = {
  backend_crash: 'crashed',
  backend_hang: 'hanging',
  backend_lying: 'lying',
  backend_answers_429: 'answers_429',
  backend_answers_500: 'answers_500',
  backend_cut: 'cuts',
};

/** How long a fault waits for something to strike, and how often it looks, ms. */
const patienceMs = 20_000;
const lookEveryMs = 40;
/** Share of the ailments that come over most of the fleet at once. */
const epidemicShare = 0.5;

export class Striker {
  readonly #world: World;
  readonly #chance: Chance;
  #settings = 1;
  #isOver = false;

  constructor(world: World, chance: Chance) {
    this.#world = world;
    this.#chance = chance;
  }

  schedule(plan: readonly PlannedFault[]): void {
    const { timeline } = this.#world.ground;
    for (const fault of plan) {
      timeline.after(fault.atMs, `fault ${fault.kind}`, () => this.#strike(fault));
    }
  }

  /** The quiet phase: every fault that still lasts ends. */
  endAll(): void {
    this.#isOver = true;
    const { ground, backends, database, streams, control } = this.#world;
    for (const how of [
      'message_lost',
      'message_delayed',
      'message_duplicated',
      'message_reordered',
    ] as const) {
      ground.network.disturb(how, false);
    }
    ground.network.partition([]);
    for (const backend of backends.values()) backend.healAll();
    for (const clock of ground.clocks) clock.repair(ground.timeline.now);
    for (const stream of streams) {
      stream.disk.setFull(false);
      stream.disk.whenWriting(undefined);
    }
    database.setAway(false);
    database.forgetPlans();
    this.#restoreFleet();
    if (control.life === undefined) this.#wakeControl();
  }

  #after(ms: number, name: string, run: () => void): void {
    this.#world.ground.timeline.after(ms, name, () => {
      if (!this.#isOver) run();
    });
  }

  #struck(kind: FaultKind): void {
    this.#world.ground.count(kind);
    this.#world.struck++;
  }

  #strike({ kind, lastsMs }: PlannedFault): void {
    const { ground, database, streams, gateways } = this.#world;
    const { network, timeline } = ground;
    const ailment = ailmentOf[kind];
    if (ailment !== undefined) {
      this.#sicken(kind, ailment, lastsMs);
      return;
    }
    switch (kind) {
      case 'message_lost':
      case 'message_delayed':
      case 'message_duplicated':
      case 'message_reordered':
        network.disturb(kind, true);
        this.#world.struck++;
        this.#after(lastsMs, `end of ${kind}`, () => network.disturb(kind, false));
        return;
      case 'partition':
        network.partition(this.#cutOff());
        this.#struck(kind);
        this.#after(lastsMs / 2, 'partition heals', () => network.partition([]));
        return;
      case 'backend_flapping':
        this.#flap(kind, lastsMs);
        return;
      case 'gateway_crash':
        this.#crashGateway(kind, this.#chance.between(0, gatewayCount - 1));
        return;
      case 'control_crash':
        this.#crashControl(kind);
        return;
      case 'clock_slow':
      case 'clock_back':
      case 'clock_stopped':
        this.#misleadClock(kind, lastsMs);
        return;
      case 'disk_full': {
        const stream = this.#chance.pick(streams);
        stream.disk.setFull(true);
        this.#world.struck++;
        this.#after(lastsMs, 'disk has room', () => stream.disk.setFull(false));
        return;
      }
      case 'torn_write': {
        const gateway = this.#chance.pick(gateways);
        gateway.stream.disk.whenWriting(() => {
          timeline.after(0, 'crash in a write', () =>
            this.#crashGateway('gateway_crash', gateway.thread),
          );
        });
        this.#world.struck++;
        return;
      }
      case 'database_away':
        database.setAway(true);
        this.#struck(kind);
        this.#after(lastsMs, 'database back', () => database.setAway(false));
        return;
      case 'commit_lost':
      case 'commit_answer_lost':
        database.plan(kind);
        this.#world.struck++;
        this.#reload();
        return;
      case 'overload_burst':
        this.#struck(kind);
        this.#world.burst(this.#chance.between(60, 110));
        return;
      case 'config_reload':
        this.#whenBusy(kind, patienceMs, () => this.#reload());
        return;
      case 'key_revoked':
        this.#revokeKey(kind, patienceMs);
        return;
      case 'backend_removed':
        this.#removeBackend(kind, patienceMs);
        return;
    }
  }

  // ---- nodes -------------------------------------------------------------------------------

  #sicken(kind: FaultKind, ailment: Ailment, lastsMs: number): void {
    const { backends } = this.#world;
    // What is wrong with one backend is often wrong with others of its make.
    const isEpidemic = this.#chance.hits(epidemicShare);
    const count = isEpidemic ? this.#chance.between(6, backends.size) : 1;
    const ill = this.#chance.shuffled([...backends.values()]).slice(0, count);
    for (const backend of ill) backend.fall(ailment);
    if (kind === 'backend_cut') this.#world.struck++;
    else this.#struck(kind);
    this.#after(isEpidemic ? lastsMs + 20_000 : lastsMs, `end of ${kind}`, () => {
      for (const backend of ill) backend.heal(ailment);
    });
  }

  #pickBackend(): SimBackend {
    return this.#chance.pick([...this.#world.backends.values()]);
  }

  #flap(kind: FaultKind, lastsMs: number): void {
    const backend = this.#pickBackend();
    this.#struck(kind);
    const turns = 2 + Math.floor(lastsMs / 5000);
    const turn = (left: number): void => {
      if (left === 0) return;
      backend.fall('crashed');
      this.#after(this.#chance.between(300, 1500), 'flap up', () => {
        backend.heal('crashed');
        this.#after(this.#chance.between(500, 3000), 'flap down', () => turn(left - 1));
      });
    };
    turn(turns);
  }

  #cutOff(): readonly number[] {
    const choice = this.#chance.between(0, 2);
    if (choice === 0) return [gatewayNode(this.#chance.between(0, gatewayCount - 1))];
    if (choice === 1) return [controlNode];
    const some = this.#chance.shuffled([...this.#world.backends.values()]).slice(0, 3);
    return some.map(({ facts }) => backendNode(facts.index));
  }

  #crashGateway(kind: FaultKind, thread: number): void {
    const gateway = this.#world.gateways[thread];
    if (gateway === undefined || !gateway.isUp) return;
    this.#struck(kind);
    gateway.crash();
    this.#world.control.gatewayDied(gateway, this.#chance.between(50, 3000));
  }

  #crashControl(kind: FaultKind): void {
    if (this.#world.control.life === undefined) return;
    this.#struck(kind);
    this.#world.control.crash();
    this.#after(this.#chance.between(500, 4000), 'process starts', () => this.#wakeControl());
  }

  #wakeControl(): void {
    if (this.#world.control.life === undefined) this.#world.control.start();
  }

  #misleadClock(kind: FaultKind, lastsMs: number): void {
    const { clocks, timeline } = this.#world.ground;
    const clock = this.#chance.pick(clocks);
    this.#struck(kind);
    if (kind === 'clock_back') clock.jumpBack(this.#chance.between(1000, 90_000));
    else clock.run(timeline.now, kind === 'clock_stopped' ? 0 : 0.3 + this.#chance.unit() * 0.6);
    const name = `clock set right after ${kind}`;
    this.#after(lastsMs, name, () => clock.repair(this.#world.ground.timeline.now));
  }

  // ---- operators ---------------------------------------------------------------------------

  #ask(change: Change, who = admin): void {
    this.#world.control.life?.operators.ask(who.id, who.token, change);
  }

  /** Runs it in the middle of a request; waits a while until there is one. */
  #whenBusy(kind: FaultKind, leftMs: number, run: () => void): void {
    const isBusy = this.#world.gateways.some(({ active }) => active.size > 0);
    if (isBusy && this.#world.control.life !== undefined) {
      this.#struck(kind);
      run();
    } else if (leftMs > 0) {
      this.#after(lookEveryMs, `${kind} waits`, () =>
        this.#whenBusy(kind, leftMs - lookEveryMs, run),
      );
    }
  }

  #reload(): void {
    const { control } = this.#world;
    const life = control.life;
    if (life === undefined) return;
    const settings = settingsOf(this.#settings++);
    this.#ask({
      kind: 'config_reloaded',
      needs: ['config:write'],
      stream: 'config',
      subject: 'config:routing',
      exists: () => true,
      write: () => {
        control.rows.settings = settings;
      },
      act: () => life.fleet.configure(settings),
    });
  }

  #revokeKey(kind: FaultKind, leftMs: number): void {
    const { control, gateways } = this.#world;
    const life = control.life;
    const users = gateways
      .flatMap(({ active }) => [...active])
      .filter(({ isAttempting }) => isAttempting);
    const keyId = users.length === 0 ? undefined : this.#chance.pick(users).keyId;
    const key = keyId === undefined ? undefined : control.rows.keys.get(keyId);
    if (life === undefined || key === undefined) {
      if (leftMs <= 0) return;
      this.#after(lookEveryMs, 'key_revoked waits', () =>
        this.#revokeKey(kind, leftMs - lookEveryMs),
      );
      return;
    }
    this.#struck(kind);
    const rows = control.rows.keys;
    const change = (name: string, exists: () => boolean, write: () => void): Change => ({
      kind: name,
      needs: ['keys:write'],
      stream: 'identity',
      subject: `key:${key.id}`,
      exists,
      write,
      act: () => control.keysChanged(life),
    });
    this.#ask(
      change(
        'key_revoked',
        () => rows.has(key.id),
        () => rows.delete(key.id),
      ),
      viewer,
    );
    this.#after(3000, 'key comes back', () => {
      const back = control.life;
      if (back === undefined) return;
      this.#ask({
        ...change(
          'key_created',
          () => true,
          () => rows.set(key.id, key),
        ),
        act: () => control.keysChanged(back),
      });
    });
  }

  #removeBackend(kind: FaultKind, leftMs: number): void {
    const { control, gateways } = this.#world;
    const life = control.life;
    const leased = gateways
      .flatMap(({ active }) => [...active])
      .flatMap(({ leasedBackend }) => (leasedBackend === undefined ? [] : [leasedBackend]));
    const id = leased.length === 0 ? undefined : this.#chance.pick(leased);
    const facts = id === undefined ? undefined : control.rows.backends.get(id);
    if (life === undefined || facts === undefined) {
      if (leftMs <= 0) return;
      this.#after(lookEveryMs, 'backend_removed waits', () =>
        this.#removeBackend(kind, leftMs - lookEveryMs),
      );
      return;
    }
    this.#struck(kind);
    this.#ask(this.#removal(facts.id));
    this.#after(this.#chance.between(2000, 9000), 'backend comes back', () => this.#restoreFleet());
  }

  #removal(id: string): Change {
    const { control } = this.#world;
    const life = control.life;
    return {
      kind: 'backend_removed',
      needs: ['backends:write'],
      stream: 'fleet',
      subject: `backend:${id}`,
      exists: () => life?.fleet.find(id) !== undefined,
      write: () => control.rows.backends.delete(id),
      act: () => {
        if (life?.fleet.find(id) === undefined) return;
        life.fleet.remove(id);
        life.prober.removed(id);
      },
    };
  }

  /** Every backend that is missing is registered again. */
  #restoreFleet(): void {
    const { control, backends } = this.#world;
    for (const { facts } of backends.values()) {
      if (control.rows.backends.has(facts.id)) continue;
      const life = control.life;
      if (life === undefined) {
        control.rows.backends.set(facts.id, facts);
        continue;
      }
      this.#ask({
        kind: 'backend_added',
        needs: ['backends:write'],
        stream: 'fleet',
        subject: `backend:${facts.id}`,
        exists: () => true,
        write: () => control.rows.backends.set(facts.id, facts),
        act: () => {
          if (life.fleet.find(facts.id) !== undefined) return;
          life.fleet.add(facts);
          life.prober.added(facts.id);
        },
      });
    }
  }
}
