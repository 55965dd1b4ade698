// Arrivals as real requests: each is sent at its time whatever became of the others (open loop),
// and what is measured is when the first content and the end arrived.
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { tokenText } from '../../src/core/workload/engine/generated-content.ts';
import type { Arrival } from '../../src/core/workload/traces/arrivals.ts';

export type PlayedRequest = {
  readonly ok: boolean;
  /** Of the answer; 0 without one. */
  readonly status: number;
  /** After it was sent. */
  readonly firstMs: number;
  readonly totalMs: number;
  /** Sent after its time. */
  readonly lateMs: number;
};

type Server = { readonly port: number; readonly key: string };

/** The face joins role and content, a line each: `user`, a break, and one at the end. */
const roleCharacters = 'user\n\n'.length;
const charactersPerToken = 4;
const timeoutMs = 60_000;

/** Plays all arrivals and resolves when the last one has ended. */
export async function playOver(
  server: Server,
  model: string,
  arrivals: readonly Arrival[],
): Promise<PlayedRequest[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1024 });
  const startedMs = performance.now();
  const open: Promise<PlayedRequest>[] = [];
  for (const [index, arrival] of arrivals.entries()) {
    const dueMs = startedMs + arrival.atUs / 1000;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await delay(waitMs);
    open.push(send(server, agent, bodyOf(model, arrival, index), dueMs));
  }
  const played = await Promise.all(open);
  agent.destroy();
  return played;
}

function bodyOf(model: string, arrival: Arrival, index: number): string {
  const characters = Math.max(1, arrival.promptTokens * charactersPerToken - roleCharacters);
  // Another text for each request, so that no engine finds it in its prefix cache.
  const text = tokenText(Math.imul(index + 1, 0x9e3779b1), 0, arrival.promptTokens);
  return JSON.stringify({
    model,
    stream: true,
    max_tokens: arrival.outputTokens,
    messages: [{ role: 'user', content: text.slice(0, characters) }],
  });
}

function send(server: Server, agent: Agent, body: string, dueMs: number): Promise<PlayedRequest> {
  const sentMs = performance.now();
  const lateMs = sentMs - dueMs;
  return new Promise((resolve) => {
    let firstMs = Number.NaN;
    let status = 0;
    const end = (ok: boolean): void =>
      resolve({ ok, status, firstMs, totalMs: performance.now() - sentMs, lateMs });
    const sent = request(
      {
        host: '127.0.0.1',
        port: server.port,
        agent,
        method: 'POST',
        path: '/v1/chat/completions',
        timeout: timeoutMs,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          authorization: `Bearer ${server.key}`,
        },
      },
      (answer) => {
        status = answer.statusCode ?? 0;
        answer.on('data', () => {
          if (Number.isNaN(firstMs)) firstMs = performance.now() - sentMs;
        });
        answer.on('end', () => end(status === 200));
        answer.on('error', () => end(false));
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', () => end(false));
    sent.end(body);
  });
}
