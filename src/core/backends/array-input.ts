// Which engines take an array of inputs in one request and answer with an index for each. Cloud
// providers do as well, but they bill and limit by request and by whom: theirs are never joined.

import type { BackendType } from '../../base/backend-type.ts';

const arrayKinds: Readonly<Record<BackendType, readonly string[]>> = {
  vllm: ['embeddings', 'completions'],
  llamacpp: ['embeddings', 'completions'],
  // Both read a prompt as one text.
  ollama: ['embeddings'],
  lmstudio: ['embeddings'],
  // Whatever speaks OpenAI's interface: of embeddings arrays are the usual case.
  generic: ['embeddings'],
  exo: [],
  openai: [],
  anthropic: [],
  google: [],
};

/** Does an engine of this type answer an array of inputs of this operation? */
export function takesArrays(type: BackendType, operation: string): boolean {
  return arrayKinds[type].includes(operation);
}
