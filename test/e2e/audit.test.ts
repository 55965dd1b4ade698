// Goal: the audit trail is whole from end to end, is exported so that anybody can verify it, and a
// change behind the product's back is located, told and stops exports (SO4; thread 005 of E.5 at the
// API: history comes oldest first, whole or not at all). Method: the product as a real process, the
// command line beside it, and the owner of its database with the triggers off.

import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import { connect, type Sql } from '../../src/io/postgres/connection.ts';
import { rolePassword } from '../../src/io/postgres/embedded-roles.ts';
import { manifestLineSchema } from '../../src/protocol/audit/schemas.ts';
import { auditEventsSchema } from '../../src/protocol/control/platform-schemas.ts';
import { auditReportSchema } from '../../src/protocol/control/trust-schemas.ts';
import { createKey } from '../support/inference.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { type Product, runCommand, startProduct } from '../support/product.ts';

const home = temporaryFolder();
let product: Product;

const start = async (): Promise<void> => {
  product = await startProduct({ dataDirectory: home });
};
before(start);
after(async () => {
  await product.stop();
  rmSync(home, { recursive: true, force: true });
});

const dataFile = (name: string): string => join(product.dataDirectory, name);
const cli = (...words: readonly string[]) =>
  runCommand(words, {
    TENSORFORGE_URL: product.url,
    TENSORFORGE_API_KEY: product.adminKey,
    TENSORFORGE_DATA_DIR: product.dataDirectory,
  });

async function verified(body: object = {}) {
  const asked = { method: 'POST', body: JSON.stringify(body) };
  const answer = await product.json('/api/v1/audit/verify', asked);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return auditReportSchema.parse(answer.body);
}

async function exported(query = '') {
  const headers = { authorization: `Bearer ${product.adminKey}` };
  const answer = await product.send(`/api/v1/audit/export${query}`, { headers });
  return { ...answer, lines: answer.text.trimEnd().split('\n') };
}

async function asOwner(change: (sql: Sql) => Promise<unknown>): Promise<void> {
  const master = new Secret(readFileSync(dataFile('postgres.secret'), 'utf8').trim());
  const user = 'tensorforge_owner';
  const owner = connect(
    {
      kind: 'socket',
      path: dataFile('run/.s.PGSQL.5432'),
      user,
      password: rolePassword(master, user),
      database: 'tensorforge',
    },
    { maxConnections: 1, statementTimeoutMs: 10_000 },
  );
  await owner`alter table control_events disable trigger user`;
  await change(owner);
  await owner`alter table control_events enable trigger user`;
  await owner.end({ timeout: 5 });
}

describe('the audit trail', () => {
  it('is whole, and a restart goes on with its seals', async () => {
    await createKey(product, { name: 'first', permissions: ['inference:use'] });
    await product.stop();
    await start();
    const report = await verified();
    assert.equal(report.whole, true, report.words);
    assert.ok(report.digests >= 1, 'a stop makes a last seal');
    await createKey(product, { name: 'second', permissions: ['inference:use'] });
    await product.stop();
    await start();
    const again = await verified();
    assert.equal(again.whole, true, again.words);
    assert.ok(again.digests > report.digests);
    for (const name of ['audit-anchors.jsonl', 'audit-signing.key']) {
      assert.equal(statSync(dataFile(name)).mode & 0o777, 0o600, name);
    }
  });

  it('is exported oldest first, each stream without a hole, and the file verifies by itself', async () => {
    const { status, headers, lines } = await exported();
    assert.deepEqual([status, headers['content-type']], [200, 'application/x-ndjson']);
    const { manifest } = manifestLineSchema.parse(JSON.parse(lines.at(-1) ?? ''));
    assert.equal(manifest.events, lines.length - 1);
    const identity = lines.slice(0, -1).map((line) => JSON.parse(line));
    const sequences = identity
      .filter(({ stream }) => stream === 'identity')
      .map(({ sequence }) => sequence);
    assert.deepEqual(
      sequences,
      sequences.map((_, index) => index + 1),
    );
    const file = join(home, 'audit.jsonl');
    const written = await cli('audit', 'export', '--output', file);
    assert.equal(written.code, 0, written.stderr);
    const anchors = dataFile('audit-anchors.jsonl');
    const checked = await cli('audit', 'check', file, '--anchors', anchors);
    assert.equal(checked.code, 0, checked.stdout);
    const { body } = await product.json('/api/v1/audit/events?stream=audit&newest=true&limit=1');
    const [last] = auditEventsSchema.parse(body).events;
    assert.equal(last?.kind, 'trail_exported');
    assert.match(String(last?.actor), /^key:key_/);
  });

  it('a window holds both its ends', async () => {
    const { body } = await product.json('/api/v1/audit/events?stream=identity&limit=1000');
    const times = auditEventsSchema.parse(body).events.map(({ occurred_at }) => occurred_at);
    const [from, to] = [times[1], times.at(-1)];
    const { lines } = await exported(`?stream=identity&from=${from}&to=${to}`);
    const inside = times.filter((time) => time >= String(from) && time <= String(to));
    assert.equal(lines.length - 1, inside.length);
    assert.equal(JSON.parse(lines[0] ?? '').occurred_at, from);
  });

  it('nobody verifies or exports without the permission, and bad requests are refused', async () => {
    const key = await createKey(product, { name: 'reader', permissions: ['audit:read'] });
    const headers = { authorization: `Bearer ${key.secret}` };
    assert.equal((await product.send('/api/v1/audit/export', { headers })).status, 403);
    assert.equal((await product.send('/api/v1/audit/export')).status, 401);
    const json = { ...headers, 'content-type': 'application/json' };
    const asked = { method: 'POST', headers: json, body: '{}' };
    assert.equal((await product.send('/api/v1/audit/verify', asked)).status, 200);
    for (const query of ['?from=yesterday', '?format=csv', '?colour=red']) {
      assert.equal((await exported(query)).status, 400, query);
    }
    const late = '?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z';
    assert.equal((await exported(late)).status, 400);
    const unknown = { method: 'POST', headers: json, body: '{"colour":"red"}' };
    assert.equal((await product.send('/api/v1/audit/verify', unknown)).status, 400);
  });

  it('an edited row is located, stops exports, and putting it back lifts that', async () => {
    const rename = (from: string, to: string) =>
      asOwner(
        (sql) => sql`update control_events set actor = ${to}
                     where stream = 'identity' and sequence = 2 and actor = ${from}`,
      );
    await rename('system', 'user:mallory');
    const outcome = await cli('audit', 'verify');
    assert.equal(outcome.code, 3);
    assert.match(outcome.stdout, /events identity, sequence 2: wrong_hash/);
    const refused = await exported('?stream=backends');
    assert.deepEqual([refused.status, JSON.parse(refused.text).code], [422, 'audit_broken']);
    const exit = await cli('audit', 'export', '--output', join(home, 'never.jsonl'));
    assert.equal(exit.code, 4);
    await verified();
    const query = '/api/v1/audit/events?stream=audit&kind=gap_found';
    const { body } = await product.json(query);
    assert.equal(auditEventsSchema.parse(body).count, 1, 'one place is told once');
    await rename('user:mallory', 'system');
    assert.equal((await cli('audit', 'verify')).code, 0);
    assert.equal((await exported('?stream=backends')).status, 200);
  });
});
