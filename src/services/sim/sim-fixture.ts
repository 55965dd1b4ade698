// For tests: a simulated server that ends with its test, fast enough not to be waited for.

import type { TestContext } from 'node:test';
import type { SimFace } from '../../protocol/sim/faces.ts';
import {
  type SimFault,
  type SimState,
  type SimStats,
  simStateSchema,
  simStatsSchema,
} from '../../protocol/sim/schemas.ts';
import type { SimOptions } from './options.ts';
import { type RunningSim, startSim } from './sim-server.ts';

export async function simFor(
  context: TestContext,
  options: Partial<SimOptions> & Pick<SimOptions, 'as'>,
): Promise<RunningSim> {
  const sim = await startSim({
    port: 0,
    models: ['llama3:8b', 'nomic-embed'],
    profile: 'h100-7b',
    seed: 1,
    speed: 20,
    ...options,
  });
  context.after(() => sim.stop());
  return sim;
}

export function postJson(
  url: string,
  body: unknown,
  signal?: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** What each cloud wants with every request. */
export const anthropicHeaders = { 'x-api-key': 'sesame', 'anthropic-version': '2023-06-01' };
export const googleHeaders = { 'x-goog-api-key': 'sesame' };

/** A short chat in the protocol of the face. */
export function chatRequest(sim: RunningSim, as: SimFace, isStream: boolean): Promise<Response> {
  const stream = isStream;
  switch (as) {
    case 'anthropic':
      return postJson(`${sim.url}/v1/messages`, chatBody({ stream }), undefined, anthropicHeaders);
    case 'google': {
      const body = { contents: [{ parts: [{ text: 'How are you today?' }] }] };
      const method = isStream ? 'streamGenerateContent?alt=sse' : 'generateContent';
      const url = `${sim.url}/v1beta/models/llama3:8b:${method}`;
      return postJson(url, body, undefined, googleHeaders);
    }
    default:
      return postJson(`${sim.url}/v1/chat/completions`, chatBody({ stream }));
  }
}

export type SentEvent = { readonly name: string | undefined; readonly data: unknown };

/** The server-sent events of a complete stream. */
export async function eventsOf(response: Response): Promise<readonly SentEvent[]> {
  const blocks = (await response.text()).split('\n\n').filter((block) => block !== '');
  return blocks.map((block) => {
    const lines = block.split('\n');
    const field = (name: string): string | undefined =>
      lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    return { name: field('event'), data: JSON.parse(field('data') ?? 'null') };
  });
}

export async function setFault(sim: RunningSim, fault: SimFault): Promise<void> {
  const response = await postJson(`${sim.url}/sim/faults`, fault);
  if (response.status !== 201) throw new Error(await response.text());
  await response.arrayBuffer();
}

export async function statsNow(sim: RunningSim): Promise<SimStats> {
  const response = await fetch(`${sim.url}/sim/stats`);
  return simStatsSchema.parse(await response.json());
}

/** Asks the server for its state until `holds`; fails after ten seconds. */
export async function stateWhen(
  sim: RunningSim,
  holds: (state: SimState) => boolean,
): Promise<SimState> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const response = await fetch(`${sim.url}/sim/state`);
    const state = simStateSchema.parse(await response.json());
    if (holds(state)) return state;
    if (Date.now() > deadline) throw new Error(`state not reached: ${JSON.stringify(state)}`);
  }
}

export function chatBody(members: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    model: 'llama3:8b',
    messages: [{ role: 'user', content: 'How are you today?' }],
    max_tokens: 8,
    ...members,
  };
}
