// What an engine tells of a model besides the seven members that go over the wire as `Model`: whether
// it is in memory now, and how large it is. Undefined is "the engine does not tell", never "no".

import { compareText } from '../../base/compare.ts';

export const modelKinds = ['chat', 'embeddings'] as const;
export type ModelKind = (typeof modelKinds)[number];

export type ModelRuntime = {
  readonly id: string;
  /** In memory, ready for a request without a load. */
  readonly loaded: boolean | undefined;
  readonly kind: ModelKind | undefined;
  /** Of the weights on disk. */
  readonly sizeBytes: number | undefined;
  /** Of GPU memory that it takes while it is loaded. */
  readonly vramBytes: number | undefined;
  /** As the engine writes it, such as `Q4_K_M`; at most 64 characters. */
  readonly quantization: string | undefined;
};

/** Ids of the models in memory, sorted; undefined where the engine tells of none whether it is. */
export function loadedModelsOf(runtime: readonly ModelRuntime[]): readonly string[] | undefined {
  if (runtime.every(({ loaded }) => loaded === undefined)) return undefined;
  const loaded = runtime.filter((model) => model.loaded === true);
  return loaded.map(({ id }) => id).sort(compareText);
}
