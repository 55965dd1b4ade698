// The product under test: `tensorforge up` as a process of its own, with its own data directory and
// database, its backends named in a configuration file as an operator would name them.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Secret } from '../../base/secret.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { backendListSchema } from '../../protocol/control/schemas.ts';
import type { Child, Children } from './children.ts';
import type { Engine } from './engines.ts';

export type ControlPlane = {
  readonly url: string;
  readonly key: Secret;
  readonly keyFile: string;
  readonly child: Child;
  readonly dataDirectory: string;
};

/** What the gateway counted itself, to hold against what the client saw. */
export type GatewayCounts = {
  readonly failovers: number;
  readonly streamsCut: number;
};

const readyWithinMs = 90_000;
const backendsWithinMs = 15_000;

/** A configuration file is YAML, and JSON is YAML. */
function configuration(engines: readonly Engine[], withDashboard: boolean): string {
  const settings = {
    server: { port: 0, drain_seconds: 3 },
    discovery: { enabled: false },
    simulate: false,
    dashboard: { enabled: withDashboard },
    logging: { level: 'warn' },
    // One key sends the whole load, which is more than one client should be allowed by default.
    limits: { key_concurrency: 0 },
    backends: engines.map(({ spec, url }) => ({ name: spec.name, url, type: spec.as })),
  };
  return `${JSON.stringify(settings, null, 2)}\n`;
}

/** Starts it and waits until it serves all engines. Throws `internal_error` with what it wrote. */
export async function startControlPlane(
  children: Children,
  folder: string,
  engines: readonly Engine[],
  withDashboard: boolean,
): Promise<ControlPlane> {
  const configurationFile = join(folder, 'tensorforge.yaml');
  writeFileSync(configurationFile, configuration(engines, withDashboard));
  const dataDirectory = join(folder, 'data');
  const files = ['--config', configurationFile, '--data-dir', dataDirectory];
  const child = children.start('tensorforge up', ['up', '--json', ...files]);
  const [, url = ''] = await child.says(
    /"ready":true,"url":"(http:\/\/127\.0\.0\.1:\d+)"/,
    readyWithinMs,
  );
  const keyFile = join(dataDirectory, 'admin.key');
  const key = new Secret(readFileSync(keyFile, 'utf8').trim());
  const plane = { url, key, keyFile, child, dataDirectory };
  await untilRoutable(plane, engines.length);
  return plane;
}

async function get(plane: ControlPlane, path: string): Promise<Response> {
  const headers = { authorization: `Bearer ${plane.key.reveal()}` };
  return fetch(plane.url + path, { headers, signal: AbortSignal.timeout(5000) });
}

/** A call of the control API, a POST where there is a body. Throws `internal_error` on a refusal. */
export async function callControl(
  plane: ControlPlane,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const headers = {
    authorization: `Bearer ${plane.key.reveal()}`,
    'content-type': 'application/json',
  };
  const answer = await fetch(plane.url + path, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers,
    signal: AbortSignal.timeout(15_000),
  });
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text) as unknown;
  throw new TensorForgeError('internal_error', `${path} answered ${answer.status}: ${text}`);
}

async function untilRoutable(plane: ControlPlane, count: number): Promise<void> {
  const deadlineMs = performance.now() + backendsWithinMs;
  let seen = 'no answer';
  while (performance.now() < deadlineMs) {
    const ready = await get(plane, '/health/ready');
    await ready.body?.cancel();
    const answer = await get(plane, '/api/v1/backends');
    const list = backendListSchema.safeParse(await answer.json());
    seen = list.success ? list.data.summary : `status ${answer.status} to /api/v1/backends`;
    const routable = list.success ? list.data.backends.filter((one) => one.routable).length : 0;
    if (ready.status === 200 && routable === count) return;
    await delay(100);
  }
  throw new TensorForgeError(
    'internal_error',
    `not all ${count} engines are routable after ${backendsWithinMs / 1000} s: ${seen}`,
  );
}

/** The sum over all label sets of one metric in the Prometheus text format. */
export function metricSum(text: string, name: string): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith(name)) continue;
    const rest = line.slice(name.length);
    if (rest.startsWith('{') || rest.startsWith(' '))
      sum += Number(rest.slice(rest.lastIndexOf(' ')));
  }
  return sum;
}

export async function readGatewayCounts(plane: ControlPlane): Promise<GatewayCounts> {
  const answer = await get(plane, '/metrics');
  const text = await answer.text();
  return {
    failovers: metricSum(text, 'tensorforge_failovers_total'),
    streamsCut: metricSum(text, 'tensorforge_streams_cut_total'),
  };
}
