// HAProxy as the yardstick, twice: as a bare proxy, and doing nearly what the gateway does (key
// map, rate table, reading `model` from the body, least connections over ten, request id).
// Two threads, no log, as benchmarks are defined in docs/benchmarks.md.
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findProgram } from '../../scripts/debian.ts';
import type { Processes, Started } from '../harness/processes.ts';
import { freePort } from './free-port.ts';
import { benchModel, type Endpoint } from './requests.ts';

export const haproxyThreads = 2;

/** Above its default of 16 KB, so that it sees the whole body of requests of 100 KB. */
export const largeBufferBytes = 131_072;

export type Proxy = Endpoint & { readonly pid: number; readonly started: Started };

function common(bufferBytes?: number): string {
  const buffers = bufferBytes === undefined ? '' : `  tune.bufsize ${bufferBytes}\n`;
  return `global
  nbthread ${haproxyThreads}
  maxconn 4096
${buffers}defaults
  mode http
  option http-keep-alive
  option http-no-delay
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
`;
}

function bareConfig(port: number, backend: number): string {
  return `${common()}
frontend front
  bind 127.0.0.1:${port}
  default_backend models
backend models
  server m0 127.0.0.1:${backend}
`;
}

/** `keys` and `models` are map files: credential to principal, model to backend. */
type SameFeatures = {
  readonly keys: string;
  readonly models: string;
  readonly bufferBytes: number | undefined;
};

function sameFeaturesConfig(port: number, backends: readonly number[], maps: SameFeatures): string {
  const servers = backends.map((backend, at) => `  server m${at} 127.0.0.1:${backend}`).join('\n');
  return `${common(maps.bufferBytes)}
frontend front
  bind 127.0.0.1:${port}
  option http-buffer-request
  unique-id-format %[uuid()]
  unique-id-header x-request-id
  http-request set-var(txn.who) req.hdr(authorization),word(2,' '),map_str(${maps.keys})
  http-request deny deny_status 401 unless { var(txn.who) -m found }
  stick-table type string len 32 size 10k expire 60s store http_req_rate(10s)
  http-request track-sc0 var(txn.who)
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 100000000 }
  http-request set-var(txn.model) req.body,json_query('$.model')
  http-request deny deny_status 404 unless { var(txn.model),map_str(${maps.models}) -m found }
  http-response set-header x-request-id %[unique-id]
  use_backend %[var(txn.model),map_str(${maps.models})]
backend models
  balance leastconn
${servers}
`;
}

async function startHaproxy(
  processes: Processes,
  scratch: string,
  name: string,
  config: (port: number) => string,
  key: string | undefined,
): Promise<Proxy> {
  const program = findProgram('haproxy');
  if (program === undefined) throw new Error('haproxy is not installed');
  const port = await freePort();
  const file = join(scratch, `${name}.cfg`);
  writeFileSync(file, config(port));
  const log = join(scratch, `${name}.log`);
  const started = processes.start(program, ['-db', '-q', '-f', file], { log });
  await listening(port);
  return { pid: started.pid, port, key, started };
}

export function startBareHaproxy(
  processes: Processes,
  scratch: string,
  backend: number,
): Promise<Proxy> {
  const config = (port: number): string => bareConfig(port, backend);
  return startHaproxy(processes, scratch, 'haproxy-bare', config, undefined);
}

export function startSameFeaturesHaproxy(
  processes: Processes,
  scratch: string,
  backends: readonly number[],
  bufferBytes?: number,
): Promise<Proxy> {
  const key = `tfk_${'k'.repeat(60)}`;
  const keys = join(scratch, 'keys.map');
  const maps = { keys, models: join(scratch, 'models.map'), bufferBytes };
  writeFileSync(maps.keys, `${key} first-key\n`);
  writeFileSync(maps.models, `${benchModel} models\n`);
  const config = (port: number): string => sameFeaturesConfig(port, backends, maps);
  const name = `haproxy-same-features-${bufferBytes ?? 'usual'}`;
  return startHaproxy(processes, scratch, name, config, key);
}

/** Waits until something accepts connections on the port, 10 s at most. */
async function listening(port: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await accepts(port))) {
    if (performance.now() > deadline) throw new Error(`nothing listens on port ${port}`);
    await delay(20);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
