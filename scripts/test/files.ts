// Which test files there are and which group each belongs to, by its name alone:
//   x.browser.test.ts  needs Chromium          x.long.test.ts  only with --long
//   x.pg.test.ts       needs PostgreSQL        test/e2e/**     whole product, two at a time
//   test/simulation/simulation.test.ts         takes all cores
//   everything else ending in .test.ts is a unit test.
import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export type GroupName = 'unit' | 'alone' | 'pg' | 'e2e' | 'browser' | 'simulation' | 'long';

const roots = ['src', 'test', 'scripts', 'bench', 'dashboard'];
const skippedFolders = new Set(['node_modules', '.build', 'dist']);

/** What judges load or waits by the clock, and so wants the machine for itself. */
const alone = new Set(['test/e2e/demo.test.ts', 'test/e2e/http-framing.test.ts']);

export function groupOf(file: string): GroupName | undefined {
  if (!file.endsWith('.test.ts')) return undefined;
  if (file.endsWith('.long.test.ts')) return 'long';
  if (file.endsWith('.browser.test.ts')) return 'browser';
  if (alone.has(file)) return 'alone';
  if (file.startsWith('test/e2e/')) return 'e2e';
  if (file.endsWith('.pg.test.ts')) return 'pg';
  if (file === 'test/simulation/simulation.test.ts') return 'simulation';
  return 'unit';
}

/** Paths relative to `root` with forward slashes, sorted, of every file that `wanted` accepts. */
export function listFiles(
  root: string,
  folders: readonly string[],
  wanted: (path: string) => boolean,
): readonly string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readFolder(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!skippedFolders.has(entry.name)) visit(path);
        continue;
      }
      const name = relative(root, path).split(sep).join('/');
      if (entry.isFile() && wanted(name)) found.push(name);
    }
  };
  for (const folder of folders) visit(join(root, folder));
  return found.sort();
}

function readFolder(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** Test files by group; `filters` are substrings of the path, any of which selects a file. */
export function testFiles(
  root: string,
  filters: readonly string[],
): ReadonlyMap<GroupName, readonly string[]> {
  const groups = new Map<GroupName, string[]>();
  for (const file of listFiles(root, roots, (path) => path.endsWith('.test.ts'))) {
    if (filters.length > 0 && !filters.some((filter) => file.includes(filter))) continue;
    const group = groupOf(file);
    if (group === undefined) continue;
    const list = groups.get(group) ?? [];
    list.push(file);
    groups.set(group, list);
  }
  return groups;
}
