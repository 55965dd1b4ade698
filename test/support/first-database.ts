// A data directory whose database is there already, as initdb and the first start leave it: empty of
// ours, with its roles. Making one takes longer than all the rest of a start, so a run of tests makes
// one for each set of programs, and most starts get a copy. The real first start is that of
// `embedded.pg.test.ts`, of the demo, and of every product in a folder that a test names.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { markVariable } from '../../scripts/test/leftovers.ts';
import { openDataDirectory } from '../../src/io/files/data-directory.ts';
import { startEmbedded } from '../../src/io/postgres/embedded.ts';

type Programs = { readonly binariesFolder?: string };

/** What of a data directory belongs to the database: its files, and the secret of its roles. */
const parts = ['postgres', 'postgres.secret'];

function copyParts(from: string, to: string): void {
  for (const part of parts) execFileSync('cp', ['-a', join(from, part), to]);
}

async function makeFirst(place: string, programs: Programs): Promise<void> {
  const made = mkdtempSync(`${place}.`);
  const directory = await openDataDirectory(made);
  try {
    const server = await startEmbedded(directory, programs);
    await server.stop();
  } finally {
    directory.release();
  }
  try {
    renameSync(made, place);
  } catch (error) {
    // Another test file was as early and a little faster.
    if (!existsSync(join(place, 'postgres'))) throw error;
    rmSync(made, { recursive: true });
  }
}

/**
 * Puts a first database into `dataDirectory`, which must not be there or be empty. Does nothing
 * outside of `npm test`, whose scratch folder is where the one that is copied lies until its end.
 */
export async function giveFirstDatabase(
  dataDirectory: string,
  programs: Programs = {},
): Promise<void> {
  if (process.env[markVariable] === undefined) return;
  const name = createHash('sha256')
    .update(programs.binariesFolder ?? '')
    .digest('hex')
    .slice(0, 8);
  const place = join(tmpdir(), `first-database-${name}`);
  if (!existsSync(place)) await makeFirst(place, programs);
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  copyParts(place, dataDirectory);
}
