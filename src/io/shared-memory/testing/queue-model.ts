// The bounded priority queue in the simplest form there is, as a model for the checker of histories:
// a list in the order of service.

import { isDeepStrictEqual } from 'node:util';
import type { SharedItem, SharedPriorityQueue } from '../shared-priority-queue.ts';
import type { Model } from './linearizability.ts';

export type QueueCall =
  | { readonly kind: 'enqueue'; readonly item: SharedItem }
  | { readonly kind: 'dequeue' | 'peek' | 'size' | 'drain' | 'clear' };

export type QueueAnswer = boolean | number | SharedItem | readonly SharedItem[] | undefined;

type Items = readonly SharedItem[];

export function queueModel(hardLimit: number): Model<Items, QueueCall, QueueAnswer> {
  return {
    initial: [],
    step(items, call) {
      if (call.kind !== 'enqueue') return stepOut(items, call.kind);
      if (items.length >= hardLimit) return { state: items, answer: false };
      const at = items.findIndex(({ priority }) => priority < call.item.priority);
      return { state: items.toSpliced(at < 0 ? items.length : at, 0, call.item), answer: true };
    },
    isSameAnswer: isDeepStrictEqual,
    keyOf: (items) => items.map(({ id, priority }) => `${id}:${priority}`).join(),
  };
}

function stepOut(
  items: Items,
  kind: Exclude<QueueCall['kind'], 'enqueue'>,
): { readonly state: Items; readonly answer: QueueAnswer } {
  if (kind === 'dequeue') return { state: items.slice(1), answer: items[0] };
  if (kind === 'drain') return { state: [], answer: items };
  if (kind === 'clear') return { state: [], answer: undefined };
  return { state: items, answer: kind === 'peek' ? items[0] : items.length };
}

/** Calls the real queue. */
export function callQueue(queue: SharedPriorityQueue, call: QueueCall): QueueAnswer {
  if (call.kind === 'enqueue') return queue.enqueue(call.item);
  if (call.kind === 'dequeue') return queue.dequeue();
  if (call.kind === 'peek') return queue.peek();
  if (call.kind === 'drain') return queue.drain();
  if (call.kind === 'size') return queue.size;
  queue.clear();
  return undefined;
}
