// The health checker of a world: the production's machine decides, the network asks. As the real
// one it keeps run counts and times, and no status; a result is applied only to the very backend that
// was asked. Its times are monotonic ms of the control node's own clock.

import type { BackendId } from '../../../src/base/brand.ts';
import type { Backend } from '../../../src/core/backends/backend.ts';
import {
  type HealthConfig,
  type HealthEvent,
  healthDefaults,
  newProbeRun,
  nextDeadline,
  type ProbeFacts,
  type ProbeRun,
} from '../../../src/core/backends/health.ts';
import type { Chance } from '../environment/chance.ts';
import { backendNode, controlNode, type Ground, monotonicOf } from '../environment/ground.ts';
import type { ProbeAnswer, SimBackend } from './backend.ts';
import type { FleetDesk } from './fleet-desk.ts';

const config: HealthConfig = {
  ...healthDefaults,
  intervalMs: 6000,
  backoffMaxMs: 12_000,
  backoffAfter: 3,
  warmingIntervalMs: 1500,
};
const patienceMs = 1500;

type Watched = {
  readonly id: BackendId;
  /** When this registration began: another one of the same id is another backend (H3). */
  readonly slot: number;
  run: ProbeRun;
  asked: number;
};

export type ProbeCounts = { readonly good: number; readonly failed: number };

export class Prober {
  readonly #ground: Ground;
  readonly #chance: Chance;
  readonly #fleet: FleetDesk;
  readonly #backends: ReadonlyMap<string, SimBackend>;
  readonly #watched = new Map<string, Watched>();
  #registrations = 0;
  #good = 0;
  #failed = 0;

  constructor(
    ground: Ground,
    chance: Chance,
    fleet: FleetDesk,
    backends: ReadonlyMap<string, SimBackend>,
  ) {
    this.#ground = ground;
    this.#chance = chance;
    this.#fleet = fleet;
    this.#backends = backends;
  }

  /** Takes the counts since it was asked last. */
  takeCounts(): ProbeCounts {
    const counts = { good: this.#good, failed: this.#failed };
    this.#good = 0;
    this.#failed = 0;
    return counts;
  }

  added(id: string): void {
    const slot = ++this.#registrations;
    const run = newProbeRun(this.#nowMs());
    this.#watched.set(id, { id: id as BackendId, slot, run, asked: 0 });
  }

  /** Its process is gone: no answer concerns anybody any more. */
  stop(): void {
    this.#watched.clear();
  }

  removed(id: string): void {
    this.#watched.delete(id);
  }

  /** A request could not reach it. */
  unreachable(id: string): void {
    const watched = this.#watched.get(id);
    const backend = this.#fleet.find(id);
    if (watched === undefined || backend === undefined) return;
    this.#step(watched, backend, { type: 'ConnectFailedInTraffic' });
  }

  /** Starts what is due. */
  turn(): void {
    const nowMs = this.#nowMs();
    for (const watched of this.#watched.values()) {
      if ((nextDeadline(watched.run) ?? Number.POSITIVE_INFINITY) <= nowMs) this.#probe(watched);
    }
  }

  #probe(watched: Watched): void {
    const backend = this.#fleet.find(watched.id);
    const simulated = this.#backends.get(watched.id);
    if (backend === undefined || simulated === undefined) return;
    this.#step(watched, backend, { type: 'ProbeStarted' });
    const number = ++watched.asked;
    const startedMs = this.#nowMs();
    const isCurrent = (): boolean =>
      watched.asked === number &&
      watched.run.phase === 'probing' &&
      this.#watched.get(watched.id)?.slot === watched.slot;
    const { network, timeline } = this.#ground;
    const node = backendNode(simulated.facts.index);
    network.sendBytes(controlNode, node, 'probe', () => {
      simulated.probe((answer) => {
        simulated.answerProbe('probe answer', () => {
          if (isCurrent()) this.#conclude(watched, answer, this.#nowMs() - startedMs);
        });
      });
    });
    timeline.after(patienceMs, 'probe limit', () => {
      if (isCurrent()) this.#conclude(watched, 'refused', patienceMs);
    });
  }

  #conclude(watched: Watched, answer: ProbeAnswer, tookMs: number): void {
    const backend = this.#fleet.find(watched.id);
    if (backend === undefined) return;
    if (answer === 'ok') this.#good++;
    else this.#failed++;
    this.#step(watched, backend, this.#eventOf(watched.id, answer, tookMs));
  }

  #eventOf(id: BackendId, answer: ProbeAnswer, tookMs: number): HealthEvent {
    const pace = { jitter: this.#chance.unit() * 0.2 - 0.1, stagger: 0.1 };
    switch (answer) {
      case 'ok':
        return { type: 'ProbeSucceeded', facts: this.#factsOf(id, tookMs), pace };
      case 'loading':
        return { type: 'ModelLoading', pace };
      case 'rate_limited':
        return { type: 'RateLimited', retryAfterMs: 3000, pace };
      case 'refused':
        return { type: 'ProbeFailed', words: 'connection refused', pace };
    }
  }

  #factsOf(id: BackendId, tookMs: number): ProbeFacts {
    const capacity = this.#backends.get(id)?.facts.capacity;
    const latencyMs = Math.max(0, Math.trunc(tookMs));
    return {
      latencyMs,
      models: undefined,
      capacity,
      metadata: undefined,
      runtime: undefined,
      busy: false,
    };
  }

  #step(watched: Watched, backend: Backend, event: HealthEvent): void {
    const { parts, watch } = this.#ground;
    const nowMs = this.#nowMs();
    const step = parts.stepHealth(watched.run, backend, event, nowMs, config);
    watched.run = step.run;
    for (const { outcome } of step.effects) {
      watch.policy.probed(backend, event.type, step.run, outcome, config);
      this.#fleet.applyProbe(watched.id, outcome);
    }
  }

  #nowMs(): number {
    return monotonicOf(this.#ground, controlNode);
  }
}
