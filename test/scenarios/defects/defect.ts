// Defects to plant: the frequent mistakes of the platform specification (I.1) and what its conflict
// register ruled against (H), each as a replacement of one operation. Whoever judges the product by
// the matrix must notice every one of them.

import { type Documents, documents } from '../../support/documents.ts';

export type Defect = {
  readonly words: string;
  /** The group of the matrix, or `examples`, in which it must be noticed. */
  readonly where: string;
  readonly documents: Documents;
};

/** The documents with one operation replaced; `defect` gets the sound one. */
export function planted<M extends keyof Documents, K extends keyof Documents[M]>(
  words: string,
  module: M,
  operation: K,
  defect: (sound: Documents[M][K]) => Documents[M][K],
  where: string = module,
): Defect {
  const sound = documents[module];
  const broken = { ...sound, [operation]: defect(sound[operation]) };
  return { words, where, documents: { ...documents, [module]: broken } };
}
