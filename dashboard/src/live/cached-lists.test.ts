// Goal: however fetches and live rows cross each other, a list on show misses no request, and a list
// with a gap is not shown. Method: the real query cache over a server that answers when the test says
// so, with what its log held then.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { decisionsQuery } from '../api/queries.ts';
import type { DecisionWire } from '../api/wire.ts';
import { applyPatches, listsUpdatedAt, readListsAgain } from './cached-lists.ts';
import { decision } from './live.test-support.ts';
import { noPatches } from './patches.ts';

/** A cache with the list of requests in it, shown or not, and the reads that wait for an answer. */
function setUp(t: TestContext) {
  const reads: ((log: readonly DecisionWire[]) => void)[] = [];
  t.mock.method(globalThis, 'fetch', (_path: string, { signal }: RequestInit) => {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    signal?.addEventListener('abort', () => reject(signal.reason));
    reads.push((log) => resolve(Response.json({ count: log.length, decisions: log })));
    return promise;
  });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  t.after(() => client.clear());
  return {
    client,
    /** Puts the list on a page; the returned function leaves that page. */
    show: () => new QueryObserver(client, decisionsQuery).subscribe(() => undefined),
    reads: () => reads.length,
    answer: async (log: readonly DecisionWire[]): Promise<void> => {
      const read = reads.pop();
      assert.ok(read !== undefined, 'nobody reads');
      read(log);
      await idle();
    },
    rows: () => client.getQueryData(decisionsQuery.queryKey)?.map((row) => row.request_id),
  };
}

/** Everything that does not wait for an answer has happened. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const live = (...decisions: readonly DecisionWire[]) => ({ ...noPatches, decisions });

test('reading again while a first read is under way reads once more after it', async (t) => {
  const { client, show, answer, reads, rows } = setUp(t);
  show();
  const again = readListsAgain(client);
  await idle();
  assert.equal(reads(), 1);
  await answer([decision(1)]);
  assert.equal(reads(), 1, 'the first answer may be older than the call');
  await answer([decision(2), decision(1)]);
  await again;
  assert.deepEqual(rows(), ['req_2', 'req_1']);
});

test('rows that come during a first read wait for its answer', async (t) => {
  const { client, show, answer, rows } = setUp(t);
  show();
  const waiting = applyPatches(client, live(decision(2)));
  assert.deepEqual(waiting.decisions, [decision(2)]);
  await answer([decision(1)]);
  assert.deepEqual(applyPatches(client, waiting), noPatches);
  assert.deepEqual(rows(), ['req_2', 'req_1']);
});

test('rows that come while an empty log is read again stay', async (t) => {
  const { client, show, answer, rows } = setUp(t);
  show();
  await answer([]);
  void readListsAgain(client);
  await idle();
  applyPatches(client, live(decision(1)));
  await answer([]);
  assert.deepEqual(rows(), ['req_1']);
});

test('rows that nobody reads are not kept, and the next to read finds them', async (t) => {
  const { client, show, answer, rows } = setUp(t);
  assert.deepEqual(applyPatches(client, live(decision(1))), noPatches);
  assert.equal(rows(), undefined);
  show();
  await answer([decision(1)]);
  assert.deepEqual(rows(), ['req_1']);
});

test('a list that is on no page leaves the cache, so that patches do not hide its gap', async (t) => {
  const { client, show, answer, reads, rows } = setUp(t);
  const hide = show();
  await answer([decision(1)]);
  hide();
  await readListsAgain(client);
  applyPatches(client, live(decision(3)));
  assert.equal(rows(), undefined);
  assert.equal(listsUpdatedAt(client), undefined);
  show();
  assert.equal(reads(), 1);
  await answer([decision(3), decision(2), decision(1)]);
  assert.deepEqual(rows(), ['req_3', 'req_2', 'req_1']);
});
