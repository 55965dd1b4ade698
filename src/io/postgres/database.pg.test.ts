// Goal: one database, however it is reached; a schema that is exactly what the program knows; refusals
// in words that help. Method: a real server, by its socket and by TCP through a small relay.

import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import {
  type AddressInfo,
  connect as connectSocket,
  createServer,
  type Server,
  type Socket,
} from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryFolder, withDatabase } from '../../../test/support/postgres.ts';
import { Secret } from '../../base/secret.ts';
import { connect, type Sql } from './connection.ts';
import { openDatabase } from './database.ts';
import { rolePassword } from './embedded-roles.ts';
import { migrate, migrationsFolder, readMigrations } from './migrate.ts';
import { tables } from './rows.ts';

withDatabase((db) => {
  let owner: Sql;
  let relay: Server;
  const relayed = new Set<Socket>();
  let port = 0;
  const ownerPassword = (): string => {
    const master = db.directory.readSecretFile('postgres.secret');
    assert.ok(master !== undefined);
    return rolePassword(master, 'tensorforge_owner').reveal();
  };
  const socketPath = (): string => join(db.directory.file('run'), '.s.PGSQL.5432');
  const urlOf = (user: string, password: string, rest = `127.0.0.1:${port}/tensorforge`): Secret =>
    new Secret(`postgresql://${user}:${password}@${rest}`);

  before(async () => {
    owner = connect(
      {
        kind: 'socket',
        path: socketPath(),
        user: 'tensorforge_owner',
        password: new Secret(ownerPassword()),
        database: 'tensorforge',
      },
      { maxConnections: 4, statementTimeoutMs: 0 },
    );
    relay = createServer((client) => {
      relayed.add(client);
      client.once('close', () => relayed.delete(client));
      const upstream = connectSocket(socketPath());
      client.on('error', () => upstream.destroy());
      upstream.on('error', () => client.destroy());
      client.pipe(upstream).pipe(client);
    });
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    port = (relay.address() as AddressInfo).port;
  });
  after(async () => {
    await owner.end({ timeout: 1 });
    for (const client of relayed) client.destroy();
    await new Promise((resolve) => relay.close(resolve));
  });

  test('the migrations are applied and remembered', async () => {
    const rows = await db.database
      .sql`select version, name, digest from schema_migrations order by 1`;
    const known = readMigrations(migrationsFolder);
    assert.deepEqual(
      [...rows],
      known.map(({ version, name, digest }) => ({ version, name, digest })),
    );
    assert.deepEqual(await migrate(owner), []);
  });

  test('the declared rows are the tables of the schema, column by column', async () => {
    const columns = await db.database.sql<{ place: string; type: string }[]>`
      select c.relname || '.' || a.attname as place,
             format_type(a.atttypid, null) || case when a.attnotnull then '' else '?' end as type
      from pg_attribute a
      join pg_class c on c.oid = a.attrelid
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
        and a.attnum > 0 and not a.attisdropped
      order by place`;
    const declared = Object.entries(tables).flatMap(([table, fields]) =>
      Object.entries(fields).map(([column, type]) => ({ place: `${table}.${column}`, type })),
    );
    declared.sort((a, b) => (a.place < b.place ? -1 : 1));
    const found = [...columns].sort((a, b) => (a.place < b.place ? -1 : 1));
    assert.deepEqual(found, declared);
  });

  test('every table says what it is for', async () => {
    const silent = await db.database.sql`
      select relname from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r'
        and obj_description(oid, 'pg_class') is null`;
    assert.deepEqual([...silent], []);
  });

  test('a statement of the pool ends after 5 s, one of a migration does not', async () => {
    assert.deepEqual(
      [...(await db.database.sql`show statement_timeout`)],
      [{ statement_timeout: '5s' }],
    );
    assert.deepEqual([...(await owner`show statement_timeout`)], [{ statement_timeout: '0' }]);
  });

  test('a bigint comes as a number, and fails where a number would be wrong', async () => {
    const { sql } = db.database;
    const [row] = await sql`select ${9007199254740991}::bigint as big, count(*) from users`;
    assert.deepEqual(row, { big: 9007199254740991, count: 0 });
    await assert.rejects(sql`select 9007199254740993::bigint as big`, /beyond 2\^53/);
    assert.deepEqual([...(await sql`select 1 as alive`)], [{ alive: 1 }]);
  });

  test('the audit role reads and adds events, and sees nothing else', async () => {
    const audit = db.database.openAuditPool(1);
    assert.deepEqual([...(await audit`select count(*) from control_events`)], [{ count: 0 }]);
    await assert.rejects(audit`select * from token_store`, { code: '42501' });
    await assert.rejects(audit`delete from control_events`, { code: '42501' });
  });

  test('a database that is newer than the program is refused, and both versions are named', async () => {
    await owner`insert into schema_migrations (version, name, digest) values (99, 'later', 'x')`;
    try {
      const known = readMigrations(migrationsFolder).length;
      await assert.rejects(migrate(owner), {
        code: 'bad_state',
        message: new RegExp(
          `schema version 99 \\(later\\).*versions up to ${known}: run the release`,
        ),
      });
      const url = urlOf('tensorforge_owner', ownerPassword());
      await assert.rejects(openDatabase({ source: { kind: 'url', url } }), { code: 'bad_state' });
    } finally {
      await owner`delete from schema_migrations where version = 99`;
    }
  });

  test('an applied migration whose text changed is refused', async () => {
    const folder = temporaryFolder();
    for (const file of readdirSync(migrationsFolder)) {
      const text = readFileSync(join(migrationsFolder, file), 'utf8');
      writeFileSync(join(folder, file), file.startsWith('0002') ? `${text}-- later\n` : text);
    }
    await assert.rejects(migrate(owner, folder), {
      code: 'bad_state',
      message: /schema version 2 \(identity\) was applied from another text/,
    });
    rmSync(folder, { recursive: true });
  });

  test('a gap in the applied migrations is refused', async () => {
    const [row] =
      await owner`delete from schema_migrations where version = 1 returning name, digest`;
    await assert.rejects(migrate(owner), {
      code: 'bad_state',
      message: /lacks schema version 1 but has schema version 2/,
    });
    await owner`
      insert into schema_migrations (version, name, digest)
      values (1, ${row?.['name']}, ${row?.['digest']})`;
  });

  test('a migration that fails leaves no trace, and a corrected one is applied once by many', async () => {
    const folder = temporaryFolder();
    for (const file of readdirSync(migrationsFolder)) {
      copyFileSync(join(migrationsFolder, file), join(folder, file));
    }
    const next = readMigrations(folder).length + 1;
    const file = join(folder, `${String(next).padStart(4, '0')}_extra.sql`);
    writeFileSync(file, 'create table extra (id integer); select 1 / 0;');
    await assert.rejects(migrate(owner, folder), {
      code: 'bad_state',
      message: /the migration \d+ \(extra\) failed and left no trace: division by zero/,
    });
    assert.deepEqual([...(await owner`select to_regclass('extra') as extra`)], [{ extra: null }]);

    writeFileSync(file, 'create table extra (id integer);');
    const applied = await Promise.all([1, 2, 3].map(() => migrate(owner, folder)));
    assert.deepEqual(
      applied.flat().map(({ name }) => name),
      ['extra'],
    );
    await owner`drop table extra`;
    await owner`delete from schema_migrations where version = ${next}`;
    rmSync(folder, { recursive: true });
  });

  test('migrations are numbered without a gap and named as they must be', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, '0002_second.sql'), '');
    assert.throws(() => readMigrations(folder), {
      code: 'bad_state',
      message: /number 1 is missing/,
    });
    writeFileSync(join(folder, '1_first.sql'), '');
    assert.throws(() => readMigrations(folder), { code: 'bad_state', message: /0001_name\.sql/ });
    rmSync(folder, { recursive: true });
  });

  test('a server by DATABASE_URL serves by TCP and by socket', async () => {
    const bySocket = `localhost/tensorforge?host=${encodeURIComponent(db.directory.file('run'))}`;
    for (const rest of [undefined, bySocket]) {
      const url = urlOf('tensorforge_owner', ownerPassword(), rest);
      const database = await openDatabase({ source: { kind: 'url', url }, maxConnections: 2 });
      assert.equal(database.kind, 'url');
      assert.equal(database.serverVersion, db.database.serverVersion);
      assert.deepEqual([...(await database.sql`select count(*) from users`)], [{ count: 0 }]);
      await database.close();
    }
  });

  const unreachable: readonly (readonly [string, () => Secret, RegExp])[] = [
    [
      'nothing listens',
      () => urlOf('u', 'geheim', '127.0.0.1:1/tensorforge'),
      /PostgreSQL at 127\.0\.0\.1:1\/tensorforge cannot be used: nothing listens there.*ECONNREFUSED/,
    ],
    ['the password is wrong', () => urlOf('tensorforge_owner', 'geheim'), /the password/],
    [
      'the database does not exist',
      () => urlOf('tensorforge_owner', ownerPassword(), `127.0.0.1:${port}/other`),
      /the database does not exist there; create it/,
    ],
    [
      'the socket does not exist',
      () => urlOf('u', 'geheim', 'localhost/tensorforge?host=/nowhere'),
      /there is no such socket/,
    ],
    [
      'the server has no TLS',
      () => urlOf('u', 'geheim', `127.0.0.1:${port}/tensorforge?sslmode=verify-full`),
      /cannot be used/,
    ],
  ];
  for (const [when, url, words] of unreachable) {
    test(`the refusal helps when ${when}, and holds no password`, async () => {
      await assert.rejects(
        openDatabase({ source: { kind: 'url', url: url() } }),
        (error: unknown) => {
          assert.ok(error instanceof Error && 'code' in error);
          assert.equal(error.code, 'retry');
          assert.match(error.message, words);
          assert.equal(error.message.includes('geheim'), false);
          return true;
        },
      );
    });
  }

  test('a role that may not create tables is told so', async () => {
    const master = db.directory.readSecretFile('postgres.secret');
    assert.ok(master !== undefined);
    const folder = temporaryFolder();
    for (const file of readdirSync(migrationsFolder)) {
      copyFileSync(join(migrationsFolder, file), join(folder, file));
    }
    const next = readMigrations(folder).length + 1;
    writeFileSync(
      join(folder, `${String(next).padStart(4, '0')}_extra.sql`),
      'create table extra (id integer);',
    );
    const url = urlOf('tensorforge_app', rolePassword(master, 'tensorforge_app').reveal());
    await assert.rejects(openDatabase({ source: { kind: 'url', url }, migrations: folder }), {
      code: 'config_invalid',
      message: /may not create tables/,
    });
    rmSync(folder, { recursive: true });
  });
});
