// Group 7, queue and admission: documented samples, the table of health states, and the queue and the
// token bucket against plain lists and counts.

import { equal, exactly, that } from '../expectations.ts';
import { series } from '../series.ts';
import { type Group, turn } from './group.ts';

/** Health by whole numbers: ten times the depth against tenths of the limit. */
function status(depth: number, limit: number): string {
  if (depth * 10 >= limit * 10) return 'critical';
  if (depth * 10 >= limit * 8) return 'warning';
  return depth * 10 >= limit * 6 ? 'elevated' : 'healthy';
}

export const queueGroup: Group = {
  name: 'queue',
  check({ queue }, i) {
    const depth = 1 + (i % 30);
    equal('not shed below the limit', queue.should_shed(depth, 40, false), false);
    equal('not shed at the limit', queue.should_shed(40, 40, false), false);
    that('shed above it', queue.should_shed(41, 40, false));
    const emergency = [depth, 31, 32].map((each) => queue.should_shed(each, 40, true));
    equal('in an emergency from 80 %', emergency, [false, false, true]);
    that('nothing fits in nothing', queue.should_shed(0, 0, false));
    equal('health by the table', queue.queue_health(depth, 40).status, status(depth, 40));
    const limit = 10 + (i % 20);
    const filled = 12 + (i % 15);
    equal('health', queue.queue_health(filled, limit), {
      depth: filled,
      hard_limit: limit,
      utilization: filled / limit,
      status: status(filled, limit),
    });
    equal(
      'pressure is held at one',
      queue.queue_pressure(filled, limit),
      Math.min(1, filled / limit),
    );

    const [rate, items] = [2 + (i % 5), 10 + (i % 20)];
    exactly('the wait', queue.estimate_wait_time(items, rate) * rate, items);
    equal('without a rate there is no end', queue.estimate_wait_time(items, 0), Number.MAX_VALUE);
    const [priority, boost] = [1 + (i % 10), 1 + (i % 5)];
    const item = { id: `job-${i}`, priority };
    const boosted = queue.priority_boost(item, boost);
    equal('a boost adds', boosted, { id: `job-${i}`, priority: priority + boost });
    equal('to a new item', item.priority, priority);
    const drained = 25 + (i % 30);
    exactly('per cent drained', queue.drain_percentage(drained, 100), drained);

    checkOrder(queue, i);
    checkBucket(queue, i);
  },
};

type Queue = Parameters<Group['check']>[0]['queue'];

function checkOrder(queue: Queue, i: number): void {
  const next = series(i);
  const hardLimit = 1 + (turn(i) % 6);
  const waiting = queue.PriorityQueue(hardLimit);
  const offered = Array.from({ length: 8 }, (_, at) => ({ id: `job-${at}`, priority: next(3) }));
  const accepted = offered.slice(0, hardLimit);
  equal('accepted are counted', queue.batch_enqueue(waiting, offered), accepted.length);
  equal('full is full', waiting.size(), accepted.length);
  const expected = [2, 1, 0].flatMap((level) =>
    accepted.filter(({ priority }) => priority === level),
  );
  equal('the next one', waiting.peek(), expected[0]);
  equal('priority, then arrival', waiting.drain(), expected);
  equal('drained', waiting.size(), 0);
}

function checkBucket(queue: Queue, i: number): void {
  const capacity = 2 + (i % 5);
  const bucket = queue.RateLimiter(capacity, 1);
  equal('more than there is', bucket.try_acquire_batch(capacity + 1, 0), false);
  equal('took nothing', bucket.available(), capacity);
  that('all there is', bucket.try_acquire_batch(capacity, 0));
  equal('an empty bucket', bucket.try_acquire(0), false);
  that('refilled before the check', bucket.try_acquire(1));
  equal('a clock that goes back adds nothing', bucket.try_acquire(0), false);
  that('and moves no mark', bucket.try_acquire_batch(capacity, 1 + capacity));
  equal('never below zero', bucket.available(), 0);
}
