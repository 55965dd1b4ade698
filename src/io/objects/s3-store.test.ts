// Goal: the bucket is used as the protocol of S3 wants it: method, path, signature, length, no
// chunks with checksums. Method: the client of Amazon against a small server of ours that checks
// them.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type ObjectServer, startObjectServer } from '../../../test/support/object-server.ts';
import { present } from '../../base/assert.ts';
import { Secret } from '../../base/secret.ts';
import { openS3Store, type S3Store } from './s3-store.ts';

const isInstalled = await import('@aws-sdk/client-s3').then(
  () => true,
  () => false,
);
const skip = isInstalled ? false : '@aws-sdk/client-s3 is not installed';

describe('objects: bucket', { skip }, () => {
  let folder = '';
  let started: ObjectServer | undefined;
  let opened: S3Store | undefined;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tensorforge-bucket-'));
    started = await startObjectServer('tensorforge-segments', { pageSize: 2 });
    opened = await openS3Store({
      bucket: 'tensorforge-segments',
      region: 'eu-central-1',
      endpoint: started.url,
      prefix: 'segments/',
      credentials: { accessKeyId: 'id', secretAccessKey: new Secret('secret') },
    });
  });
  afterEach(async () => {
    opened?.close();
    await started?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const server = (): ObjectServer => present(started, 'a server');
  const store = (): S3Store => present(opened, 'a store');

  test('files and bytes are put whole, under the prefix, signed, with their length', async () => {
    const path = join(folder, 'segment');
    writeFileSync(path, Buffer.alloc(300_000, 9));
    await store().put('t0/00000001-ab.tfd', { path });
    await store().put('t0/small', { bytes: Buffer.from('abc') });
    assert.deepEqual(server().requests, [
      {
        method: 'PUT',
        path: '/tensorforge-segments/segments/t0/00000001-ab.tfd',
        bytes: 300_000,
        faults: [],
      },
      { method: 'PUT', path: '/tensorforge-segments/segments/t0/small', bytes: 3, faults: [] },
    ]);
    const read = await store().get('t0/00000001-ab.tfd');
    assert.ok(read.ok);
    assert.deepEqual(read.value, Buffer.alloc(300_000, 9));
    assert.deepEqual([await store().has('t0/small'), await store().has('t0/other')], [true, false]);
  });

  test('what is not there is a refusal', async () => {
    const read = await store().get('t0/other');
    assert.equal(read.ok ? 'read' : read.error.code, 'object_not_found');
  });

  test('a list is read to its last page, without the prefix', async () => {
    for (const key of ['t0/a', 't0/b', 't0/c', 't1/a']) {
      await store().put(key, { bytes: Buffer.from(key) });
    }
    assert.deepEqual(await store().list('t0/'), [
      { key: 't0/a', bytes: 4 },
      { key: 't0/b', bytes: 4 },
      { key: 't0/c', bytes: 4 },
    ]);
    assert.equal(server().requests.filter(({ method }) => method === 'GET').length, 2);
  });

  test('a refusal of the server rejects, and is not taken for an object that is not there', async () => {
    server().failWith(403);
    await assert.rejects(store().has('t0/a'));
    await assert.rejects(store().get('t0/a'));
    await assert.rejects(store().put('t0/a', { bytes: Buffer.from('abc') }));
  });
});
