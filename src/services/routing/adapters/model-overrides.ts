// What the operator says of models, which wins over what engines tell and over what names suggest
// (BR 7.1, 7.2): for a model that a table here does not know yet, or a server that tells too little.

import type { Model } from '../../../core/backends/backend.ts';

export type ModelOverride = {
  /** A model id, or its beginning and a `*` for all that begin so. Case counts. */
  readonly model: string;
  /** Tokens. */
  readonly contextLength?: number | undefined;
  readonly vision?: boolean | undefined;
  readonly tools?: boolean | undefined;
  readonly jsonMode?: boolean | undefined;
  /** Tokens. */
  readonly maxOutputTokens?: number | undefined;
};

function covers({ model }: ModelOverride, id: string): boolean {
  return model.endsWith('*') ? id.startsWith(model.slice(0, -1)) : id === model;
}

function overridden(model: Model, said: ModelOverride): Model {
  return Object.freeze({
    ...model,
    contextLength: said.contextLength ?? model.contextLength,
    supportsVision: said.vision ?? model.supportsVision,
    supportsTools: said.tools ?? model.supportsTools,
    supportsJsonMode: said.jsonMode ?? model.supportsJsonMode,
    maxOutputTokens: said.maxOutputTokens ?? model.maxOutputTokens,
  });
}

/** The models as the operator has them; of several overrides that cover a model the first one counts. */
export function withOverrides(
  models: readonly Model[],
  overrides: readonly ModelOverride[],
): readonly Model[] {
  if (overrides.length === 0) return models;
  return Object.freeze(
    models.map((model) => {
      const said = overrides.find((one) => covers(one, model.id));
      return said === undefined ? model : overridden(model, said);
    }),
  );
}
