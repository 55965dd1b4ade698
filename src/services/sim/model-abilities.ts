// What a simulated model can do, told by its name.

export type ModelAbilities = {
  readonly isEmbedding: boolean;
  readonly hasVision: boolean;
};

export function abilitiesOf(name: string): ModelAbilities {
  return { isEmbedding: /embed/i.test(name), hasVision: /llava|vision|-vl/i.test(name) };
}
