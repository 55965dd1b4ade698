// What waits in a queue, and the operations of platform specification A.9 on lists of such items.

export type QueueItem = {
  readonly id: string;
  /** The higher number is served first. */
  readonly priority: number;
};

/** A new item with `amount` more priority; a negative amount lowers it. */
export function boost<Item extends { readonly priority: number }>(
  item: Item,
  amount: number,
): Item {
  return { ...item, priority: item.priority + amount };
}

/** Offers the items in their order; returns how many the queue *accepted*. */
export function enqueueAll<Item>(
  queue: { enqueue(item: Item): boolean },
  items: readonly Item[],
): number {
  let accepted = 0;
  for (const item of items) if (queue.enqueue(item)) accepted += 1;
  return accepted;
}

export type TimedItem = QueueItem & {
  /** When the item was queued, in any one unit. */
  readonly timestamp: number;
};

/**
 * Parts what waits too long from the rest: an item is expired at `timestamp <= cutoff` and active
 * after it. Both lists keep the order of the input. A timestamp that is NaN is neither.
 */
export function splitExpired(
  items: readonly TimedItem[],
  cutoff: number,
): { readonly expired: readonly QueueItem[]; readonly active: readonly QueueItem[] } {
  const untimed = ({ id, priority }: TimedItem): QueueItem => ({ id, priority });
  return {
    expired: items.filter(({ timestamp }) => timestamp <= cutoff).map(untimed),
    active: items.filter(({ timestamp }) => timestamp > cutoff).map(untimed),
  };
}
