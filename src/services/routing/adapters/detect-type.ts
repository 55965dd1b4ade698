// Which engine listens at an address? Asked in an order in which no engine answers for another: each
// question has a shape that only its own engine gives, and the general interface comes last.

import type { BackendType } from '../../../base/backend-type.ts';
import type { ProbeAnswer, ProbeClient } from '../../../io/http/probe/probe-client.ts';
import { engineOfList, looksLikeTgi } from './generic.ts';
import { listOf, memberOf } from './json-shape.ts';
import { isLoadingAnswer, looksLikeProps } from './llamacpp.ts';
import { looksLikeNativeList, looksLikeNativeV1 } from './lmstudio.ts';
import { looksLikeTags } from './ollama.ts';

export const detectTimeoutMs = 2_000;

export type Detection =
  | { readonly kind: 'engine'; readonly type: BackendType }
  /** Something answered, or accepted the connection, and is no engine. */
  | { readonly kind: 'not_an_engine' }
  /** No connection came about. */
  | { readonly kind: 'nothing' };

/** SGLang and TGI, which are `generic` here, before vLLM, whose member of the list SGLang has too. */
function typeOfList(json: unknown): BackendType | undefined {
  const entries = listOf(memberOf(json, 'data'));
  if (entries === undefined) return undefined;
  const isOwnedBy = (owner: string): boolean =>
    entries.some((entry) => memberOf(entry, 'owned_by') === owner);
  if (isOwnedBy('exo')) return 'exo';
  if (engineOfList(entries) !== undefined) return 'generic';
  const statesWindow = entries.some((entry) => memberOf(entry, 'max_model_len') !== undefined);
  return statesWindow || isOwnedBy('vllm') ? 'vllm' : 'generic';
}

const questions: readonly (readonly [string, (json: unknown) => BackendType | undefined])[] = [
  ['/api/tags', (json) => (looksLikeTags(json) ? 'ollama' : undefined)],
  ['/props', (json) => (looksLikeProps(json) ? 'llamacpp' : undefined)],
  ['/api/v0/models', (json) => (looksLikeNativeList(json) ? 'lmstudio' : undefined)],
  ['/api/v1/models', (json) => (looksLikeNativeV1(json) ? 'lmstudio' : undefined)],
  ['/v1/models', typeOfList],
  // A TGI that has no list of models.
  ['/info', (json) => (looksLikeTgi(json) ? 'generic' : undefined)],
];

function isUnreachable(answer: ProbeAnswer): boolean {
  return (
    !answer.ok &&
    (answer.kind === 'unreachable' || answer.kind === 'dns' || answer.kind === 'unsafe_address')
  );
}

/** Never sends a credential: whoever listens there is not known yet. */
export async function detectType(
  client: ProbeClient,
  url: string,
  signal?: AbortSignal,
): Promise<Detection> {
  let hasHeard = false;
  for (const [path, typeOf] of questions) {
    const answer = await client.session(url, detectTimeoutMs, signal).get(path);
    if (isUnreachable(answer) && !hasHeard) return { kind: 'nothing' };
    hasHeard = true;
    // A listener that is silent for one question will not answer the others any sooner.
    if (!answer.ok && (answer.kind === 'timeout' || answer.kind === 'stopped')) break;
    // While it loads its model, llama.cpp says so on every route and answers nothing else.
    if (answer.ok && isLoadingAnswer(answer)) return { kind: 'engine', type: 'llamacpp' };
    if (!answer.ok || answer.status !== 200) continue;
    const type = typeOf(answer.json);
    if (type !== undefined) return { kind: 'engine', type };
  }
  return { kind: 'not_an_engine' };
}
