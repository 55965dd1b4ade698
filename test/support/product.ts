// The product as a real process: `tensorforge up` on a free port with its own data directory and,
// unless told otherwise, simulated engines as backends. Every test that goes through the front door
// starts here, and ends here: what was started is stopped by its process id.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SimOptions } from '../../src/services/sim/options.ts';
import { type RunningSim, startSim } from '../../src/services/sim/sim-server.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A start on a loaded two-core machine, the first database included. */
const readyWithinMs = 60_000;
const stopWithinMs = 20_000;

export type ProductBackend = {
  readonly name: string;
  readonly url: string;
  readonly type: string;
  readonly [option: string]: unknown;
};

export type ProductOptions = {
  /** Simulated engines to start as backends; default one vllm named `sim-a`. */
  readonly sims?: readonly (Partial<SimOptions> & { readonly name: string })[];
  /** Further backends, such as raw servers of the test. */
  readonly backends?: readonly ProductBackend[];
  /** More of the configuration file, by section. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly arguments?: readonly string[];
  /** Keep and use this data directory instead of a fresh one. */
  readonly dataDirectory?: string;
};

export type Product = {
  readonly url: string;
  readonly port: number;
  readonly adminKey: string;
  readonly dataDirectory: string;
  readonly pid: number;
  readonly sims: readonly (RunningSim & { readonly id: string })[];
  /** What the process wrote to stdout and stderr so far. */
  output(): string;
  /** JSON of a control or data-plane path with the admin key. */
  json(path: string, init?: RequestInit): Promise<{ status: number; body: unknown }>;
  /** Ends the process as `kill -9` would. */
  kill(): Promise<void>;
  /** Resolves with the exit code after a signal. */
  signal(name: NodeJS.Signals): Promise<number | null>;
  stop(): Promise<void>;
};

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

async function startSims(options: ProductOptions) {
  const wanted = options.sims ?? [{ name: 'sim-a' }];
  const running: (RunningSim & { readonly id: string; readonly as: string })[] = [];
  for (const [i, sim] of wanted.entries()) {
    const as = sim.as ?? 'vllm';
    const full: SimOptions = {
      profile: 'h100-7b',
      speed: 50,
      models: ['sim-model'],
      seed: i + 1,
      ...sim,
      as,
      port: sim.port ?? 0,
    };
    running.push({ ...(await startSim(full)), id: sim.name, as });
  }
  return running;
}

function exited(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

async function untilReady(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the product ended:\n${output()}`);
    if (performance.now() > deadline) throw new Error(`the product is not ready:\n${output()}`);
    try {
      const answer = await fetch(`${url}/health/ready`);
      await answer.arrayBuffer();
      if (answer.status === 200) return;
    } catch {
      // It does not listen yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const home = options.dataDirectory ?? mkdtempSync(join(tmpdir(), 'tf-product-'));
  const port = await freePort();
  const sims = await startSims(options);
  const backends = [
    ...sims.map((sim) => ({
      name: sim.id,
      url: sim.url,
      type: sim.as === 'openai' ? 'generic' : sim.as,
    })),
    ...(options.backends ?? []),
  ];
  const configuration = {
    simulate: false,
    discovery: { enabled: false },
    ...options.config,
    backends,
  };
  const configurationFile = join(home, 'tensorforge.yaml');
  writeFileSync(configurationFile, JSON.stringify(configuration, null, 2));
  const dataDirectory = join(home, 'data');
  let text = '';
  const child = spawn(
    process.execPath,
    [
      '--disable-sigusr1',
      main,
      'up',
      '--port',
      String(port),
      '--config',
      configurationFile,
      '--data-dir',
      dataDirectory,
      ...(options.arguments ?? []),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '', HOME: home, ...options.env },
    },
  );
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const scheme = options.arguments?.includes('--tls-cert') === true ? 'https' : 'http';
  const url = `${scheme}://127.0.0.1:${port}`;
  const stopSims = () => Promise.all(sims.map((sim) => sim.stop()));
  try {
    await untilReady(url, child, () => text);
  } catch (error) {
    child.kill('SIGKILL');
    await stopSims();
    throw error;
  }
  const adminKey = readFileSync(join(dataDirectory, 'admin.key'), 'utf8').trim();
  return {
    url,
    port,
    adminKey,
    dataDirectory,
    pid: child.pid ?? 0,
    sims,
    output: () => text,
    async json(path, init = {}) {
      const headers = {
        authorization: `Bearer ${adminKey}`,
        'content-type': 'application/json',
        ...init.headers,
      };
      const answer = await fetch(url + path, { ...init, headers });
      const body = await answer.text();
      return {
        status: answer.status,
        body: body === '' ? undefined : (JSON.parse(body) as unknown),
      };
    },
    async kill() {
      child.kill('SIGKILL');
      await exited(child);
    },
    signal(name) {
      child.kill(name);
      return exited(child);
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
        await exited(child);
        clearTimeout(timer);
      }
      await stopSims();
      if (options.dataDirectory === undefined) rmSync(home, { recursive: true, force: true });
    },
  };
}
