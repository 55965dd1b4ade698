// Goal: lines count once, states follow only from those they may, and a group sees its own files and
// batches alone. Method: a real server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testEvents, withDatabase } from '../../../test/support/postgres.ts';
import { instant } from '../../base/time.ts';
import type { EventToAppend } from './control-events.ts';
import { inferenceBatchStore, type NewBatch } from './inference-batch-store.ts';
import { inferenceFileStore, type StoredFile } from './inference-file-store.ts';

const at = instant(Date.UTC(2026, 10, 22));

function event(kind: string): EventToAppend {
  return {
    stream: 'edge',
    kind,
    version: 1,
    occurredAt: at,
    actor: 'key:a',
    subject: 's',
    data: {},
  };
}

function file(fileId: string, more: Partial<StoredFile> = {}): StoredFile {
  return {
    fileId,
    groupName: 'red',
    keyId: 'key_a',
    purpose: 'batch',
    filename: 'lines.jsonl',
    bytes: 10,
    createdAt: at,
    ...more,
  };
}

function batch(batchId: string, more: Partial<NewBatch> = {}): NewBatch {
  return {
    batchId,
    groupName: 'red',
    keyId: 'key_a',
    endpoint: '/v1/completions',
    inputFileId: 'file-in',
    metadata: { team: 'ü' },
    createdAt: at,
    expiresAt: instant(at + 86_400_000),
    ...more,
  };
}

withDatabase((db) => {
  const files = () => inferenceFileStore(db.database.sql, testEvents);
  const batches = () => inferenceBatchStore(db.database.sql, testEvents);

  test('files are seen by their group, in pages of either order', async () => {
    for (const id of ['file-a', 'file-b', 'file-c'])
      await files().add(file(id), event('file_uploaded'));
    await files().add(file('file-d', { groupName: 'blue' }), event('file_uploaded'));
    const query = { groupName: 'red', purpose: undefined, isAscending: false, after: undefined };
    const first = await files().list({ ...query, limit: 2 });
    assert.deepEqual(
      [first.items.map((one) => one.fileId), first.hasMore],
      [['file-c', 'file-b'], true],
    );
    const rest = await files().list({ ...query, after: 'file-b', limit: 2 });
    assert.deepEqual([rest.items.map((one) => one.fileId), rest.hasMore], [['file-a'], false]);
    const upwards = await files().list({ ...query, isAscending: true, after: 'file-a', limit: 9 });
    assert.deepEqual(
      upwards.items.map((one) => one.fileId),
      ['file-b', 'file-c'],
    );
    assert.deepEqual(await files().list({ ...query, after: 'file-d', limit: 9 }), {
      items: [],
      hasMore: false,
    });
    assert.equal(await files().get('red', 'file-d'), undefined);
    assert.deepEqual(await files().get('red', 'file-a'), file('file-a'));
    assert.deepEqual(await files().usage('red'), { files: 3, bytes: 30 });
    assert.deepEqual(await files().known(['file-a', 'file-x']), new Set(['file-a']));
    assert.equal(await files().remove('red', 'file-d', event('file_deleted')), 'absent');
    assert.equal(await files().remove('red', 'file-a', event('file_deleted')), 'removed');
  });

  test('a line counts once, and its batch goes through its states once', async () => {
    await files().add(file('file-in'), event('file_uploaded'));
    assert.equal(
      await batches().add(batch('batch_1', { inputFileId: 'file-d' }), event('batch_created'), 9),
      'no_file',
    );
    assert.equal(await batches().add(batch('batch_1'), event('batch_created'), 9), 'added');
    assert.equal(await batches().add(batch('batch_2'), event('batch_created'), 1), 'too_many');
    assert.equal(await files().remove('red', 'file-in', event('file_deleted')), 'in_use');
    const started = { batchId: 'batch_1', from: ['validating'], to: 'in_progress', at } as const;
    const running = await batches().move({
      ...started,
      total: 3,
      event: event('batch_state_changed'),
    });
    assert.deepEqual(
      [running?.status, running?.total, running?.inProgressAt],
      ['in_progress', 3, at],
    );
    assert.deepEqual(running?.metadata, { team: 'ü' });
    assert.equal(await batches().move({ ...started, total: 9, event: event('x') }), undefined);
    const results = [
      { line: 0, isError: false, text: '{"a":1}' },
      { line: 2, isError: true, text: '{"c":3}' },
    ];
    await batches().record('batch_1', results, { line: 1, byte: 8 });
    const counted = await batches().record('batch_1', results, { line: 1, byte: 8 });
    assert.deepEqual(
      [counted?.completed, counted?.failed, counted?.cursor],
      [1, 1, { line: 1, byte: 8 }],
    );
    assert.deepEqual(await batches().answered('batch_1', 1), [2]);
    const read: unknown[] = [];
    for await (const portion of batches().results('batch_1')) read.push(...portion);
    assert.deepEqual(read, results);
    assert.deepEqual(
      (await batches().open()).map((one) => one.batchId),
      ['batch_1'],
    );
  });

  test('a batch ends with its files, and its results are dropped', async () => {
    const output = file('file-out', { purpose: 'batch_output' });
    const ended = await batches().move({
      batchId: 'batch_1',
      from: ['in_progress'],
      to: 'completed',
      at,
      event: event('batch_state_changed'),
      files: { output, error: undefined },
    });
    assert.deepEqual([ended?.outputFileId, ended?.errorFileId], ['file-out', undefined]);
    assert.deepEqual(await files().get('red', 'file-out'), output);
    assert.deepEqual(await batches().answered('batch_1', 0), []);
    assert.equal(await batches().get('blue', 'batch_1'), undefined);
    assert.equal((await batches().get(undefined, 'batch_1'))?.status, 'completed');
    const none = { groupName: 'blue', after: undefined, limit: 5 };
    assert.deepEqual(await batches().list(none), { items: [], hasMore: false });
    const all = await batches().list({ ...none, groupName: undefined });
    assert.deepEqual(
      all.items.map((one) => one.batchId),
      ['batch_1'],
    );
    const [row] = await db.database.sql`
      select count(*) as n from control_events where kind like 'batch%'`;
    assert.equal(row?.['n'], 3);
  });
});
