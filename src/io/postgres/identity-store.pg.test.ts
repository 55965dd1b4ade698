// Goal: identities and keys round-trip, end when they should, and every write is told in the chained
// events of its own transaction. Method: the stores on a real server, time given by the test.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testEvents, withDatabase } from '../../../test/support/postgres.ts';
import type { KeyId } from '../../base/brand.ts';
import { Secret } from '../../base/secret.ts';
import { type Instant, instant } from '../../base/time.ts';
import { findChainFault } from '../../core/events/control-event.ts';
import { nodeCrypto } from '../credentials/crypto.ts';
import { readEvents } from './control-events.ts';
import {
  endlessTtlSeconds,
  getKey,
  identityStore,
  listKeys,
  loadActiveKeys,
  type NewKey,
  touchKeys,
} from './identity-store.ts';
import { deleteSession, insertSession, validateSession } from './session-store.ts';

const at = instant(1_700_000_000_500);
const later = (seconds: number): Instant => instant(1_700_000_000_000 + seconds * 1000);
const cause = { actor: 'user:admin', at };
const keyOf = (text: string): KeyId => `key_${text.padEnd(12, 'a')}` as KeyId;

withDatabase((db) => {
  const store = identityStore(testEvents);
  const newKey = (name: string, more: Partial<NewKey> = {}): NewKey => ({
    keyId: keyOf(name),
    name,
    groupName: 'admin',
    permissions: ['inference:use', 'models:read'],
    models: [],
    secretHash: nodeCrypto.sha256Hex(name),
    last4: 'wxyz',
    ...more,
  });
  const insert = (key: NewKey) => db.database.sql.begin((tx) => store.insertKey(tx, key, cause));
  const revoke = (keyId: KeyId) => db.database.sql.begin((tx) => store.revokeKey(tx, keyId, cause));
  const activeIds = async (now: Instant): Promise<readonly KeyId[]> =>
    (await loadActiveKeys(db.database.sql, now)).map(({ keyId }) => keyId);
  const kinds = async (): Promise<readonly string[]> =>
    (await readEvents(db.database.sql, { stream: 'identity', limit: 1000 })).map(
      ({ kind }) => kind,
    );

  test('the first admin, its group and its membership are made once', async () => {
    const ensure = () =>
      db.database.sql.begin((tx) => store.ensureFirstAdmin(tx, { actor: 'system', at }));
    const made = await Promise.all([ensure(), ensure(), ensure()]);
    assert.deepEqual(made.map(({ created }) => created).sort(), [false, false, true]);
    const members = await db.database.sql`
      select u.username, u.admin, u.encrypted_password, g.group_name, m.role
      from user_group m join users u on u.id = m.user_id join groups g on g.id = m.group_id`;
    assert.deepEqual(
      [...members],
      [{ username: 'admin', admin: true, encrypted_password: '!', group_name: 'admin', role: 2 }],
    );
    assert.deepEqual(await kinds(), ['user_created', 'group_created', 'group_members_changed']);
  });

  test('a key round-trips', async () => {
    const facts = await insert(
      newKey('full', { owner: 'admin', models: ['llama*'], ttlSeconds: 90 }),
    );
    assert.deepEqual(facts, {
      keyId: keyOf('full'),
      name: 'full',
      groupName: 'admin',
      owner: 'admin',
      permissions: ['inference:use', 'models:read'],
      models: ['llama*'],
      last4: 'wxyz',
      createdAt: at,
      expiresAt: later(90),
      revokedAt: undefined,
      lastUsedAt: undefined,
    });
    assert.deepEqual(await getKey(db.database.sql, facts.keyId), facts);
    assert.deepEqual(await listKeys(db.database.sql), [facts]);
    assert.deepEqual(await listKeys(db.database.sql, { groupName: 'other' }), []);
    assert.deepEqual(await loadActiveKeys(db.database.sql, at), [
      {
        keyId: facts.keyId,
        groupName: 'admin',
        owner: 'admin',
        permissions: ['inference:use', 'models:read'],
        models: ['llama*'],
        secretHash: nodeCrypto.sha256Hex('full'),
        issuedAt: later(0),
        expiresAt: later(90),
      },
    ]);
    const [event] = (await readEvents(db.database.sql, { stream: 'identity', limit: 1000 })).slice(
      -1,
    );
    assert.equal(event?.kind, 'api_key_created');
    assert.equal(event?.actor, 'user:admin');
    assert.equal(event?.subject, `key:${facts.keyId}`);
    assert.equal(JSON.stringify(event).includes(nodeCrypto.sha256Hex('full')), false);
  });

  test('a key expires at the end of its time and not before', async () => {
    assert.deepEqual(await activeIds(instant(later(90) - 1)), [keyOf('full')]);
    assert.deepEqual(await activeIds(later(90)), []);
  });

  test('a key without expiry, permissions, models or owner is stored as such', async () => {
    const facts = await insert(newKey('endless', { permissions: [] }));
    assert.equal(facts.expiresAt, undefined);
    assert.equal(facts.owner, undefined);
    assert.deepEqual(facts.permissions, []);
    assert.deepEqual(facts.models, []);
    assert.deepEqual(await activeIds(later(endlessTtlSeconds - 1)), [keyOf('endless')]);
  });

  test('a revoked key is gone from the active ones, and is revoked only once', async () => {
    await insert(newKey('revoked'));
    const facts = await revoke(keyOf('revoked'));
    assert.equal(facts.revokedAt, at);
    const before = await kinds();
    assert.deepEqual(await revoke(keyOf('revoked')), facts);
    assert.deepEqual(await kinds(), before);
    assert.equal(before.at(-1), 'api_key_revoked');
    assert.equal((await activeIds(at)).includes(keyOf('revoked')), false);
    assert.equal((await listKeys(db.database.sql)).length, 3);
    await assert.rejects(revoke(keyOf('nobody')), { code: 'key_not_found' });
  });

  test('a refused key leaves neither rows nor events', async () => {
    const before = await kinds();
    await assert.rejects(insert(newKey('full')), { code: 'name_taken' });
    await assert.rejects(insert(newKey('x', { groupName: 'none' })), { code: 'not_found' });
    await assert.rejects(insert(newKey('x', { owner: 'none' })), { code: 'not_found' });
    for (const name of ['nul \0', 'half \ud800']) {
      await assert.rejects(insert(newKey('x', { name })), { code: 'invalid_request' });
    }
    assert.deepEqual(await kinds(), before);
    assert.equal(await getKey(db.database.sql, keyOf('x')), undefined);
  });

  test('keys of a locked user or group admit nothing', async () => {
    const { sql } = db.database;
    await sql`update users set state = 1`;
    assert.deepEqual(await activeIds(at), [keyOf('endless')]);
    await sql`update groups set state = 1`;
    assert.deepEqual(await activeIds(at), []);
    await sql`update users set state = 0`;
    await sql`update groups set state = 0`;
    assert.deepEqual(await activeIds(at), [keyOf('endless'), keyOf('full')]);
  });

  test('the last use moves forward only', async () => {
    const { sql } = db.database;
    await touchKeys(sql, new Map());
    const used = new Map([
      [keyOf('full'), later(10)],
      [keyOf('nobody'), later(10)],
    ]);
    await touchKeys(sql, used);
    await touchKeys(sql, new Map([[keyOf('full'), later(5)]]));
    assert.equal((await getKey(sql, keyOf('full')))?.lastUsedAt, later(10));
  });

  const open = (keyId: KeyId, now: Instant): Promise<Secret> =>
    db.database.sql.begin((tx) =>
      insertSession(tx, testEvents, { keyId, actor: 'user:admin', at: now }),
    );

  test('a session lives 12 h from its last use, and its secret is not stored', async () => {
    const { sql } = db.database;
    const hour = 3600;
    const cookie = await open(keyOf('endless'), later(0));
    const rows = await sql`select * from token_store where token_id like 'session:%'`;
    assert.equal(rows.length, 1);
    const secret = cookie.reveal().split('.')[2];
    assert.ok(secret !== undefined && !JSON.stringify(rows).includes(secret));
    const validAt = (seconds: number) => validateSession(sql, cookie, later(seconds));
    const session = { keyId: keyOf('endless'), expiresAt: later(12 * hour) };
    assert.deepEqual(await validAt(30), session);
    assert.equal((await validAt(8 * hour))?.expiresAt, later(20 * hour));
    assert.equal((await validAt(20 * hour - 1))?.expiresAt, later(32 * hour - 1));
    assert.equal(await validAt(32 * hour - 1), undefined);
    await open(keyOf('endless'), later(40 * hour));
    assert.equal((await sql`select from token_store where token_id like 'session:%'`).length, 1);
    assert.equal((await kinds()).at(-1), 'login_succeeded');
  });

  test('a session ends with its key, by logout, and with a wrong secret it never was one', async () => {
    const { sql } = db.database;
    await insert(newKey('brief'));
    const cookie = await open(keyOf('brief'), at);
    const forged = [
      '',
      'tfs_',
      cookie.reveal().slice(0, -1),
      `${cookie.reveal()}x`,
      cookie.reveal().replace(/.{43}$/, 'A'.repeat(43)),
      cookie.reveal().replace(keyOf('brief'), keyOf('full')),
    ];
    for (const text of forged) {
      assert.equal(await validateSession(sql, new Secret(text), at), undefined, text);
      assert.equal(await deleteSession(sql, new Secret(text)), false, text);
    }
    const other = await open(keyOf('brief'), at);
    assert.equal(await deleteSession(sql, other), true);
    assert.equal(await deleteSession(sql, other), false);
    assert.equal(await validateSession(sql, other, at), undefined);
    assert.notEqual(await validateSession(sql, cookie, at), undefined);
    await revoke(keyOf('brief'));
    assert.equal(await validateSession(sql, cookie, at), undefined);
  });

  test('all of it stands in one chain', async () => {
    const events = await readEvents(db.database.sql, { stream: 'identity', limit: 1000 });
    assert.equal(
      findChainFault({ sequence: 0, hash: '' }, events, nodeCrypto.sha256Hex),
      undefined,
    );
  });
});
