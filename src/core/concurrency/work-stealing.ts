// A worker without work takes some from the one with the most (platform specification A.2).

/**
 * Removes and returns the *last* element of the longest queue other than `queues[idle]`; among
 * equally long ones of the one with the lowest index. Undefined, and nothing changes, when all
 * others are empty or `idle` is no index of `queues`. The only function that changes its argument.
 */
export function stealWork<Item>(queues: readonly Item[][], idle: number): Item | undefined {
  if (!Object.hasOwn(queues, idle)) return undefined;
  let longest: Item[] | undefined;
  for (const [index, queue] of queues.entries()) {
    if (index !== idle && queue.length > (longest?.length ?? 0)) longest = queue;
  }
  return longest?.pop();
}
