// Portkey's gateway as a peer: the same language, one process of one thread. It is fetched into
// bench/.build when it is not there, never into what the product depends on, and none of its install
// scripts runs.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Processes, Started } from '../harness/processes.ts';
import { freePort } from './free-port.ts';
import type { Contender } from './rounds.ts';

export const portkeyVersion = '1.15.2';
const packageName = '@portkey-ai/gateway';
const folder = join(
  dirname(dirname(fileURLToPath(import.meta.url))),
  '.build',
  `portkey-${portkeyVersion}`,
);
const program = join(folder, 'node_modules', packageName, 'build', 'start-server.js');

/** Is it there, or could it be fetched? */
async function fetched(processes: Processes, say: (line: string) => void): Promise<boolean> {
  if (existsSync(program)) return true;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  const args = ['install', '--prefix', folder, ...flags, `${packageName}@${portkeyVersion}`];
  try {
    await processes.run('npm', args, { timeoutMs: 60_000 });
  } catch (error) {
    say(`${packageName} could not be fetched: ${error instanceof Error ? error.message : error}`);
  }
  return existsSync(program);
}

/** Started before one backend, as its users do with a provider of their own; undefined without it. */
export async function startPortkey(
  processes: Processes,
  scratch: string,
  backend: number,
  say: (line: string) => void,
): Promise<(Contender & { readonly started: Started }) | undefined> {
  if (!(await fetched(processes, say))) return undefined;
  const port = await freePort();
  const log = join(scratch, 'portkey.log');
  const args = [program, `--port=${port}`, '--headless'];
  const env = { ...process.env, NODE_ENV: 'production' };
  const started = processes.start(process.execPath, args, { log, cwd: folder, env });
  await answers(port);
  const fields = [
    ['x-portkey-provider', 'openai'],
    ['x-portkey-custom-host', `http://127.0.0.1:${backend}/v1`],
  ] as const;
  return { name: 'portkey', port, key: 'bench', fields, pid: started.pid, started };
}

async function answers(port: number): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/`);
      await answer.arrayBuffer();
      return;
    } catch (error) {
      if (performance.now() > deadline)
        throw new Error('portkey does not answer', { cause: error });
    }
    await delay(50);
  }
}
