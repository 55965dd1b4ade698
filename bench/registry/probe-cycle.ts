// One whole cycle of probes by the product's checker, client and adapters against a thousand engines on
// real sockets, of which two hundred never answer: from the first probe to the last verdict.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { BackendId } from '../../src/base/brand.ts';
import { seededRandom } from '../../src/base/random.ts';
import { createProbeClient } from '../../src/io/http/probe/probe-client.ts';
import { createProbeBackend } from '../../src/services/routing/adapters/probe-backend.ts';
import { HealthChecker, healthCheckerDefaults } from '../../src/services/routing/health-checker.ts';
import type { ProbeRegistry } from '../../src/services/routing/ports.ts';
import { monotonicMs, systemClock } from '../../src/targets/clock.ts';
import { addressOf, isSilent } from './engines.ts';
import { backendCount, buildFleet } from './fleets.ts';

export const probeTimeoutMs = 5000;
const patienceMs = 60_000;

export type Cycle = {
  readonly ms: number;
  /** CPU time of this process, ms. */
  readonly cpuMs: number;
  /** Backends that were found as they are. */
  readonly right: number;
};

const file = new URL('./engines.ts', import.meta.url);

export async function probeCycle(): Promise<Cycle> {
  const engines = new Worker(file, { workerData: { shape: 'same' } });
  try {
    const [port] = (await once(engines, 'message')) as [number];
    return await cycleOver(port);
  } finally {
    await engines.terminate();
  }
}

async function cycleOver(port: number): Promise<Cycle> {
  const urlOf = (backend: number): string => `http://${addressOf(backend)}:${port}`;
  const { fleet } = buildFleet({ shape: 'same', urlOf });
  const ended = Promise.withResolvers<number>();
  const seen = new Map<BackendId, boolean>();
  let began: number | undefined;
  const registry: ProbeRegistry = {
    listBackends: () => fleet.listBackends(),
    getBackend: (id) => fleet.getBackend(id),
    applyProbe(id, outcome, at) {
      fleet.applyProbe(id, outcome, at);
      if (!seen.has(id)) seen.set(id, outcome.facts !== undefined);
      if (seen.size === backendCount) ended.resolve(monotonicMs());
    },
  };
  const client = createProbeClient({ monotonicMs, mayContact: () => true });
  const readCredential = (): undefined => undefined;
  const probe = createProbeBackend({ client, timeoutMs: probeTimeoutMs, readCredential });
  const checker = new HealthChecker({
    registry,
    clock: systemClock,
    probe: (target, signal) => {
      began ??= monotonicMs();
      return probe(target, signal);
    },
    random: seededRandom(1),
  });
  const patience = setTimeout(
    () => ended.reject(new Error(`${seen.size} of ${backendCount} verdicts in ${patienceMs} ms`)),
    patienceMs,
  );
  const cpu = process.cpuUsage();
  try {
    checker.sync();
    const last = await ended.promise;
    const { user, system } = process.cpuUsage(cpu);
    const right = Array.from({ length: backendCount }, (_, i) => i).filter((i) => {
      const id = fleet.listBackends()[i]?.id;
      return id !== undefined && seen.get(id) === !isSilent(i);
    }).length;
    return { ms: last - (began ?? last), cpuMs: (user + system) / 1000, right };
  } finally {
    clearTimeout(patience);
    await checker.stop();
  }
}

export const probeConcurrency = healthCheckerDefaults.concurrency;
