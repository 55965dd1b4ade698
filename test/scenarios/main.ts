// Runs the scenario matrix and prints what came of it:
//   node scripts/run.mjs test/scenarios/main.ts [--mode grouped|monolithic|both] [--only GROUP]
//     [--index N] [--json]
// GROUP is one of the fourteen or `examples`; N is an index of the matrix or a place in the examples.
// Exit 0 when every case passes, 1 when one fails or none is selected, 2 for a wrong command line.

import { parseArgs } from 'node:util';
import { documents } from '../support/documents.ts';
import { examples } from './examples/examples.ts';
import type { Mode } from './groups/group.ts';
import { examplesName, groups, indexCount, runMatrix, type Selection } from './matrix.ts';
import { exitCodeOf, jsonOf, textOf } from './report.ts';

const modes: ReadonlyMap<string, readonly Mode[]> = new Map([
  ['grouped', ['grouped']],
  ['monolithic', ['monolithic']],
  ['both', ['grouped', 'monolithic']],
]);

function usage(words: string): never {
  process.stderr.write(`${words}\n`);
  process.stderr.write(
    'usage: main.ts [--mode grouped|monolithic|both] [--only GROUP] [--index N] [--json]\n',
  );
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        mode: { type: 'string', default: 'both' },
        only: { type: 'string' },
        index: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    usage(error instanceof Error ? error.message : String(error));
  }
}

function readIndex(text: string, only: string | undefined): number {
  const most = only === examplesName ? examples.length : indexCount;
  const index = /^\d{1,6}$/.test(text) ? Number(text) : most;
  if (index >= most) usage(`--index ${text} is not a number from 0 to ${most - 1}`);
  return index;
}

function readSelection(only: string | undefined, index: string | undefined): Selection {
  const names = [...groups.map(({ name }) => name), examplesName];
  if (only !== undefined && !names.includes(only)) {
    usage(`--only ${only} is none of ${names.join(', ')}`);
  }
  return {
    ...(only === undefined ? {} : { only }),
    ...(index === undefined ? {} : { index: readIndex(index, only) }),
  };
}

const { mode, only, index, json } = readArguments();
const wanted = modes.get(mode);
if (wanted === undefined) usage(`--mode ${mode} is none of ${[...modes.keys()].join(', ')}`);
const selection = readSelection(only, index);
const summaries = wanted.map((each) => runMatrix(documents, each, examples, selection));
process.stdout.write(`${json ? jsonOf(summaries) : summaries.map(textOf).join('\n\n')}\n`);
if (summaries.every(({ total }) => total === 0)) process.stderr.write('no case is selected\n');
process.exitCode = exitCodeOf(summaries);
