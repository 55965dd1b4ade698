// What the file of each engine provides, and what it is given for a conversation with one backend.

import type { GpuMemory } from '../../../core/backends/vram-check.ts';
import type { PostForLines } from '../../../io/http/probe/line-client.ts';
import type { ProbeAnswer, ProbeSession } from '../../../io/http/probe/probe-client.ts';
import { httpError } from '../../../io/http/probe/probe-failure.ts';
import type { ProbeContext } from '../adapters/probe-result.ts';

/** What an engine shows of its models. */
export type EngineState =
  | {
      readonly kind: 'shown';
      /** In memory, ready for a request. */
      readonly loaded: ReadonlySet<string>;
      /** On their way into memory. */
      readonly loading: ReadonlySet<string>;
      /** All that it has, loaded or not. */
      readonly known: ReadonlySet<string>;
      readonly memory: GpuMemory;
    }
  /** This server cannot be told to, though its type can. */
  | { readonly kind: 'unsupported'; readonly words: string }
  /** It did not answer, or not in a form that can be read. */
  | { readonly kind: 'away'; readonly words: string };

export type EngineOutcome =
  | { readonly ok: true }
  /** Words of ours, such as `HTTP error: 500`. */
  | { readonly ok: false; readonly words: string };

export const done: EngineOutcome = { ok: true };

export function refused(words: string): EngineOutcome {
  return { ok: false, words };
}

export type ProgressListener = (percent: number) => void;

/** A conversation with one backend: its credential, its deadline, and how to wait in between. */
export type EngineContext = ProbeContext & {
  readonly postForLines: (
    path: string,
    body: unknown,
    onLine: (json: unknown) => void,
  ) => ReturnType<PostForLines>;
  /** Another conversation with a deadline of its own, for a question asked again and again. */
  readonly newSession: () => ProbeSession;
  /** Resolves after `ms`, or at once when the conversation is ended. */
  readonly wait: (ms: number) => Promise<void>;
  readonly isStopped: () => boolean;
};

export interface EngineControl {
  /** The model's full name where the engine takes shorter ones. */
  fullName(modelId: string): string;
  look(context: EngineContext): Promise<EngineState>;
  /** Resolves when the engine has answered; the model may be in memory only later. */
  load(context: EngineContext, modelId: string): Promise<EngineOutcome>;
  unload(context: EngineContext, modelId: string): Promise<EngineOutcome>;
  /** Resolves when the weights are there; undefined where the engine cannot fetch any. */
  readonly download:
    | ((
        context: EngineContext,
        modelId: string,
        onProgress: ProgressListener,
      ) => Promise<EngineOutcome>)
    | undefined;
}

/** The outcome of a call whose answer needs no reading. */
export function outcomeOf(answer: ProbeAnswer): EngineOutcome {
  if (!answer.ok) return refused(answer.words);
  if (answer.status >= 200 && answer.status < 300) return done;
  return refused(failureWords(answer.status));
}

/** Never the engine's own text (security 2.5). */
export function failureWords(status: number): string {
  const { words } = httpError(status);
  return status === 404 ? `the backend does not have the model (${words})` : words;
}
