// What a run of the matrix says: the same bytes for the same tree, so it holds no time and no place.

import type { Summary } from './matrix.ts';

/** Failures told one by one; a defect in the middle of everything fails thousands. */
const failuresToldMax = 50;

function failureLines({ failures }: Summary): readonly string[] {
  const told = failures
    .slice(0, failuresToldMax)
    .map(({ group, index, assertion, words }) => `FAIL ${group} ${index}: ${assertion}: ${words}`);
  const rest = failures.length - told.length;
  return rest === 0 ? told : [...told, `and ${rest} more`];
}

/** A counter for each group, the first failures, and the summary line last. */
export function textOf(summary: Summary): string {
  const { mode, total, passed, failed, groups } = summary;
  const counters = Object.entries(groups).map(
    ([name, count]) =>
      `${name.padEnd(14)}${String(count.passed).padStart(6)} passed${String(count.failed).padStart(6)} failed`,
  );
  const last = `${mode}: total ${total}, passed ${passed}, failed ${failed}`;
  return [...counters, ...failureLines(summary), last].join('\n');
}

/** One JSON text for all modes that were run. */
export function jsonOf(summaries: readonly Summary[]): string {
  const sum = (count: (summary: Summary) => number) =>
    summaries.reduce((all, summary) => all + count(summary), 0);
  return JSON.stringify({
    total: sum(({ total }) => total),
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    modes: summaries.map((summary) => ({
      ...summary,
      failures: summary.failures.slice(0, failuresToldMax),
    })),
  });
}

/** 0 when something was run and all of it passed. */
export function exitCodeOf(summaries: readonly Summary[]): 0 | 1 {
  const ran = summaries.some(({ total }) => total > 0);
  return ran && summaries.every(({ failed }) => failed === 0) ? 0 : 1;
}
