// The policy routes of a control API for tests of the command line: a real HTTP server that parses
// what it is sent and what it answers by the schemas.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  type PolicyHistoryWire,
  type PolicyViewWire,
  policyHistorySchema,
  policyPinSchema,
  policyViewSchema,
} from '../../protocol/control/trust-schemas.ts';
import { fixtureKey } from './control-server.ts';

function effect(mode: PolicyViewWire['mode']): PolicyViewWire['effects'][number] {
  return {
    mode,
    description: 'Standard operations',
    retries: 3,
    least_class: mode === 'halted' ? 5 : 1,
    emergency_shedding: false,
    experiments: true,
    shadow_share: 1,
    canary_promotion: true,
    deployments: true,
    batching: 'all',
    batch_wait_share: 1,
    openai_batches: true,
    suite_runs: true,
    calm_ticks: mode === 'normal' ? null : 5,
    cooldown_seconds: 60,
  };
}

export function policyFixture(over: Partial<PolicyViewWire> = {}): PolicyViewWire {
  return policyViewSchema.parse({
    at: '2026-11-21T12:04:31.000Z',
    mode: 'watch',
    since: '2026-11-21T11:58:10.000Z',
    verdict:
      'Mode watch since 11:58 UTC: budget burns 7.1x over 6 h. Normal again in >= 2 min if calm.',
    verdict_level: 'attention',
    pin: null,
    ladder_mode: 'watch',
    no_data_since: null,
    up: {
      burst: 0,
      burst_needed: 2,
      risk: 0.31,
      risk_threshold: 0.6,
      cooldown_left_seconds: 100,
      suppressed: 2,
    },
    down: { streak: 3, streak_needed: 5, hold_left_seconds: 110, recovered: false },
    slo: {
      words: 'first byte within 2000 ms, no server error',
      first_byte_ms: 2000,
      objective: 0.99,
      period_days: 30,
      budget_left: 0.61,
      requests: 8112,
      bad: 31,
    },
    burn: [
      {
        name: 'slow',
        factor: 6,
        long_seconds: 21_600,
        short_seconds: 1800,
        long_burn: 7.1,
        short_burn: null,
        firing: true,
        moves: true,
      },
    ],
    effects: [effect('normal'), effect('watch'), effect('restricted'), effect('halted')],
    ...over,
  });
}

export const historyFixture: PolicyHistoryWire = policyHistorySchema.parse({
  count: 2,
  moves: [
    {
      sequence: 2,
      at: '2026-11-21T12:00:00.000Z',
      kind: 'mode_pinned',
      from: 'watch',
      to: 'halted',
      reason: 'move\u001b[2J',
      actor: 'user:ana',
      evidence: { until: null },
    },
    {
      sequence: 1,
      at: '2026-11-21T11:58:10.000Z',
      kind: 'mode_escalated',
      from: 'normal',
      to: 'watch',
      reason: 'escalation: 2 failures',
      actor: 'service:policy',
      evidence: { cause: 'budget burns 7.1x over 6 h', burst: 2 },
    },
  ],
  burn: [],
});

export type PolicyCall = {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
};

export class PolicyServer {
  readonly calls: PolicyCall[] = [];
  /** When set, every call is refused with this status and code. */
  refusal: { readonly status: number; readonly code: string } | undefined;
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
    const url = new URL(request.url ?? '/', 'http://fixture');
    let text = '';
    for await (const part of request) text += String(part);
    const call: PolicyCall = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      body: text === '' ? undefined : JSON.parse(text),
    };
    this.calls.push(call);
    const isKnown = request.headers.authorization === `Bearer ${fixtureKey}`;
    const refusal = isKnown ? this.refusal : { status: 401, code: 'invalid_api_key' };
    const body =
      refusal === undefined ? this.#body(call) : { msg: 'It was refused.', code: refusal.code };
    response.writeHead(refusal?.status ?? 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }

  #body({ method, path, body }: PolicyCall): unknown {
    if (path === '/api/v1/policy/history') return historyFixture;
    if (method !== 'PUT') return policyFixture();
    const { mode, reason, expires_in_seconds: seconds } = policyPinSchema.parse(body);
    const since = '2026-11-21T12:04:31.000Z';
    const until = seconds === null ? null : '2026-11-21T14:04:31.000Z';
    const verdict = `Mode ${mode} pinned by user:ana: ${reason}.`;
    return policyFixture({ mode, pin: { mode, by: 'user:ana', reason, since, until }, verdict });
  }
}
