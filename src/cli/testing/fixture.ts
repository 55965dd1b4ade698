// What stands in for actions and machine where a test asks for `start: 'fixture'`: actions that print
// the request they got, and a lock that stands in the data directory as `fixture-lock.json`.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { Actions, LockHolder, Machine } from '../actions.ts';

function print(action: string, request: unknown): Promise<number> {
  process.stdout.write(`${JSON.stringify({ action, request })}\n`);
  return Promise.resolve(0);
}

function unused(action: string): never {
  throw new Error(`${action} has tests of its own`);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function readLock(directory: string): Promise<LockHolder | undefined> {
  let text: string;
  try {
    text = readFileSync(join(directory, 'fixture-lock.json'), 'utf8');
  } catch {
    return Promise.resolve(undefined);
  }
  const { pid, url }: { readonly pid: number; readonly url?: string } = JSON.parse(text);
  const facts = url === undefined ? {} : { url };
  const started_at = '2026-11-01T10:00:00.000Z';
  return Promise.resolve({ pid, started_at, facts, alive: isAlive(pid) });
}

class DataDirectoryLocked extends TensorForgeError {
  override readonly name = 'DataDirectoryLocked';
}

export const fixtureActions: Actions = {
  up: (request) => print('up', request),
  serve: (target, request) => print(`serve ${target}`, request),
  sim: (request) => print('sim', request),
  demo: () => {
    throw new DataDirectoryLocked('operation_in_progress', 'the data directory is in use');
  },
  simulate: () => unused('simulate'),
  replayFolder: () => unused('replayFolder'),
};

export const fixtureMachine: Machine = {
  readLock,
  dataDirectoryProblem: () => Promise.resolve(undefined),
  checkDatabase: () => Promise.resolve('a database of the test'),
};
