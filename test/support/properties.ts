// Runs a property over random cases from a seed that is told: the same seed gives the same cases, a
// failure prints the seed and the command that runs it again. Without PROPERTY_SEED the seed is
// fixed, so that the gate judges every tree by the same cases; `PROPERTY_SEED=random` draws one.

import { relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';

const fixedSeed = 20_261_121;

/** How many cases the invariants of the specification ask for. */
export const propertyRuns = 1000;

function seedOfRun(): number {
  const wanted = process.env['PROPERTY_SEED'];
  if (wanted === undefined) return fixedSeed;
  if (wanted === 'random') return Date.now() % 2_147_483_647;
  const seed = Number(wanted);
  if (!Number.isInteger(seed))
    throw new Error(`PROPERTY_SEED is ${wanted}, but must be an integer`);
  return seed;
}

function rerun(seed: number): string {
  const file = relative(process.cwd(), process.argv[1] ?? '');
  return `to run it again: PROPERTY_SEED=${seed} npm test -- ${file}`;
}

/** A test named `name` that holds for at least 1000 cases of `property`. */
export function holds<Cases>(
  name: string,
  property: fc.IProperty<Cases>,
  options: { readonly runs?: number } = {},
): void {
  test(name, (t: TestContext) => {
    const seed = seedOfRun();
    const numRuns = options.runs ?? propertyRuns;
    t.diagnostic(`${numRuns} cases from seed ${seed}`);
    const outcome = fc.check(property, { seed, numRuns });
    if (!outcome.failed) return;
    throw new Error(`${fc.defaultReportMessage(outcome)}\n${rerun(seed)}`);
  });
}
