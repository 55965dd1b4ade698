// All engines as one: what can be asked of a backend about its models, by the documented interface of
// its engine. What none of them has is not offered at all.

import type { BackendType } from '../../../base/backend-type.ts';
import type { PostForLines } from '../../../io/http/probe/line-client.ts';
import type { ProbeClient } from '../../../io/http/probe/probe-client.ts';
import { credentialHeaders, type ReadCredential } from '../adapters/credential-headers.ts';
import type { ProbeTarget } from '../adapters/probe-result.ts';
import {
  type EngineContext,
  type EngineControl,
  type EngineOutcome,
  type EngineState,
  type ProgressListener,
  refused,
} from './engine-control.ts';
import { llamacppControl } from './llamacpp.ts';
import { lmstudioControl } from './lmstudio.ts';
import { ollamaControl } from './ollama.ts';

const controls: Partial<Record<BackendType, EngineControl>> = {
  ollama: ollamaControl,
  lmstudio: lmstudioControl,
  llamacpp: llamacppControl,
};

/** The call of one operation. */
export type EngineCall = {
  readonly target: ProbeTarget;
  readonly modelId: string;
  /** Longest that it may take, ms; for a download the longest silence. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

/** What the life of an operation is lived against. */
export interface ModelControl {
  fullName(target: ProbeTarget, modelId: string): string;
  look(target: ProbeTarget, signal: AbortSignal): Promise<EngineState>;
  load(call: EngineCall): Promise<EngineOutcome>;
  unload(call: EngineCall): Promise<EngineOutcome>;
  download(call: EngineCall, onProgress: ProgressListener): Promise<EngineOutcome>;
}

export type ModelControlOptions = {
  readonly client: ProbeClient;
  readonly postForLines: PostForLines;
  readonly readCredential: ReadCredential;
  /** Longest that a look may take, ms. */
  readonly lookMs: number;
  /** Calls back once after `delayMs`; the returned function cancels. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
};

type Conversation = Pick<EngineCall, 'target' | 'timeoutMs' | 'signal'>;

/** Resolves after `ms`, or as soon as `signal` is aborted. */
export function waitFor(
  after: ModelControlOptions['after'],
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const over = (): void => {
      signal.removeEventListener('abort', over);
      cancel();
      resolve();
    };
    const cancel = after(ms, over);
    signal.addEventListener('abort', over);
  });
}

const notManaged = 'engines of this type cannot be told to load or unload models';

export function createModelControl(options: ModelControlOptions): ModelControl {
  const converse = async <T>(
    { target, timeoutMs, signal }: Conversation,
    talk: (control: EngineControl, context: EngineContext) => Promise<T>,
    otherwise: (words: string) => T,
  ): Promise<T> => {
    const control = controls[target.backendType];
    if (control === undefined) return otherwise(notManaged);
    const credential = credentialHeaders(target, options.readCredential);
    if (!credential.ok) return otherwise(credential.words);
    const { headers } = credential;
    return talk(control, {
      session: options.client.session(target.url, timeoutMs, signal),
      newSession: () => options.client.session(target.url, options.lookMs, signal),
      headers,
      postForLines: (path, body, onLine) =>
        options.postForLines({
          baseUrl: target.url,
          path,
          body,
          headers,
          silenceMs: timeoutMs,
          signal,
          onLine,
        }),
      wait: (ms) => waitFor(options.after, ms, signal),
      isStopped: () => signal.aborted,
    });
  };
  return {
    fullName: (target, modelId) => controls[target.backendType]?.fullName(modelId) ?? modelId,
    look: (target, signal) =>
      converse<EngineState>(
        { target, signal, timeoutMs: options.lookMs },
        (control, context) => control.look(context),
        (words) => ({ kind: words === notManaged ? 'unsupported' : 'away', words }),
      ),
    load: (call) =>
      converse(call, (control, context) => control.load(context, call.modelId), refused),
    unload: (call) =>
      converse(call, (control, context) => control.unload(context, call.modelId), refused),
    download: (call, onProgress) =>
      converse(
        call,
        (control, context) =>
          control.download?.(context, call.modelId, onProgress) ??
          Promise.resolve(refused('engines of this type cannot be told to download models')),
        refused,
      ),
  };
}
