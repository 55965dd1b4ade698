// Plays the plan against the control plane, kills one engine on the way, and waits for every answer.
// Open loop: a request is sent when its time has come, however many are still open.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { ControlPlane } from './control-plane.ts';
import { demoModel, type Engine, victimName } from './engines.ts';
import { huntAndKill, huntPlan } from './hunt.ts';
import type { Kill } from './kill-moment.ts';
import { LoadClient } from './load-client.ts';
import type { LoadPlan, PlannedRequest } from './load-plan.ts';
import type { Outcome } from './outcome.ts';
import type { Progress } from './progress.ts';
import type { QueueMaxima } from './report.ts';

export type Replayed = {
  readonly outcomes: readonly Outcome[];
  readonly kill: Kill | undefined;
  readonly notKilled: string | undefined;
  readonly queueMaxima: QueueMaxima;
  readonly clientLagP99Ms: number;
};

export type ReplayOptions = {
  readonly plan: LoadPlan;
  readonly plane: ControlPlane;
  readonly engines: readonly Engine[];
  readonly seed: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
};

const sampleEveryMs = 250;
/** Longest that is waited for answers after the last request; what is open then has failed, ms. */
const restWithinMs = 120_000;
/** What an added request is like: a stream of middling length. */
const addedPromptTokens = 1024;
const addedOutputTokens = 160;

export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { plan, plane, engines, seed, progress, signal } = options;
  const victim = engines.find(({ spec }) => spec.name === victimName);
  if (victim === undefined) throw new TensorForgeError('internal_error', `no ${victimName}`);
  const lag = monitorEventLoopDelay({ resolution: 10 });
  lag.enable();
  const beganMs = performance.now();
  const nowMs = (): number => performance.now() - beganMs;
  const { url, key } = plane;
  const patience = new AbortController();
  const anyEnd = AbortSignal.any([signal, patience.signal]);
  const client = new LoadClient({ url, key, model: demoModel, seed, nowMs, signal: anyEnd });
  const sent: Promise<void>[] = [];
  let next = plan.requests.length;
  const add = (count: number): void => {
    for (let i = 0; i < count; i++) {
      sent.push(client.send(addedRequest(next++, nowMs())));
    }
  };
  let kill: Kill | undefined;
  let notKilled: string | undefined;
  const hunted = huntAndKill({
    engine: victim,
    plan: huntPlan(plan.spanS * 1000),
    nowMs,
    clientStreams: () => client.openStreams(victim.spec.name),
    add,
    signal,
  }).then(
    (found) => {
      kill = found;
    },
    (error: unknown) => {
      notKilled = error instanceof Error ? error.message : String(error);
    },
  );
  const sampler = sampleQueues(engines, () =>
    progress.show(
      `${(nowMs() / 1000).toFixed(0)} of ${plan.spanS.toFixed(0)} s  sent ${sent.length}  open ${client.inFlight}  answered ${client.outcomes.length}${kill === undefined ? '' : `  ${kill.engine} killed`}`,
    ),
  );
  try {
    for (const request of plan.requests) {
      const waitMs = request.atMs - nowMs();
      if (waitMs > 0) await delay(waitMs, undefined, { signal });
      sent.push(client.send(request));
    }
    await hunted;
    const timer = setTimeout(() => patience.abort(), restWithinMs);
    await Promise.all(sent);
    clearTimeout(timer);
  } finally {
    sampler.stop();
    lag.disable();
    progress.done();
  }
  signal.throwIfAborted();
  return {
    outcomes: client.outcomes,
    kill,
    notKilled,
    queueMaxima: sampler.maxima,
    // The monitor counts the whole time between two looks, of which 10 ms were meant.
    clientLagP99Ms: Math.max(0, lag.percentile(99) / 1e6 - 10),
  };
}

function addedRequest(index: number, atMs: number): PlannedRequest {
  return {
    index,
    atMs,
    promptTokens: addedPromptTokens,
    outputTokens: addedOutputTokens,
    stream: true,
  };
}

/** Looks at the waiting lines of the engines until it is stopped. A dead engine has none. */
function sampleQueues(
  engines: readonly Engine[],
  onSample: () => void,
): { readonly maxima: QueueMaxima; stop(): void } {
  const maxima: Record<string, number> = {};
  for (const { spec } of engines) maxima[spec.name] = 0;
  const timer = setInterval(() => {
    for (const { spec, child, state } of engines) {
      if (!child.isRunning()) continue;
      state().then(
        ({ waiting }) => {
          maxima[spec.name] = Math.max(maxima[spec.name] ?? 0, waiting);
        },
        () => undefined,
      );
    }
    onSample();
  }, sampleEveryMs);
  return { maxima, stop: () => clearInterval(timer) };
}
