// `npm run check`: everything that can be said about the tree without running the product.
// Types, format and lint, the walls between the layers, generated documents in step.
// Prints what failed in full and exits 1; a clean tree costs one line for each check.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pagesOutOfStep } from './docs.ts';
import { gatesOf, runGate } from './test/gates.ts';
import { projectSources, wallFaults } from './test/walls.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const gateLimitMs = 120_000;

function tell(name: string, faults: string): boolean {
  process.stdout.write(faults === '' ? `ok    ${name}\n` : `FAIL  ${name}\n${faults.trimEnd()}\n`);
  return faults === '';
}

async function main(): Promise<void> {
  let clean = true;
  for (const gate of gatesOf(root)) {
    const outcome = await runGate(root, gate, gateLimitMs);
    const faults = outcome.output === '' ? 'failed without a word' : outcome.output;
    clean = tell(gate.name, outcome.passed ? '' : faults) && clean;
  }
  clean = tell('import walls', wallFaults(projectSources(root)).join('\n')) && clean;
  const stale = await pagesOutOfStep();
  const remedy = stale.length === 0 ? '' : `${stale.join('\n')}\nrun: npm run docs:generate`;
  clean = tell('documents in step', remedy) && clean;
  process.exitCode = clean ? 0 : 1;
}

await main();
