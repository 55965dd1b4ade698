// A real PostgreSQL for tests: one temporary embedded server per test file, migrated and private.
// TENSORFORGE_TEST_POSTGRES names a folder with other PostgreSQL programs, such as
// /usr/lib/postgresql/15/bin; the packaged ones are used without it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { chainEvents } from '../../src/core/events/control-event.ts';
import { type DataDirectory, openDataDirectory } from '../../src/io/files/data-directory.ts';
import { type ControlEvents, controlEvents } from '../../src/io/postgres/control-events.ts';
import { type Database, openDatabase } from '../../src/io/postgres/database.ts';
import { giveFirstDatabase } from './first-database.ts';

const folder = process.env['TENSORFORGE_TEST_POSTGRES'];

/** The member of `DatabaseSource` and of `startEmbedded`'s options that picks the programs. */
export const testBinaries: { readonly binariesFolder?: string } =
  folder === undefined || folder === '' ? {} : { binariesFolder: folder };

/** Events chained by the core's rule, as in the product. */
export const testEvents: ControlEvents = controlEvents(chainEvents);

/** A new empty folder; the caller removes it. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'tensorforge-test-'));
}

export type TestDatabase = {
  /** Valid inside tests and hooks. */
  readonly database: Database;
  readonly directory: DataDirectory;
};

/**
 * Declares tests that share one server, started before the first and stopped after the last:
 * `withDatabase((db) => { test('...', async () => { await db.database.sql`...` }) })`.
 */
export function withDatabase(declare: (db: TestDatabase) => void): void {
  describe('with a database', () => {
    const path = temporaryFolder();
    let directory: DataDirectory | undefined;
    let database: Database | undefined;
    before(async () => {
      await giveFirstDatabase(path, testBinaries);
      directory = await openDataDirectory(path);
      database = await openDatabase({ source: { kind: 'embedded', directory, ...testBinaries } });
    });
    after(async () => {
      await database?.close();
      directory?.release();
      rmSync(path, { recursive: true, force: true });
    });
    declare({
      get database() {
        return present(database, 'the database, which exists only while tests run');
      },
      get directory() {
        return present(directory, 'the data directory, which exists only while tests run');
      },
    });
  });
}

/** Waits until `holds`, polling another process; throws after `limitMs`. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = 40_000,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
