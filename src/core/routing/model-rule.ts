// Rules by model (registry specification 15): which privacy zone and which capability tier a model asks
// for, and whether another model may stand in. The first rule whose pattern matches the resolved model
// is the one; without one everything is allowed.

import { matchesGlob } from '../security/glob.ts';

export type ModelRule = {
  /** `*` any run of characters, `?` any one; everything else means itself. */
  readonly model: string;
  /** `restricted`: never outside of the restricted zone, whatever fails. */
  readonly privacy: 'unrestricted' | 'restricted';
  /** Least tier, 1 to 5; undefined asks for none. */
  readonly minTier: number | undefined;
  readonly fallbackAllowed: boolean;
};

/** The first rule that is for this model. */
export function ruleOf(rules: readonly ModelRule[], model: string): ModelRule | undefined {
  // Hardly anybody has any.
  if (rules.length === 0) return undefined;
  return rules.find((rule) => matchesGlob(rule.model, model));
}
