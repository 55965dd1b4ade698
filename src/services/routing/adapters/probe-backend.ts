// Probing one backend: its credential, its adapter, one deadline over the whole conversation.

import type { BackendType } from '../../../base/backend-type.ts';
import type { ProbeClient } from '../../../io/http/probe/probe-client.ts';
import { anthropicAdapter } from './anthropic.ts';
import { credentialHeaders, type ReadCredential } from './credential-headers.ts';
import { exoAdapter } from './exo.ts';
import { genericAdapter } from './generic.ts';
import { googleAdapter } from './google.ts';
import { llamacppAdapter } from './llamacpp.ts';
import { lmstudioAdapter } from './lmstudio.ts';
import { type ModelOverride, withOverrides } from './model-overrides.ts';
import { createOllamaAdapter } from './ollama.ts';
import { openaiAdapter } from './openai.ts';
import type { Adapter, ProbeResult, ProbeTarget } from './probe-result.ts';
import { vllmAdapter } from './vllm.ts';

/** Probes one backend; never rejects for anything that the backend does. */
export type ProbeBackend = (target: ProbeTarget, signal?: AbortSignal) => Promise<ProbeResult>;

export type ProbeBackendOptions = {
  readonly client: ProbeClient;
  /** Over all exchanges of one probe, ms. */
  readonly timeoutMs: number;
  readonly readCredential: ReadCredential;
  /** What the operator says of models; none by default. */
  readonly modelOverrides?: readonly ModelOverride[];
};

function createAdapters(): Readonly<Record<BackendType, Adapter>> {
  return {
    ollama: createOllamaAdapter(),
    vllm: vllmAdapter,
    llamacpp: llamacppAdapter,
    exo: exoAdapter,
    openai: openaiAdapter,
    generic: genericAdapter,
    lmstudio: lmstudioAdapter,
    anthropic: anthropicAdapter,
    google: googleAdapter,
  };
}

export function createProbeBackend(options: ProbeBackendOptions): ProbeBackend {
  const adapters = createAdapters();
  const overrides = options.modelOverrides ?? [];
  return async (target, signal) => {
    const credential = credentialHeaders(target, options.readCredential);
    if (!credential.ok) return { kind: 'config_error', words: credential.words };
    const session = options.client.session(target.url, options.timeoutMs, signal);
    const context = { session, headers: credential.headers };
    const result = await adapters[target.backendType].probe(context, target);
    if (result.kind !== 'healthy' || result.models === undefined) return result;
    return { ...result, models: withOverrides(result.models, overrides) };
  };
}
