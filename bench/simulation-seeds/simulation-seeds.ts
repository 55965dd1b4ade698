// How many worlds of the simulation run in a minute, and whether any of them violates anything: five
// hundred seeds on two threads, each at least ten virtual minutes with three gateways, ten backends,
// two thousand requests and twenty faults. The time counts from starting the threads.

import { runSeeds } from '../../test/simulation/pool.ts';
import { failureText, totalsOf } from '../../test/simulation/report.ts';
import { fixedSeeds } from '../../test/simulation/seeds.ts';
import type { Benchmark } from '../harness/benchmark.ts';
import { rounded } from '../harness/statistics.ts';

const threads = 2;

export const simulationSeedsBenchmark: Benchmark = {
  name: 'simulation-seeds',
  words: 'worlds of the simulation: violations, virtual hours, and seeds a minute',
  targets: {
    seeds: { op: '>=', value: 500 },
    violations: { op: '==', value: 0 },
    seconds: { op: '<=', value: 60 },
  },
  run: async ({ say }) => {
    const started = performance.now();
    const reports = await runSeeds(fixedSeeds, { threads });
    const seconds = (performance.now() - started) / 1000;
    for (const report of reports) if (report.failure !== undefined) say(failureText(report));
    const { seeds, violations, virtualHours, requests, decisions, faults } = totalsOf(reports);
    return {
      metrics: {
        seeds,
        violations,
        virtual_hours: rounded(virtualHours, 1),
        seconds: rounded(seconds, 2),
        seeds_per_minute: Math.round((seeds / seconds) * 60),
        requests,
        decisions_replayed: decisions,
      },
      config: { threads, gateways: 3, backends: 10, faults },
      missing: [],
    };
  },
};
