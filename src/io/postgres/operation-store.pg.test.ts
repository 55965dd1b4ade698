// Goal: an operation and its event are written together or not at all, what is open is found again at
// the next start, and old ones go. Method: a real server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testEvents, withDatabase } from '../../../test/support/postgres.ts';
import type { BackendId } from '../../base/brand.ts';
import { instant } from '../../base/time.ts';
import { type EventToAppend, readEvents } from './control-events.ts';
import { operationStore, type StoredOperation } from './operation-store.ts';

const at = 1_700_000_000_000;

function operation(operationId: string, over: Partial<StoredOperation> = {}): StoredOperation {
  return {
    operationId,
    operationType: 'load',
    modelId: 'llama3:8b',
    sourceBackendId: undefined,
    targetBackendId: 'box-1' as BackendId,
    status: 'in_progress',
    progressPercent: 0,
    initiatedAt: instant(at),
    completedAt: undefined,
    errorDetails: undefined,
    after: undefined,
    actor: 'key:key_test',
    ...over,
  };
}

function started(subject: string): EventToAppend {
  const data = { operation_type: 'load' };
  const occurredAt = instant(at);
  const kind = 'operation_started';
  return { stream: 'backends', kind, version: 1, occurredAt, actor: 'key:k', subject, data };
}

withDatabase((db) => {
  const store = () => operationStore(db.database.sql, testEvents);

  test('an operation comes back as it was written, and its row follows it', async () => {
    const first = operation('op-1', {
      operationType: 'migrate',
      sourceBackendId: 'box-0' as BackendId,
      after: 'op-0',
    });
    await store().save([first], [started('backend:box-1')]);
    assert.deepEqual(await store().get('op-1'), first);
    assert.deepEqual(await store().loadOpen(), [first]);
    const ended: StoredOperation = {
      ...first,
      status: 'failed',
      progressPercent: 40,
      completedAt: instant(at + 5000),
      errorDetails: 'HTTP error: 500',
    };
    await store().save([ended], []);
    assert.deepEqual(await store().get('op-1'), ended);
    assert.deepEqual(await store().loadOpen(), []);
    const events = await readEvents(db.database.sql, { stream: 'backends', limit: 10 });
    assert.deepEqual(
      events.map(({ kind, subject }) => [kind, subject]),
      [['operation_started', 'backend:box-1']],
    );
  });

  test('when a row cannot be written, neither another row nor an event is', async () => {
    const bad = operation('op-bad', { progressPercent: 101 });
    await assert.rejects(store().save([operation('op-good'), bad], [started('backend:never')]));
    assert.equal(await store().get('op-good'), undefined);
    const events = await readEvents(db.database.sql, { stream: 'backends', limit: 100 });
    assert.ok(events.every(({ subject }) => subject !== 'backend:never'));
  });

  test('a write that is sent again changes nothing and tells of nothing twice', async () => {
    const twice = operation('op-twice');
    await store().save([twice], [started('backend:twice')]);
    await store().save([twice], [started('backend:twice')]);
    const events = await readEvents(db.database.sql, { stream: 'backends', limit: 100 });
    assert.equal(events.filter(({ subject }) => subject === 'backend:twice').length, 1);
  });

  test('lists are newest first, of one backend as source or target, and bounded', async () => {
    const box = 'box-9' as BackendId;
    const rows = [
      operation('op-a', { targetBackendId: box, initiatedAt: instant(at + 1) }),
      operation('op-b', { sourceBackendId: box, initiatedAt: instant(at + 2) }),
      operation('op-c', { initiatedAt: instant(at + 3) }),
    ];
    await store().save(rows, []);
    const ids = (found: readonly StoredOperation[]) => found.map((one) => one.operationId);
    assert.deepEqual(ids(await store().list({ backend: box, limit: 10 })), ['op-b', 'op-a']);
    assert.deepEqual(ids(await store().list({ limit: 2 })), ['op-c', 'op-b']);
  });

  test('pruning keeps what is open and the newest of what ended', async () => {
    await db.database.sql`delete from backend_operations`;
    const ended = [1, 2, 3, 4].map((n) =>
      operation(`op-${n}`, { status: 'completed', initiatedAt: instant(at + n) }),
    );
    await store().save([operation('op-open', { initiatedAt: instant(at - 1) }), ...ended], []);
    assert.equal(await store().prune(2), 2);
    const left = await store().list({ limit: 10 });
    assert.deepEqual(
      left.map((one) => one.operationId),
      ['op-4', 'op-3', 'op-open'],
    );
  });
});
