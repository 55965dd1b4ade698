// The checks that read the tree without running the product: types and lint. Each is a program of
// its own, so that `npm test` and `npm run check` say the same as an editor does.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export type Gate = {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
};

export type GateOutcome = {
  readonly name: string;
  readonly passed: boolean;
  readonly output: string;
  readonly seconds: number;
};

/** The gates of this tree; a workspace that is not there yet has no gate. */
export function gatesOf(root: string): readonly Gate[] {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const gates: Gate[] = [{ name: 'types', file: tsc, args: ['-p', '.'] }];
  if (existsSync(join(root, 'dashboard', 'tsconfig.json'))) {
    gates.push({ name: 'types of the dashboard', file: tsc, args: ['-p', 'dashboard'] });
  }
  gates.push({
    name: 'format and lint',
    file: biome,
    args: ['check', '--colors=off', '--error-on-warnings', '--max-diagnostics=50'],
  });
  return gates;
}

/** Runs one gate; past `limitMs` it is killed and has failed. */
export function runGate(root: string, gate: Gate, limitMs: number): Promise<GateOutcome> {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, [gate.file, ...gate.args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    const keep = (chunk: string): void => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => keep(`${error.message}\n`));
    child.on('close', (code, signal) => {
      if (signal !== null) output += `ended with ${signal}\n`;
      const seconds = (performance.now() - started) / 1000;
      resolve({ name: gate.name, passed: code === 0, output, seconds });
    });
  });
}
