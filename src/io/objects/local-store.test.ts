// Goal: objects in a folder are whole or not there, and a key never leaves the folder. Method: real
// files.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { LocalStore } from './local-store.ts';

describe('objects: folder', () => {
  let folder = '';
  let store = new LocalStore('');
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tensorforge-objects-'));
    store = new LocalStore(join(folder, 'store'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('bytes and files are stored, replaced, found, listed and read', async () => {
    const path = join(folder, 'source');
    writeFileSync(path, Buffer.alloc(200_000, 7));
    await store.put('t0/b', { path });
    await store.put('t0/a', { bytes: Buffer.from('one') });
    await store.put('t0/a', { bytes: Buffer.from('three') });
    await store.put('t1/a', { bytes: Buffer.alloc(0) });
    assert.equal(statSync(join(folder, 'store', 't0', 'a')).mode & 0o777, 0o600);
    const read = await store.get('t0/b');
    assert.ok(read.ok);
    assert.deepEqual(read.value, Buffer.alloc(200_000, 7));
    assert.deepEqual(await store.list('t0/'), [
      { key: 't0/a', bytes: 5 },
      { key: 't0/b', bytes: 200_000 },
    ]);
    assert.equal((await store.list('')).length, 3);
    assert.deepEqual([await store.has('t0/a'), await store.has('t0/c')], [true, false]);
  });

  test('what is not there is a refusal, an empty list, no', async () => {
    const read = await store.get('t0/a');
    assert.equal(read.ok ? 'read' : read.error.code, 'object_not_found');
    assert.deepEqual(await store.list(''), []);
    assert.equal(await store.has('t0/a'), false);
  });

  test('a source that cannot be read leaves nothing behind, and the old object stays', async () => {
    await store.put('a', { bytes: Buffer.from('old') });
    await assert.rejects(store.put('a', { path: join(folder, 'absent') }), { code: 'ENOENT' });
    await assert.rejects(store.put('b', { path: folder }), { code: 'EISDIR' });
    assert.deepEqual(readdirSync(join(folder, 'store')), ['a']);
    const read = await store.get('a');
    assert.ok(read.ok && read.value.toString() === 'old');
  });

  test('keys that are no plain relative paths are bugs of the caller', async () => {
    for (const key of [
      '',
      '/a',
      'a/',
      'a//b',
      '../a',
      'a/../b',
      'a/.',
      'a\\b',
      'ä',
      'x'.repeat(513),
    ])
      await assert.rejects(store.has(key), { name: 'AssertionFailed' }, key);
  });
});
