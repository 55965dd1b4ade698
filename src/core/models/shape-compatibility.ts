// How far two models can stand in for each other, judged by the shapes of their tensors alone.
// Platform specification C.1, decision.

/** Sizes of the dimensions of a tensor, outermost first; -1 is a dimension of any size. */
export type Shape = readonly number[];

/** Positions at which both are equal over the longer length; two shapes without dimensions: 1. */
function similarity(a: Shape, b: Shape): number {
  const longer = Math.max(a.length, b.length);
  if (longer === 0) return 1;
  return a.filter((size, at) => size === b[at]).length / longer;
}

/**
 * Mean similarity of the input shapes and of the output shapes, within 0..1: symmetric in A and B,
 * and 1 only when both pairs are identical. A size of -1 equals only -1.
 */
export function shapeCompatibility(
  inputA: Shape,
  outputA: Shape,
  inputB: Shape,
  outputB: Shape,
): number {
  return (similarity(inputA, inputB) + similarity(outputA, outputB)) / 2;
}
