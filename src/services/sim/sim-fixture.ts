// For tests: a simulated server that ends with its test, fast enough not to be waited for.

import type { TestContext } from 'node:test';
import { type SimFault, type SimState, simStateSchema } from '../../protocol/sim/schemas.ts';
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

export function postJson(url: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

export async function setFault(sim: RunningSim, fault: SimFault): Promise<void> {
  const response = await postJson(`${sim.url}/sim/faults`, fault);
  if (response.status !== 201) throw new Error(await response.text());
  await response.arrayBuffer();
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
