// Examples as data: an operation of the documents, its arguments, and what the documents say it gives.
// They are rows, so that a reader can hold them against the tables of the specification.

import type { Documents } from '../../support/documents.ts';
import { equal, near, ScenarioFailure, usualTolerance } from '../expectations.ts';

/** An expectation that is more than an equal value: judges a call, which it makes itself. */
class Expected {
  readonly judge: (assertion: string, run: () => unknown) => void;

  constructor(judge: (assertion: string, run: () => unknown) => void) {
    this.judge = judge;
  }
}

class Made {
  readonly factory: string;
  readonly args: readonly unknown[];

  constructor(factory: string, args: readonly unknown[]) {
    this.factory = factory;
    this.args = args;
  }
}

/** A number within the usual tolerance, or the one given. */
export function about(value: number, tolerance: number = usualTolerance): unknown {
  return new Expected((assertion, run) => {
    const found = run();
    near(assertion, typeof found === 'number' ? found : null, value, tolerance);
  });
}

/** A refusal whose message holds `words`. */
export function refusal(words: RegExp): unknown {
  return new Expected((assertion, run) => {
    try {
      run();
    } catch (error) {
      if (error instanceof Error && 'code' in error && words.test(error.message)) return;
      throw new ScenarioFailure(assertion, `threw ${error}, expected words like ${words}`);
    }
    throw new ScenarioFailure(assertion, 'was granted, expected a refusal');
  });
}

/** A record with these members, whatever else is in it. */
export function having(members: Readonly<Record<string, unknown>>): unknown {
  return new Expected((assertion, run) => {
    const found = run();
    for (const [key, member] of Object.entries(members)) {
      const isRecord = typeof found === 'object' && found !== null;
      equal(`${assertion}: ${key}`, isRecord ? Reflect.get(found, key) : undefined, member);
    }
  });
}

/** An argument that is made when the example is run: an object of the documents. */
export function made(factory: string, ...args: readonly unknown[]): unknown {
  return new Made(factory, args);
}

/** A call and what it gives. */
type Row = readonly [operation: string, args: readonly unknown[], expected: unknown];

export type Example =
  | { readonly module: string; readonly row: Row }
  | { readonly module: string; readonly object: Made; readonly rows: readonly Row[] };

/** One example for each row. */
export function rows(module: string, list: readonly Row[]): readonly Example[] {
  return list.map((row) => ({ module, row }));
}

/** One example: calls of one object, in order. */
export function story(
  module: string,
  factory: string,
  args: readonly unknown[],
  list: readonly Row[],
): Example {
  return { module, object: new Made(factory, args), rows: list };
}

function call(owner: object, name: string, args: readonly unknown[]): unknown {
  const operation: unknown = Reflect.get(owner, name);
  if (typeof operation !== 'function') throw new ScenarioFailure(name, 'is no operation');
  return Reflect.apply(operation, owner, args);
}

function objectOf(name: string, found: unknown): object {
  if (typeof found === 'object' && found !== null) return found;
  throw new ScenarioFailure(name, 'is no object');
}

/** Arguments are copied, because an operation may change its own. */
function argumentsOf(module: object, args: readonly unknown[]): readonly unknown[] {
  return args.map((given) => {
    if (given instanceof Made) return call(module, given.factory, argumentsOf(module, given.args));
    return typeof given === 'object' ? structuredClone(given) : given;
  });
}

/** Throws at the first call that gives something else. */
export function runExample(documents: Documents, example: Example): void {
  const module = objectOf(example.module, Reflect.get(documents, example.module));
  const runRow = (owner: object, label: string, [name, args, expected]: Row): void => {
    const given = argumentsOf(module, args);
    const run = () => call(owner, name, given);
    if (expected instanceof Expected) expected.judge(`${label}.${name}`, run);
    else equal(`${label}.${name}`, run(), expected);
  };
  if ('row' in example) {
    runRow(module, example.module, example.row);
    return;
  }
  const { factory, args } = example.object;
  const object = objectOf(factory, call(module, factory, argumentsOf(module, args)));
  for (const row of example.rows) runRow(object, `${example.module}.${factory}`, row);
}
