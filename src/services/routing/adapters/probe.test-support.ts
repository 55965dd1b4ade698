// Real HTTP servers that answer as an engine does, and probes of them. A test file that serves says
// `afterEach(closeServers)` itself: files may share a process, and this module is loaded once in it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { BackendType } from '../../../base/backend-type.ts';
import type { BackendId } from '../../../base/brand.ts';
import { Secret } from '../../../base/secret.ts';
import {
  type Answer,
  sendJson,
  startServer,
  type TestServer,
} from '../../../io/http/probe/json-server.test-support.ts';
import { createProbeClient } from '../../../io/http/probe/probe-client.ts';
import type { ReadCredential } from './credential-headers.ts';
import type { ModelOverride } from './model-overrides.ts';
import { createProbeBackend, type ProbeBackend } from './probe-backend.ts';
import type { HealthyProbe, ProbeTarget } from './probe-result.ts';

const servers: TestServer[] = [];

export async function closeServers(): Promise<void> {
  for (const server of servers.splice(0)) await server.close();
}

export async function serve(answer: Answer): Promise<TestServer> {
  const server = await startServer(answer);
  servers.push(server);
  return server;
}

export const testClient = createProbeClient({
  monotonicMs: () => performance.now(),
  mayContact: () => true,
});

const environment: Readonly<Record<string, string>> = {
  TENSORFORGE_BACKEND_KEY_BOX: 'box-secret',
  TENSORFORGE_BACKEND_KEY_EMPTY: '',
  TENSORFORGE_BACKEND_KEY_TORN: 'a\r\nx: y',
  DATABASE_URL: 'postgres://secret',
};

export const readTestCredential: ReadCredential = (name) => {
  const value = environment[name];
  return value === undefined ? undefined : new Secret(value);
};

export function probeWith(
  timeoutMs = 5_000,
  modelOverrides: readonly ModelOverride[] = [],
): ProbeBackend {
  const readCredential = readTestCredential;
  return createProbeBackend({ client: testClient, timeoutMs, readCredential, modelOverrides });
}

export function target(
  type: BackendType,
  server: Pick<TestServer, 'url'>,
  more: Partial<ProbeTarget> = {},
): ProbeTarget {
  return {
    id: 'box' as BackendId,
    url: server.url,
    backendType: type,
    apiKeyEnv: undefined,
    discoverySource: 'manual',
    approved: true,
    ...more,
  };
}

export async function healthy(
  type: BackendType,
  answer: Answer,
  more: Partial<ProbeTarget> = {},
): Promise<HealthyProbe> {
  const result = await probeWith()(target(type, await serve(answer), more));
  assert.equal(result.kind, 'healthy', JSON.stringify(result));
  return result as HealthyProbe;
}

/** The text of a file under `fixtures`. */
export function fixture(name: string): string {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
}

function sendFixture(response: ServerResponse, name: string): void {
  const type = name.endsWith('.json') ? 'application/json' : 'text/plain; version=0.0.4';
  response.writeHead(200, { 'content-type': type });
  response.end(fixture(name));
}

/**
 * Answers with fixtures: by `path?query`, else by path; 404 for all others. A path may have a function
 * for its answer instead.
 */
export function byFixture(routes: Readonly<Record<string, string | Answer>>): Answer {
  return (asked, response) => {
    const path = asked.path.split('?')[0] ?? '';
    const route = routes[asked.path] ?? routes[path];
    if (route === undefined) sendJson(response, 404, { error: 'not found' });
    else if (typeof route === 'string') sendFixture(response, route);
    else route(asked, response);
  };
}
