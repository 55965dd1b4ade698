// Migrations: numbered SQL files that bring the schema to what this program expects, each applied once
// in one transaction. What was applied is remembered with its digest. A database that is ahead of the
// program, or whose history is not the program's, is refused rather than guessed at.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareNumbers } from '../../base/compare.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { type AnySql, failureCode, type Sql, type Transaction } from './connection.ts';

export const migrationsFolder = fileURLToPath(new URL('../../../sql/migrations/', import.meta.url));

/** Any number does, as long as nothing else in the same database uses it. */
const lockKey = 0x7f_0a_11;

export type Migration = {
  readonly version: number;
  readonly name: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly digest: string;
  readonly path: string;
};

type Applied = { readonly version: number; readonly name: string; readonly digest: string };

/** The migrations of a folder in order; throws `bad_state` unless they are numbered 1, 2, 3, ... */
export function readMigrations(folder: string): readonly Migration[] {
  const migrations = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .map((file): Migration => {
      const [, number, name] = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(file) ?? [];
      if (number === undefined || name === undefined) {
        throw new TensorForgeError('bad_state', `the migration ${file} is not named 0001_name.sql`);
      }
      const path = join(folder, file);
      const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
      return { version: Number(number), name, digest, path };
    })
    .sort((a, b) => compareNumbers(a.version, b.version));
  for (const [index, migration] of migrations.entries()) {
    if (migration.version !== index + 1) {
      throw new TensorForgeError('bad_state', `the migration number ${index + 1} is missing`);
    }
  }
  return migrations;
}

async function readApplied(sql: AnySql): Promise<readonly Applied[]> {
  const [table] = await sql<
    { readonly known: boolean }[]
  >`select to_regclass('schema_migrations') is not null as known`;
  if (table?.known !== true) return [];
  return await sql<Applied[]>`select version, name, digest from schema_migrations order by version`;
}

/** Throws `bad_state` when what was applied is not the beginning of what the program knows. */
function checkHistory(applied: readonly Applied[], known: readonly Migration[]): void {
  const newest = applied.at(-1);
  if (newest !== undefined && newest.version > known.length) {
    throw new TensorForgeError(
      'bad_state',
      `the database is at schema version ${newest.version} (${newest.name}), and this program knows ` +
        `versions up to ${known.length}: run the release that made it or a later one, ` +
        'or restore a backup from before the upgrade',
    );
  }
  for (const [index, entry] of applied.entries()) {
    const migration = known[index];
    const words = `schema version ${entry.version} (${entry.name})`;
    if (migration?.version !== entry.version) {
      throw new TensorForgeError(
        'bad_state',
        `the database lacks schema version ${index + 1} but has ${words}; restore a backup`,
      );
    }
    if (migration.digest !== entry.digest) {
      throw new TensorForgeError(
        'bad_state',
        `${words} was applied from another text than this program has: ` +
          'an applied migration never changes; run the release that applied it, or restore a backup',
      );
    }
  }
}

/** Throws `bad_state` when this program cannot work with the schema that is there; changes nothing. */
export async function checkSchema(sql: AnySql): Promise<void> {
  checkHistory(await readApplied(sql), readMigrations(migrationsFolder));
}

async function createTable(tx: Transaction): Promise<void> {
  await tx`
    create table if not exists schema_migrations (
      version    integer     primary key,
      name       text        not null,
      digest     text        not null,
      applied_at timestamptz not null default now()
    )`;
  await tx`comment on table schema_migrations is 'Migrations that were applied, with the digest of their text.'`;
}

/** Runs the file; a fault of its SQL is told as that, all else is the caller's to explain. */
async function applyFile(tx: Transaction, migration: Migration): Promise<void> {
  try {
    await tx.file(migration.path);
  } catch (cause) {
    const code = failureCode(cause) ?? '';
    const isFaultOfSql = /^(?!08|42501|53|57)[0-9A-Z]{5}$/.test(code);
    if (!isFaultOfSql) throw cause;
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new TensorForgeError(
      'bad_state',
      `the migration ${migration.version} (${migration.name}) failed and left no trace: ${words}`,
      { cause },
    );
  }
}

/** Applies the first migration that is not applied yet; undefined when there is none. */
async function applyNext(sql: Sql, known: readonly Migration[]): Promise<Migration | undefined> {
  return await sql.begin(async (tx) => {
    // Two programs that start at once take turns, and the second finds the work done.
    await tx`select pg_advisory_xact_lock(${lockKey})`;
    const applied = await readApplied(tx);
    checkHistory(applied, known);
    const next = known[applied.length];
    if (next === undefined) return undefined;
    if (applied.length === 0) await createTable(tx);
    await applyFile(tx, next);
    await tx`
      insert into schema_migrations (version, name, digest)
      values (${next.version}, ${next.name}, ${next.digest})`;
    return next;
  });
}

/**
 * Brings the database to the newest version the program knows and returns what was applied now.
 * `sql` is the owner's connection. Throws `bad_state` when the database is newer or its history
 * differs, and PostgreSQL's own error when a migration fails; then that one left no trace.
 */
export async function migrate(
  sql: Sql,
  folder: string = migrationsFolder,
): Promise<readonly Migration[]> {
  const known = readMigrations(folder);
  const before = await readApplied(sql);
  checkHistory(before, known);
  const done: Migration[] = [];
  if (before.length === known.length) return done;
  for (;;) {
    const applied = await applyNext(sql, known);
    if (applied === undefined) return done;
    done.push(applied);
  }
}
