// What tokens cost: an ordered list of rules, of which the first that fits decides. A rule that names
// backends prices those, cloud or not; a rule that names models only is a price list of providers and
// holds for cloud backends alone, so that a model of the same name on a machine of one's own stays
// free (specification BR 16, corrected).

import { matchesGlob } from '../security/glob.ts';

/** Micro-USD per 1 000 000 tokens, and per second of work; whole numbers. */
export type Price = {
  readonly inputPerMillion: number;
  /** Of input tokens that came from the provider's cache. */
  readonly cachedInputPerMillion: number;
  readonly outputPerMillion: number;
  /** Micro-USD for each second that the backend worked on the request; requests side by side each count. */
  readonly perGpuSecond: number;
};

export type PriceRule = Price & {
  /** Glob of model ids; undefined: every model. */
  readonly model: string | undefined;
  /** Glob of backend ids; undefined: every cloud backend. */
  readonly backend: string | undefined;
};

export type PriceTable = {
  /** The day on which the prices were right, `2026-11-01`. */
  readonly dated: string;
  readonly isBuiltIn: boolean;
  readonly rules: readonly PriceRule[];
};

export type PricedUse = {
  readonly model: string;
  readonly backend: string;
  readonly isCloud: boolean;
};

/** The greatest price of a million tokens, micro-USD: 1 000 USD. Keeps every product exact. */
export const pricePerMillionMax = 1_000_000_000;

/** The first rule that fits; undefined where nothing is charged. */
export function findPrice({ rules }: Pick<PriceTable, 'rules'>, use: PricedUse): Price | undefined {
  return rules.find(({ model, backend }) => {
    if (backend === undefined ? !use.isCloud : !matchesGlob(backend, use.backend)) return false;
    return model === undefined || matchesGlob(model, use.model);
  });
}
