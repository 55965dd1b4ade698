// How large the scenario matrix is, whether the product passes it, and how long both modes take
// together: one after the other in this process, code compiled as it is needed.
import { examples } from '../../test/scenarios/examples/examples.ts';
import type { Mode } from '../../test/scenarios/groups/group.ts';
import { indexCount, runMatrix } from '../../test/scenarios/matrix.ts';
import { textOf } from '../../test/scenarios/report.ts';
import { documents } from '../../test/support/documents.ts';
import type { Benchmark } from '../harness/benchmark.ts';
import { rounded } from '../harness/statistics.ts';

const modes: readonly Mode[] = ['grouped', 'monolithic'];

export const scenariosBenchmark: Benchmark = {
  name: 'scenarios',
  words: 'cases of the scenario matrix, failures, and seconds for both of its modes',
  targets: {
    total: { op: '>=', value: 12_685 },
    failed: { op: '==', value: 0 },
    seconds: { op: '<=', value: 60 },
  },
  run: async ({ say }) => {
    const started = performance.now();
    const summaries = modes.map((mode) => runMatrix(documents, mode, examples));
    const seconds = (performance.now() - started) / 1000;
    for (const summary of summaries) say(textOf(summary));
    return {
      metrics: {
        // What each mode has at least, so that neither can hide behind the other.
        total: Math.min(...summaries.map(({ total }) => total)),
        failed: summaries.reduce((sum, { failed }) => sum + failed, 0),
        seconds: rounded(seconds, 2),
      },
      config: { modes, indices: indexCount, examples: examples.length },
      missing: [],
    };
  },
};
