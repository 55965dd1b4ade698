// The three simulated engines: as processes of their own, so that one of them can really be killed.
// They differ in speed, in how many requests they take into a batch, and in protocol.

import { Agent, request } from 'node:http';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { type SimState, simStateSchema } from '../../protocol/sim/schemas.ts';
import type { Child, Children } from './children.ts';

export type EngineSpec = {
  readonly name: string;
  readonly as: 'vllm' | 'ollama' | 'llamacpp';
  readonly profile: 'h100-7b' | 'a100-7b';
  /** Model time over real time. */
  readonly speed: number;
  /** Requests in a batch at once; more wait inside the engine. */
  readonly maxRunning: number;
  readonly seed: number;
};

export type Engine = {
  readonly spec: EngineSpec;
  readonly url: string;
  readonly child: Child;
  /** What the engine says of itself. Throws when it does not answer. */
  state: () => Promise<SimState>;
};

/** The model that all three offer. */
export const demoModel = 'llama-2-7b-sim';

/** A batch server, a desktop server on half the hardware, one on a quarter; slots as they start with. */
export const demoEngines: readonly EngineSpec[] = [
  { name: 'sim-fast', as: 'vllm', profile: 'h100-7b', speed: 1, maxRunning: 256, seed: 1 },
  { name: 'sim-big', as: 'ollama', profile: 'a100-7b', speed: 1, maxRunning: 4, seed: 2 },
  { name: 'sim-slow', as: 'llamacpp', profile: 'a100-7b', speed: 0.5, maxRunning: 4, seed: 3 },
];

/** The engine that is killed: it has few slots, so in a burst requests wait there. */
export const victimName = 'sim-big';

const readyWithinMs = 30_000;
const stateWithinMs = 2_000;

export async function startEngines(
  children: Children,
  specs: readonly EngineSpec[],
): Promise<readonly Engine[]> {
  const started = specs.map((spec) => ({ spec, child: children.start(spec.name, argsOf(spec)) }));
  return Promise.all(
    started.map(async ({ spec, child }) => {
      const [, url = ''] = await child.says(/ (http:\/\/127\.0\.0\.1:\d+) /, readyWithinMs);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      return { spec, url, child, state: () => readState(`${url}/sim/state`, agent) };
    }),
  );
}

function argsOf(spec: EngineSpec): string[] {
  return [
    'sim',
    '--as',
    spec.as,
    '--name',
    spec.name,
    '--port',
    '0',
    '--model',
    demoModel,
    '--profile',
    spec.profile,
    '--speed',
    String(spec.speed),
    '--max-running',
    String(spec.maxRunning),
    '--load-ms',
    '0',
    '--seed',
    String(spec.seed),
  ];
}

/** By plain HTTP on a kept connection: the moment of the kill hangs on how fast the answer comes. */
function readState(url: string, agent: Agent): Promise<SimState> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, timeout: stateWithinMs }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        const state = simStateSchema.safeParse(parsed(text));
        if (state.success) resolve(state.data);
        else reject(new TensorForgeError('internal_error', `${url} answered: ${text}`));
      });
    });
    asked.on('timeout', () => asked.destroy(new Error(`${url} is silent`)));
    asked.on('error', reject);
    asked.end();
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
