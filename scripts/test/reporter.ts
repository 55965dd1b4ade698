// A node:test reporter for the run of one test file: one JSON object a line, only what
// scripts/test/run-file.ts needs. It writes to a file and not to stdout, so that whatever a test
// prints cannot be mistaken for a result, and so that a killed process leaves what it had reported.

import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

/**
 * One line of the report. `suite` follows the last line of a suite at the top, whatever came of it.
 * `done` is written once, when the process came to its own end.
 */
export type ReportLine =
  | { readonly kind: 'pass'; readonly name: string }
  | { readonly kind: 'skip'; readonly name: string; readonly reason: string }
  | { readonly kind: 'fail'; readonly name: string; readonly error: string }
  | { readonly kind: 'suite'; readonly name: string; readonly seconds: number }
  | { readonly kind: 'done' };

/** A suite or parent fails because a child failed; the child already told why. */
const echoOfChild = 'subtestsFailed';

export async function* reportLines(source: AsyncIterable<TestEvent>): AsyncGenerator<ReportLine> {
  const ancestors: string[] = [];
  for await (const event of source) {
    if (event.type === 'test:start') {
      ancestors.length = event.data.nesting;
      ancestors.push(event.data.name);
    } else if (event.type === 'test:pass') {
      const { skip, todo, details, nesting, name } = event.data;
      const path = [...ancestors.slice(0, nesting), name].join(' > ');
      if (todo !== undefined && todo !== false) {
        yield { kind: 'fail', name: path, error: 'A test marked todo proves nothing.' };
      } else if (skip !== undefined && skip !== false) {
        const reason = typeof skip === 'string' && skip !== '' ? skip : 'no reason given';
        yield { kind: 'skip', name: path, reason };
      } else if (details.type !== 'suite') {
        yield { kind: 'pass', name: path };
      }
    } else if (event.type === 'test:fail') {
      const { details, nesting, name } = event.data;
      const path = [...ancestors.slice(0, nesting), name].join(' > ');
      const error: unknown = details.error;
      if (failureType(error) !== echoOfChild) {
        yield { kind: 'fail', name: path, error: describe(error) };
      }
    }
    if (event.type === 'test:pass' || event.type === 'test:fail') {
      const { details, nesting, name } = event.data;
      if (nesting === 0 && details.type === 'suite') {
        yield { kind: 'suite', name, seconds: details.duration_ms / 1000 };
      }
    } else if (event.type === 'test:summary') {
      yield { kind: 'done' };
    }
  }
}

function failureType(error: unknown): unknown {
  return error instanceof Error && 'failureType' in error ? error.failureType : undefined;
}

/** node:test wraps what the test threw; the wrapped error is the one worth reading. */
function describe(error: unknown): string {
  const thrown = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return typeof thrown === 'string' ? thrown : inspect(thrown, { depth: 6 });
}
