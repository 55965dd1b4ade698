// The product as a real process: `tensorforge up` on a free port with its own data directory and,
// unless told otherwise, simulated engines as backends. Every test that goes through the front door
// starts here, and ends here: what was started is stopped by its process id.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { backendTypeOfFace, type SimFace } from '../../src/protocol/sim/faces.ts';
import type { SimOptions } from '../../src/services/sim/options.ts';
import { type RunningSim, startSim } from '../../src/services/sim/sim-server.ts';
import { giveFirstDatabase } from './first-database.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A start on a loaded two-core machine, the first database included. */
const readyWithinMs = 180_000;
const stopWithinMs = 60_000;
/** A command of the command line, the last steps of a stopping control plane included. */
const commandWithinMs = 120_000;

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
  /**
   * Keep and use this folder instead of a fresh one: configuration, and `data` as data directory.
   * Whoever names it removes it.
   */
  readonly dataDirectory?: string;
  /** Default a free one. */
  readonly port?: number;
  /** The host of `--listen`; without it the product listens where it does by default. */
  readonly listen?: string;
  /** Files for `--tls-cert` and `--tls-key`, and the certificate that the test's requests trust. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
};

/** An answer that is read while the test goes on. */
export type OpenStream = {
  readonly status: number;
  /** What has come so far. */
  text(): string;
  /** Everything; rejects when the connection ends before the answer does. */
  readonly whole: Promise<string>;
};

export type HttpAnswer = {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
};

export type Send = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

export type Product = {
  readonly url: string;
  readonly port: number;
  readonly adminKey: string;
  readonly dataDirectory: string;
  readonly configurationFile: string;
  readonly pid: number;
  readonly sims: readonly (RunningSim & { readonly id: string })[];
  /** What the process wrote to stdout and stderr so far. */
  output(): string;
  /** JSON of a control or data-plane path with the admin key. */
  json(path: string, init?: RequestInit): Promise<{ status: number; body: unknown }>;
  /** A request on a connection of its own, with no credential but the headers given. */
  send(path: string, how?: Send): Promise<HttpAnswer>;
  /** Asks with the admin key and resolves once the first bytes of the body are there. */
  openStream(path: string, body: string): Promise<OpenStream>;
  /** Writes the configuration file anew: that of the start with these sections instead. */
  configure(sections: Readonly<Record<string, unknown>>): void;
  /** Resolves with the exit code, and when the output is complete. */
  ended(): Promise<number | null>;
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
  const running: (RunningSim & { readonly id: string; readonly as: SimFace })[] = [];
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

/** Resolves with the exit code once the process is gone and its output is complete. */
function exited(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', (code) => resolve(code)));
}

type Exchange = Send & { readonly url: string; readonly ca: string | undefined };

/** The head of the answer, on a connection of its own. */
function openAnswer(exchange: Exchange): Promise<IncomingMessage> {
  const { url, ca, method = 'GET', headers = {}, body } = exchange;
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const options = { method, agent: false, headers: { ...headers, ...length } };
  return new Promise((resolve, reject) => {
    const sent =
      ca === undefined
        ? httpRequest(url, options, resolve)
        : httpsRequest(url, { ...options, ca }, resolve);
    sent.on('error', reject);
    sent.end(body);
  });
}

async function exchangeWhole(exchange: Exchange): Promise<HttpAnswer> {
  const answer = await openAnswer(exchange);
  let text = '';
  for await (const piece of answer) text += String(piece);
  return { status: answer.statusCode ?? 0, headers: answer.headers, text };
}

async function openStreamed(exchange: Exchange): Promise<OpenStream> {
  const answer = await openAnswer(exchange);
  let text = '';
  const first = Promise.withResolvers<void>();
  const whole = new Promise<string>((resolve, reject) => {
    answer.on('data', (piece: Buffer) => {
      text += piece.toString();
      first.resolve();
    });
    answer.on('end', () => resolve(text));
    answer.on('error', reject);
  });
  // It is a test's to look at; one that kills the product on purpose does not.
  whole.catch(() => undefined);
  await Promise.race([first.promise, whole]);
  return { status: answer.statusCode ?? 0, text: () => text, whole };
}

async function untilReady(
  exchange: Exchange,
  child: ChildProcess,
  output: () => string,
): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the product ended:\n${output()}`);
    if (performance.now() > deadline) throw new Error(`the product is not ready:\n${output()}`);
    try {
      if ((await exchangeWhole(exchange)).status === 200) return;
    } catch {
      // It does not listen yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export type CommandOutcome = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** Runs `tensorforge` with these arguments to its end; kills it after half a minute. */
export async function runCommand(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandOutcome> {
  const child = spawn(process.execPath, ['--disable-sigusr1', main, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), ...env },
    timeout: commandWithinMs,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return { code: await exited(child), stdout, stderr };
}

export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const home = options.dataDirectory ?? mkdtempSync(join(tmpdir(), 'tf-product-'));
  const port = options.port ?? (await freePort());
  const sims = await startSims(options);
  const backends = [
    ...sims.map((sim) => ({
      name: sim.id,
      url: sim.url,
      type: sim.as === 'openai' ? 'generic' : backendTypeOfFace(sim.as),
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
  const configure = (sections: Readonly<Record<string, unknown>>): void =>
    writeFileSync(configurationFile, JSON.stringify({ ...configuration, ...sections }, null, 2));
  configure({});
  const dataDirectory = join(home, 'data');
  const isEmbedded = options.env?.['DATABASE_URL'] === undefined;
  if (options.dataDirectory === undefined && isEmbedded) await giveFirstDatabase(dataDirectory);
  let text = '';
  const { tls } = options;
  const child = spawn(
    process.execPath,
    [
      '--disable-sigusr1',
      main,
      'up',
      ...(options.listen === undefined
        ? ['--port', String(port)]
        : ['--listen', `${options.listen}:${port}`]),
      '--config',
      configurationFile,
      '--data-dir',
      dataDirectory,
      ...(tls === undefined ? [] : ['--tls-cert', tls.cert, '--tls-key', tls.key]),
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
  const ended = exited(child);
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const ca = tls?.ca;
  const stopSims = () => Promise.all(sims.map((sim) => sim.stop()));
  try {
    await untilReady({ url: `${url}/health/ready`, ca }, child, () => text);
  } catch (error) {
    child.kill('SIGKILL');
    await ended;
    await stopSims();
    if (options.dataDirectory === undefined) rmSync(home, { recursive: true, force: true });
    throw error;
  }
  const adminKey = readFileSync(join(dataDirectory, 'admin.key'), 'utf8').trim();
  const asAdmin = {
    authorization: `Bearer ${adminKey}`,
    'content-type': 'application/json',
  };
  return {
    url,
    port,
    adminKey,
    dataDirectory,
    configurationFile,
    pid: child.pid ?? 0,
    sims,
    output: () => text,
    configure,
    async json(path, init = {}) {
      const answer = await exchangeWhole({
        url: url + path,
        ca,
        method: init.method ?? 'GET',
        headers: { ...asAdmin, ...Object.fromEntries(new Headers(init.headers)) },
        ...(init.body === undefined || init.body === null ? {} : { body: String(init.body) }),
      });
      const body = answer.text === '' ? undefined : (JSON.parse(answer.text) as unknown);
      return { status: answer.status, body };
    },
    send: (path, how = {}) => exchangeWhole({ url: url + path, ca, ...how }),
    openStream: (path, body) =>
      openStreamed({ url: url + path, ca, method: 'POST', headers: asAdmin, body }),
    ended: () => ended,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    signal(name) {
      child.kill(name);
      return ended;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
        await ended;
        clearTimeout(timer);
      }
      await stopSims();
      if (options.dataDirectory === undefined) rmSync(home, { recursive: true, force: true });
    },
  };
}
