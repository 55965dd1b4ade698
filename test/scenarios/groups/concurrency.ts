// Group 1, concurrency primitives: documented samples, partitions as permutations, and the cycle
// check against a depth-first search on small graphs.

import { equal, permutation, that } from '../expectations.ts';
import { hasCycle, smallGraph } from '../oracles.ts';
import { numbers, series } from '../series.ts';
import type { Group } from './group.ts';

export const concurrencyGroup: Group = {
  name: 'concurrency',
  check({ concurrency }, i) {
    const threshold = 5 + (i % 10);
    that(
      'a barrier is reached at the threshold',
      concurrency.barrier_reached(threshold, threshold),
    );
    equal('and not below it', concurrency.barrier_reached(threshold - 1, threshold), false);

    const [left, right] = [1 + (i % 20), 1 + (i % 15)];
    equal('counts add up', concurrency.merge_counts({ both: left, left }, { both: right, right }), {
      both: left + right,
      left,
      right,
    });

    const v = i % 10;
    const values = [v, v + 3, v + 6, v + 9];
    const [below, above] = concurrency.partition_by_threshold(values, 5);
    that(
      'the lower part is below',
      below.every((value) => value < 5),
    );
    that(
      'the upper part is not',
      above.every((value) => value >= 5),
    );
    permutation('a partition loses nothing', [...below, ...above], values);
    equal('the threshold itself is above', concurrency.partition_by_threshold([4, 5], 5), [
      [4],
      [5],
    ]);

    equal(
      'a path has no cycle',
      concurrency.detect_cycle(
        [
          [0, 1],
          [1, 2],
        ],
        3,
      ),
      false,
    );
    equal(
      'a ring has one',
      concurrency.detect_cycle(
        [
          [0, 1],
          [1, 2],
          [2, 0],
        ],
        3,
      ),
      true,
    );
    const next = series(i);
    const { nodes, edges } = smallGraph(next);
    equal(
      'cycle as found depth first',
      concurrency.detect_cycle(edges, nodes),
      hasCycle(edges, nodes),
    );

    const counter = concurrency.AtomicCounter(i);
    equal('an increment answers the new value', counter.increment(), i + 1);
    that('equality crosses', counter.add_and_check_threshold(1, i + 2));
    equal('one below does not', counter.add_and_check_threshold(-1, i + 2), false);
    equal('a swap answers what was there', counter.compare_and_swap(i + 1, i + 9), i + 1);
    equal('a failed swap too', counter.compare_and_swap(i + 1, i), i + 9);
    equal('and changes nothing', counter.get(), i + 9);

    const base = i % 100;
    const sum = concurrency.parallel_sum([
      [base, base + 1],
      [base + 2, base + 3],
    ]);
    equal('the partitions sum up', sum, 4 * base + 6);

    const mixed = numbers(next, 1 + next(9), 20);
    const split = concurrency.partition_by_threshold(mixed, 9);
    permutation('any partition is a permutation', split.flat(), mixed);
    equal('in input order', split, [mixed.filter((n) => n < 9), mixed.filter((n) => n > 8)]);
  },
};
