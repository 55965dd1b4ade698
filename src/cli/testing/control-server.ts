// A small installation for tests: a real HTTP server that speaks the control API by its schemas, with
// backends and keys in memory. What it sends is parsed by those schemas first, so that a fixture that
// drifted from them fails by itself.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  type BackendExplainWire,
  type BackendViewWire,
  backendAddSchema,
  backendExplainSchema,
  backendListSchema,
  backendViewSchema,
  type DecisionWire,
  decisionListSchema,
  decisionSchema,
  gatewayHealthSchema,
  type KeyViewWire,
  keyCreatedSchema,
  keyCreateSchema,
  keyListSchema,
  keyViewSchema,
} from '../../protocol/control/schemas.ts';

export const fixtureKey = 'tfk_fixture_key_of_the_test';

export function backendFixture(over: Partial<BackendViewWire> = {}): BackendViewWire {
  return backendViewSchema.parse({
    id: 'box-1',
    name: 'Box 1',
    url: 'http://10.0.0.1:11434',
    backend_type: 'ollama',
    status: 'healthy',
    status_reason: null,
    status_since: '2026-11-01T10:00:00.000Z',
    status_words: 'takes requests',
    routable: true,
    last_health_check: '2026-11-01T10:05:00.000Z',
    last_error: null,
    models: [
      {
        id: 'llama3:8b',
        name: 'llama3',
        context_length: 8192,
        supports_vision: false,
        supports_tools: true,
        supports_json_mode: true,
        max_output_tokens: null,
      },
    ],
    priority: 50,
    pending_requests: 3,
    total_requests: 1200,
    avg_latency_ms: 12,
    first_byte_ms: 212,
    discovery_source: 'manual',
    metadata: {},
    zone: 'restricted',
    tier: 1,
    capacity: 0,
    approved: true,
    simulated: false,
    current_operation: null,
    load: null,
    loaded_models: null,
    closed_models: [],
    ...over,
  });
}

export function keyFixture(over: Partial<KeyViewWire> = {}): KeyViewWire {
  return keyViewSchema.parse({
    id: 'key_abcdefghijkl',
    name: 'ci',
    group_name: 'admin',
    owner: null,
    permissions: ['inference:use', 'models:read'],
    models: [],
    last4: 'q7x2',
    created_at: '2026-11-01T10:00:00.000Z',
    expires_at: null,
    revoked: false,
    last_used_at: null,
    ...over,
  });
}

export const decisionFixture: DecisionWire = decisionSchema.parse({
  decision_id: 'req-1.1',
  request_id: 'req-1',
  at: '2026-11-01T10:05:00.000Z',
  path: '/v1/chat/completions',
  key_id: 'key_abcdefghijkl',
  group_name: 'admin',
  model: 'chat',
  served_model: 'llama3:8b',
  backend_id: 'box-1',
  reason: 'best score of 2',
  route_reason: 'capability-match',
  attempts: 1,
  stream: true,
  status: 200,
  code: null,
  first_byte_ms: 214,
  total_ms: 3100,
  overhead_ms: 0.21,
  selected_latency_ms: 12,
  minimum_latency_ms: 12,
  candidates: [
    {
      backend_id: 'box-3',
      score: null,
      reason: 'context 8192 < 9050',
      stage: 'capability',
      suggested_action: 'shorten the prompt',
    },
    {
      backend_id: 'box-2',
      score: 8900,
      reason: 'refused the first attempt',
      stage: null,
      suggested_action: null,
    },
    { backend_id: 'box-1', score: 8720, reason: 'load 3', stage: null, suggested_action: null },
  ],
});

export function explainFixture(backend: BackendViewWire): BackendExplainWire {
  const at = '2026-11-01T10:05:00.000Z';
  return backendExplainSchema.parse({
    backend,
    verdict: `Takes no requests for 4 m: ${backend.status_words}.`,
    gates: [
      { name: 'approval', state: 'open', words: 'approved', since: null, remedy: null },
      {
        name: 'health',
        state: 'closed',
        words: 'unhealthy for 4 m: connection failed: refused',
        since: at,
        remedy: `start it, then: tensorforge backends probe ${backend.id}`,
      },
      { name: 'breaker', state: 'off', words: 'none is configured', since: null, remedy: null },
    ],
    next_probe_at: '2026-11-01T10:05:41.000Z',
    probe_words: '9 failed in a row, next probe in 41 s',
    failures_in_row: 9,
    successes_in_row: 0,
    recovery_needed: 4,
    probes: [
      {
        at,
        kind: 'unhealthy',
        words: 'connection failed: refused',
        latency_ms: null,
        status: 'unhealthy',
      },
    ],
    history: [
      {
        from: at,
        to: null,
        status: 'unhealthy',
        reason: null,
        words: 'connection failed: refused',
      },
    ],
    models: [
      {
        id: 'llama3:8b',
        context_length: 8192,
        supports_vision: false,
        supports_tools: true,
        supports_json_mode: true,
        loaded: false,
        kind: 'chat',
        size_bytes: 4_700_000_000,
        vram_bytes: null,
        quantization: 'Q4_K_M',
        closed: null,
        only_holder: true,
      },
    ],
    last_load: { running: 3, waiting: 1, kv_use: 0.71, read_at: at },
    load_max_age_ms: 15_000,
  });
}

export type Seen = { readonly method: string; readonly path: string; readonly body: unknown };

type Reply = { readonly status: number; readonly body?: unknown };

function refusal(status: number, code: string, msg: string, details?: unknown): Reply {
  return { status, body: { msg, code, ...(details === undefined ? {} : { details }) } };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const part of request) text += String(part);
  return text === '' ? undefined : JSON.parse(text);
}

export class ControlServer {
  readonly backends = new Map<string, BackendViewWire>();
  readonly keys = new Map<string, KeyViewWire>();
  readonly seen: Seen[] = [];
  /** Credentials of all requests; undefined where there was none. */
  readonly credentials: (string | undefined)[] = [];
  /** Answers for these exact paths instead of the usual ones. */
  readonly overrides = new Map<string, Reply>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no address');
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path } = new URL(request.url ?? '/', 'http://fixture');
    const method = request.method ?? 'GET';
    const body = await bodyOf(request);
    this.seen.push({ method, path, body });
    this.credentials.push(request.headers.authorization);
    const isPublic = path === '/health';
    const isKnown = request.headers.authorization === `Bearer ${fixtureKey}`;
    const reply =
      this.overrides.get(path) ??
      (isPublic || isKnown
        ? this.#route(method, path, body)
        : refusal(401, 'invalid_api_key', 'The credential is not accepted.'));
    response.writeHead(reply.status, { 'content-type': 'application/json' });
    response.end(reply.body === undefined ? undefined : JSON.stringify(reply.body));
  }

  #route(method: string, path: string, body: unknown): Reply {
    if (path === '/health') return { status: 200, body: this.#health() };
    if (path === '/v1/models') return { status: 200, body: this.#models() };
    if (path === '/api/v1/decisions') {
      const decisions = [
        { ...decisionFixture, at: '2026-11-01T09:00:00.000Z', request_id: 'old' },
        decisionFixture,
      ];
      return { status: 200, body: decisionListSchema.parse({ count: 2, decisions }) };
    }
    if (path === '/api/v1/decisions/req-1') return { status: 200, body: decisionFixture };
    if (path === '/api/v1/config/reload') {
      return {
        status: 200,
        body: { applied: ['routing.strategy'], needs_restart: ['server.port'], warnings: [] },
      };
    }
    if (path === '/api/v1/config') {
      const options = { 'server.port': 8120, 'database.url': '[redacted]' };
      const sources = { 'server.port': 'default', 'database.url': 'env' };
      return { status: 200, body: { options, sources, file: null } };
    }
    const parts = /^\/api\/v1\/(backends|keys)(?:\/([^/]+)(?:\/([a-z]+))?)?$/.exec(path);
    const [, noun, id, verb] = parts ?? [];
    if (noun === 'backends') return this.#backend(method, id, verb, body);
    if (noun === 'keys') return this.#key(method, id, body);
    return refusal(404, 'not_found', `There is no ${method} ${path}.`);
  }

  #health(): unknown {
    const healthy = [...this.backends.values()].filter((each) => each.status === 'healthy').length;
    const total = this.backends.size;
    return gatewayHealthSchema.parse({
      service: 'gateway',
      status: healthy === total ? 'healthy' : 'degraded',
      level: 'healthy',
      state: 'active',
      version: '1.0.0',
      build: '0.1.0',
      uptime_seconds: 11_000,
      health_score: 1,
      backends: { total, healthy, unhealthy: total - healthy },
      models: 2,
      services: { gateway: 'active', routing: 'draining' },
      quorum: true,
    });
  }

  #models(): unknown {
    const entry = (id: string, owner: string) => ({
      id,
      object: 'model',
      created: 1,
      owned_by: owner,
      context_length: 8192,
      capabilities: { vision: false, tools: true, json_mode: true },
    });
    return {
      object: 'list',
      data: [entry('llama3:8b', 'Box 1'), entry('llama3:8b', 'Box 2'), entry('qwen3:4b', 'Box 1')],
    };
  }

  #backend(method: string, id: string | undefined, verb: string | undefined, body: unknown): Reply {
    if (id === undefined && method === 'GET') {
      const backends = [...this.backends.values()];
      const summary = `${backends.filter((each) => each.routable).length} of ${backends.length} take new requests.`;
      return {
        status: 200,
        body: backendListSchema.parse({ count: backends.length, summary, backends }),
      };
    }
    if (id === undefined) {
      const wanted = backendAddSchema.parse(body);
      const taken = [...this.backends.values()].find((each) => each.url === wanted.url);
      if (taken !== undefined) {
        return refusal(409, 'duplicate_backend', `${taken.id} already has this address.`);
      }
      const name = wanted.name ?? 'box-9';
      const view = backendFixture({ id: name, name, url: wanted.url });
      this.backends.set(view.id, view);
      return { status: 201, body: view };
    }
    const view = this.backends.get(decodeURIComponent(id));
    if (view === undefined) return refusal(404, 'backend_not_found', `There is no backend ${id}.`);
    if (verb === 'explain') return { status: 200, body: explainFixture(view) };
    if (method === 'DELETE') {
      this.backends.delete(view.id);
      return { status: 204 };
    }
    const changed =
      verb === 'drain'
        ? {
            ...view,
            status: 'draining' as const,
            routable: false,
            status_words: 'drains: 3 requests end first',
          }
        : { ...view, status: 'healthy' as const, routable: true, approved: true };
    this.backends.set(view.id, changed);
    return { status: 200, body: changed };
  }

  #key(method: string, id: string | undefined, body: unknown): Reply {
    if (id === undefined && method === 'GET') {
      const keys = [...this.keys.values()];
      return { status: 200, body: keyListSchema.parse({ count: keys.length, keys }) };
    }
    if (id === undefined) {
      const wanted = keyCreateSchema.parse(body);
      const view = keyFixture({
        name: wanted.name,
        permissions: wanted.permissions ?? ['inference:use'],
      });
      this.keys.set(view.id, view);
      return {
        status: 201,
        body: keyCreatedSchema.parse({ ...view, secret: 'tfk_abcdefghijkl_secret_check0' }),
      };
    }
    const view = this.keys.get(id);
    if (view === undefined) return refusal(404, 'key_not_found', `There is no key ${id}.`);
    if (method !== 'DELETE') return { status: 200, body: view };
    this.keys.set(id, { ...view, revoked: true });
    return { status: 200, body: { ...view, revoked: true } };
  }
}
