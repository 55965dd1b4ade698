// The gateway under measurement, started as its user would start it: `up` with a configuration
// file, a data directory of its own and the admin key that the first start left there.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { Processes, Started } from '../harness/processes.ts';
import { freePort } from './free-port.ts';
import type { Endpoint } from './requests.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export const gatewayThreads = 2;

/** The limits that this benchmark raises above their defaults; they stand in its report. */
export const raisedLimits = {
  'server.connections': 4096,
  'server.connections_per_address': 4096,
  'limits.key_concurrency': 4096,
} as const;

export type Product = Endpoint & {
  readonly pid: number;
  readonly key: string;
  /** Milliseconds from the spawn to the first 200 of /health/ready. */
  readonly startMs: number;
  readonly started: Started;
};

export type ProductSetup = {
  readonly processes: Processes;
  readonly scratch: string;
  readonly backends: readonly number[];
  /** Further sections of the configuration. */
  readonly settings?: Readonly<Record<string, unknown>>;
};

function writeConfiguration(setup: ProductSetup, port: number): string {
  const file = join(setup.scratch, 'tensorforge.yaml');
  const configuration = {
    server: {
      port,
      threads: gatewayThreads,
      connections: raisedLimits['server.connections'],
      connections_per_address: raisedLimits['server.connections_per_address'],
    },
    limits: { key_concurrency: raisedLimits['limits.key_concurrency'] },
    discovery: { enabled: false },
    simulate: false,
    ...setup.settings,
    backends: setup.backends.map((backend, at) => ({
      name: `bench-${at}`,
      url: `http://127.0.0.1:${backend}`,
      type: 'vllm',
    })),
  };
  writeFileSync(file, stringify(configuration), { mode: 0o600 });
  return file;
}

/** What a person has set for their own installation must not steer the measurement. */
function cleanEnvironment(dataDirectory: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:TENSORFORGE_.*|DATABASE_URL|REDIS_URL|NODE_OPTIONS)$/.test(name),
  );
  return { ...Object.fromEntries(kept), TENSORFORGE_DATA_DIR: dataDirectory };
}

/** Starts the product and waits until it is ready and every backend takes requests. */
export async function startProduct(setup: ProductSetup): Promise<Product> {
  const port = await freePort();
  const dataDirectory = join(setup.scratch, 'data');
  const log = join(setup.scratch, 'tensorforge.log');
  const main = join(root, 'src', 'main.ts');
  const config = writeConfiguration(setup, port);
  const begin = performance.now();
  const started = setup.processes.start(process.execPath, [main, 'up', '--config', config], {
    log,
    cwd: setup.scratch,
    env: cleanEnvironment(dataDirectory),
  });
  await ready(port, started, log);
  const startMs = performance.now() - begin;
  const key = readFileSync(join(dataDirectory, 'admin.key'), 'utf8').trim();
  const product = { pid: started.pid, port, key, startMs, started };
  await allRoutable(product, setup.backends.length);
  return product;
}

async function ready(port: number, started: Started, log: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    if (started.child.exitCode !== null || started.child.signalCode !== null) {
      throw new Error(`tensorforge ended before it was ready:\n${lastWords(log)}`);
    }
    if (await answersReady(port)) return;
    if (performance.now() > deadline) {
      throw new Error(`tensorforge was not ready within 60 s:\n${lastWords(log)}`);
    }
    await delay(10);
  }
}

async function answersReady(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`);
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false; // Nobody listens yet.
  }
}

function lastWords(log: string): string {
  return readFileSync(log, 'utf8').slice(-4000);
}

const backendsSchema = z.object({
  backends: z.array(
    z.object({ routable: z.boolean(), pending_requests: z.int(), total_requests: z.int() }),
  ),
});

async function backendsOf(product: Pick<Product, 'port' | 'key'>) {
  const answer = await fetch(`http://127.0.0.1:${product.port}/api/v1/backends?limit=100`, {
    headers: { authorization: `Bearer ${product.key}` },
  });
  if (answer.status !== 200) throw new Error(`/api/v1/backends answered ${answer.status}`);
  return backendsSchema.parse(await answer.json()).backends;
}

async function allRoutable(product: Pick<Product, 'port' | 'key'>, count: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const routable = (await backendsOf(product)).filter((backend) => backend.routable).length;
    if (routable === count) return;
    if (performance.now() > deadline) throw new Error(`${routable} of ${count} backends routable`);
    await delay(50);
  }
}

/** Requests that the arena holds as in flight, over all backends. */
export async function pendingRequests(product: Pick<Product, 'port' | 'key'>): Promise<number> {
  const backends = await backendsOf(product);
  return backends.reduce((sum, backend) => sum + backend.pending_requests, 0);
}
