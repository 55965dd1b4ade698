// The scenario matrix (platform specification G): the indices 0 to 12 499, in two modes, and the
// examples behind them. Everything follows from the index, so two runs say the same bytes.
//
//   grouped      an index runs the one group that it falls to modulo 14: 12 groups of 893 cases, two
//                of 892
//   monolithic   every index runs the checks of all 14 groups

import type { Documents } from '../support/documents.ts';
import { type Example, runExample } from './examples/example.ts';
import { ScenarioFailure } from './expectations.ts';
import { allocatorGroup } from './groups/allocator.ts';
import { concurrencyGroup } from './groups/concurrency.ts';
import { configGroup } from './groups/config.ts';
import { eventsGroup } from './groups/events.ts';
import type { Group, Mode } from './groups/group.ts';
import { integrationGroup } from './groups/integration.ts';
import { modelsGroup } from './groups/models.ts';
import { policyGroup } from './groups/policy.ts';
import { queueGroup } from './groups/queue.ts';
import { resilienceGroup } from './groups/resilience.ts';
import { routingGroup } from './groups/routing.ts';
import { securityGroup } from './groups/security.ts';
import { statisticsGroup } from './groups/statistics.ts';
import { telemetryGroup } from './groups/telemetry.ts';
import { workflowGroup } from './groups/workflow.ts';

/** In the order of the specification: the place in the list is the remainder. */
export const groups: readonly Group[] = [
  configGroup,
  concurrencyGroup,
  eventsGroup,
  telemetryGroup,
  allocatorGroup,
  modelsGroup,
  policyGroup,
  queueGroup,
  resilienceGroup,
  routingGroup,
  securityGroup,
  statisticsGroup,
  workflowGroup,
  integrationGroup,
];

export const indexCount = 12_500;
/** The name under which the examples are counted and chosen. */
export const examplesName = 'examples';

type Failure = {
  readonly group: string;
  /** The index of the matrix, or the place in the list of examples. */
  readonly index: number;
  readonly assertion: string;
  readonly words: string;
};

type Count = { readonly passed: number; readonly failed: number };

export type Summary = {
  readonly mode: Mode;
  /** Cases of the matrix and examples; a monolithic case is one index with all its groups. */
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  /** By group, how many of the indices that ran its checks passed them. */
  readonly groups: Readonly<Record<string, Count>>;
  readonly failures: readonly Failure[];
};

export type Selection = {
  /** A group, or the examples. */
  readonly only?: string;
  readonly index?: number;
  /** Ends the run at the first failure. */
  readonly isFirstEnough?: boolean;
};

function failureOf(group: string, index: number, error: unknown): Failure {
  const assertion = error instanceof ScenarioFailure ? error.assertion : 'does not throw';
  const words = error instanceof Error ? error.message : String(error);
  return { group, index, assertion, words };
}

function attempt(group: string, index: number, run: () => void): Failure | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return failureOf(group, index, error);
  }
}

/** The indices of the matrix that a selection leaves. */
function indicesOf({ only, index }: Selection): readonly number[] {
  if (only === examplesName) return [];
  return index === undefined ? Array.from({ length: indexCount }, (_, i) => i) : [index];
}

/** The groups whose checks an index runs. */
function groupsOf(mode: Mode, index: number, only: string | undefined): readonly Group[] {
  const all = mode === 'grouped' ? groups.filter((_, at) => at === index % groups.length) : groups;
  return only === undefined ? all : all.filter(({ name }) => name === only);
}

/** Places in the list of examples that a selection leaves; an index alone is one of the matrix. */
function placesOf(count: number, { only, index }: Selection): readonly number[] {
  const isChosen = only === examplesName || (only === undefined && index === undefined);
  if (!isChosen) return [];
  const all = Array.from({ length: count }, (_, at) => at);
  return index === undefined ? all : all.filter((at) => at === index);
}

type Case = {
  readonly index: number;
  readonly checks: readonly { readonly group: string; readonly run: () => void }[];
};

/** The chosen cases, matrix first, each with the checks that it consists of. */
function* casesOf(
  documents: Documents,
  mode: Mode,
  examples: readonly Example[],
  selection: Selection,
): Generator<Case> {
  for (const index of indicesOf(selection)) {
    const checks = groupsOf(mode, index, selection.only).map(({ name, check }) => ({
      group: name,
      run: () => check(documents, index, mode),
    }));
    if (checks.length > 0) yield { index, checks };
  }
  for (const index of placesOf(examples.length, selection)) {
    const example = examples[index];
    if (example === undefined) continue;
    yield { index, checks: [{ group: examplesName, run: () => runExample(documents, example) }] };
  }
}

/** Runs the chosen cases of one mode and counts them. */
export function runMatrix(
  documents: Documents,
  mode: Mode,
  examples: readonly Example[],
  selection: Selection = {},
): Summary {
  const counts = new Map<string, { passed: number; failed: number }>();
  const failures: Failure[] = [];
  let [total, failed] = [0, 0];
  for (const { index, checks } of casesOf(documents, mode, examples, selection)) {
    const before = failures.length;
    for (const { group, run } of checks) {
      const failure = attempt(group, index, run);
      const count = counts.get(group) ?? { passed: 0, failed: 0 };
      counts.set(group, count);
      if (failure === undefined) count.passed += 1;
      else {
        count.failed += 1;
        failures.push(failure);
      }
    }
    total += 1;
    if (failures.length > before) failed += 1;
    if (failed > 0 && selection.isFirstEnough === true) break;
  }
  const passed = total - failed;
  return { mode, total, passed, failed, groups: Object.fromEntries(counts), failures };
}
