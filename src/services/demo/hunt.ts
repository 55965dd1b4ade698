// Finds the moment of the kill and kills. It watches one engine closely; the bursts of the load bring
// the moment by themselves most of the time, and where they do not, requests are added until it comes.
// It is never made up: without such a moment nothing is killed and the demo fails.

import { setTimeout as delay } from 'node:timers/promises';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { Engine } from './engines.ts';
import { type Kill, killVerdict } from './kill-moment.ts';

export type HuntPlan = {
  /** When to begin to look, on the clock of the load, ms. */
  readonly fromMs: number;
  /** From here on requests are added. */
  readonly addFromMs: number;
  /** From here on it is given up. */
  readonly untilMs: number;
};

/** The kill comes early, so that there is a long after. */
export function huntPlan(loadMs: number): HuntPlan {
  const addFromMs = Math.min(loadMs * 0.5, 25_000);
  return {
    fromMs: Math.min(loadMs * 0.2, 10_000),
    addFromMs,
    untilMs: addFromMs + 15_000,
  };
}

export type HuntOptions = {
  readonly engine: Engine;
  readonly plan: HuntPlan;
  readonly nowMs: () => number;
  readonly clientStreams: () => readonly number[];
  /** Sends that many requests at once. */
  readonly add: (count: number) => void;
  readonly signal: AbortSignal;
};

const lookEveryMs = 20;
/** Time between two added bursts: enough for the engine to work off most of the one before, ms. */
const addEveryMs = 2000;
const firstAdded = 24;
const addedMax = 96;

/** Throws `internal_error` when the moment does not come, and the reason of an aborted signal. */
export async function huntAndKill(options: HuntOptions): Promise<Kill> {
  const { engine, plan, nowMs, signal } = options;
  await delay(Math.max(0, plan.fromMs - nowMs()), undefined, { signal });
  let addAtMs = plan.addFromMs;
  let burst = firstAdded;
  let addedRequests = 0;
  let last = 'it was never asked';
  while (nowMs() < plan.untilMs) {
    signal.throwIfAborted();
    if (nowMs() >= addAtMs) {
      options.add(burst);
      addedRequests += burst;
      burst = Math.min(addedMax, Math.ceil(burst * 1.5));
      addAtMs = nowMs() + addEveryMs;
    }
    const askedMs = nowMs();
    const state = await engine.state();
    const lookedMs = nowMs() - askedMs;
    const clientStreams = options.clientStreams();
    const verdict = killVerdict({
      engineStreams: state.streams_running,
      engineSilent: state.without_first_byte,
      clientStreams: clientStreams.length,
      lookedMs,
    });
    if (verdict.kind === 'kill') {
      engine.child.kill();
      return {
        engine: engine.spec.name,
        atMs: nowMs(),
        engineStreams: state.streams_running,
        engineSilent: state.without_first_byte,
        clientStreams,
        lookedMs,
        addedRequests,
      };
    }
    last = verdict.words;
    await delay(lookEveryMs, undefined, { signal });
  }
  throw new TensorForgeError(
    'internal_error',
    `no engine was killed: ${engine.spec.name} never had 3 streams and 3 requests without a first byte at once; at last ${last}. ${addedRequests} requests were added for it`,
  );
}
