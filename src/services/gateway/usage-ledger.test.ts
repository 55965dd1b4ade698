// Goal: what threads report reaches the database once, whatever the database does, and the month's sum
// is right at every moment. Method: a store that fails, hangs or forgets to answer as told.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { monthOf } from '../../core/usage/month.ts';
import { noFigures, type UsageRow } from '../../core/usage/usage-sums.ts';
import type { UsageBatch } from '../../io/postgres/usage-store.ts';
import { UsageLedger } from './usage-ledger.ts';

const turn = Date.UTC(2026, 11, 1);
const november = monthOf(turn - 1);
const firstHour = turn / 3_600_000;

function row(costMicroUsd: number, hour = firstHour - 1, keyId = 'key_a'): UsageRow {
  const figures = { ...noFigures(), requests: 1, succeeded: 1, priced: 1, costMicroUsd };
  return { hour, keyId, groupName: 'red', model: 'm', backendId: 'b', ...figures };
}

type Mood = 'good' | 'away' | 'silent';

/** A store that adds a batch once, and answers, refuses, or adds and loses its answer. */
function fixture(spent = 0) {
  const written: UsageBatch[] = [];
  const failures: unknown[] = [];
  let mood: Mood = 'good';
  const ledger = new UsageLedger({
    store: {
      async add(batch) {
        if (mood === 'away') throw new Error('away');
        if (!written.some((one) => one.batch === batch.batch)) written.push(batch);
        if (mood === 'silent') throw new Error('the answer is lost');
      },
      spentIn: async () => spent,
    },
    writer: 'w',
    now: () => turn,
    onFailed: (error) => failures.push(error),
  });
  const be = (next: Mood): void => {
    mood = next;
  };
  return { ledger, written, failures, be };
}

function costOf(written: readonly UsageBatch[]): number {
  return written.flatMap(({ hours }) => hours).reduce((sum, one) => sum + one.costMicroUsd, 0);
}

it('rows of several reports become one, with the spend of installation, group and key', async () => {
  const { ledger, written } = fixture();
  ledger.add([row(5), row(7, firstHour - 1, 'key_b')]);
  ledger.add([row(3)]);
  await ledger.flush();
  assert.deepEqual(
    written[0]?.hours.map((one) => [one.keyId, one.requests, one.costMicroUsd]),
    [
      ['key_a', 2, 8],
      ['key_b', 1, 7],
    ],
  );
  assert.deepEqual(
    written[0]?.months.map((one) => [one.scope, one.id, one.month, one.spendMicroUsd]),
    [
      ['installation', '', '2026-11', 15],
      ['group', 'red', '2026-11', 15],
      ['key', 'key_a', '2026-11', 8],
      ['key', 'key_b', '2026-11', 7],
    ],
  );
  await ledger.flush();
  assert.equal(written.length, 1, 'nothing waits, nothing is written');
});

it('a database that is away, or whose answer is lost, gets each row once', async () => {
  const { ledger, written, failures, be } = fixture();
  be('away');
  ledger.add([row(5)]);
  await ledger.flush();
  ledger.add([row(6)]);
  await ledger.flush();
  be('silent');
  await ledger.flush();
  be('good');
  await ledger.settle();
  assert.equal(costOf(written), 11);
  assert.deepEqual(
    written.map(({ batch }) => batch),
    [1, 2],
  );
  assert.equal(failures.length, 1, 'a row of failures is told once');
});

it('a stop that follows a running write leaves nothing behind', async () => {
  const { ledger, written } = fixture();
  ledger.add([row(5)]);
  const running = ledger.flush();
  ledger.add([row(6)]);
  await ledger.settle();
  await running;
  assert.equal(costOf(written), 11);
});

it('the month begins with what the books say, and the next one with nothing', async () => {
  const { ledger } = fixture(100);
  await ledger.start(november);
  ledger.add([row(5)]);
  assert.equal(ledger.settledIn(november), 105);
  assert.equal(ledger.settledIn(november + 1), 0);
  ledger.add([row(8, firstHour), row(2)]);
  assert.equal(ledger.settledIn(november + 1), 8, 'a late row of November is not of December');
});
