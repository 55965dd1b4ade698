// Which seeds run on every test, and those that found something. A seed that found a bug stays, with
// a sentence on what it was; the bug may be of the product or of the world around it.

type KeptSeed = { readonly seed: number; readonly story: string };

const keptSeeds: readonly KeptSeed[] = [
  {
    seed: 127,
    story:
      'The time limit of a probe outlived the process that had asked, and wrote to its dead registry: a stopped checker must let go of what it watches (H4).',
  },
  {
    seed: 3305317911,
    story:
      'The world ended while a segment was being sealed, and the block behind it was called lost: what a disk has taken gets a second to be written.',
  },
];

/** 1 to 500: always the same, so that every tree is judged by the same worlds. */
export const fixedSeeds: readonly number[] = Array.from({ length: 500 }, (_, index) => index + 1);

/** The fixed ones and those that are kept besides. */
export const gateSeeds: readonly number[] = [
  ...fixedSeeds,
  ...keptSeeds.map(({ seed }) => seed).filter((seed) => !fixedSeeds.includes(seed)),
];
