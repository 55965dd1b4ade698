// Goal: shares and sums agree with the counts, and a report whose sums do not agree is told.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReplayReportWire } from '../api/wire.ts';
import { kindWords, paceWords, shiftFault, shiftRows } from './replay-figures.ts';

const thin = '\u202f';
const shifts = [
  { backend_id: 'a', recorded: 600, candidate: 550 },
  { backend_id: 'b', recorded: 390, candidate: 445 },
  { backend_id: 'refused', recorded: 10, candidate: 5 },
];

const report: ReplayReportWire = {
  id: 'rp_1',
  state: 'done',
  words: 'w',
  from: null,
  to: null,
  seconds: 2,
  decisions: 4812,
  by_kind: { admitted: 1604, routed: 3208 },
  skipped: {},
  divergences: 0,
  first_divergence: null,
  faults: [],
  candidate: null,
};

test('each backend has its counts, shares and shift, and the last row adds up', () => {
  assert.deepEqual(shiftRows(shifts), [
    {
      name: 'a',
      recorded: `600 (60${thin}%)`,
      candidate: `550 (55${thin}%)`,
      shift: '−50',
      isSum: false,
    },
    {
      name: 'b',
      recorded: `390 (39${thin}%)`,
      candidate: `445 (44.5${thin}%)`,
      shift: '+55',
      isSum: false,
    },
    {
      name: 'refused',
      recorded: `10 (1${thin}%)`,
      candidate: `5 (0.5${thin}%)`,
      shift: '−5',
      isSum: false,
    },
    { name: 'Sum', recorded: `1${thin}000`, candidate: `1${thin}000`, shift: '0', isSum: true },
  ]);
  assert.equal(shiftFault(shifts), undefined);
});

test('sums that differ are a fault of ours, not a result', () => {
  assert.match(shiftFault([{ backend_id: 'a', recorded: 2, candidate: 1 }]) ?? '', /sums differ/);
});

test('kinds add up in words, and an empty log has none', () => {
  assert.equal(
    kindWords(report),
    `4${thin}812 decisions = 1${thin}604 admitted + 3${thin}208 routed`,
  );
  assert.equal(kindWords({ ...report, decisions: 0, by_kind: {} }), '0 decisions');
});

test('the pace has no number before the first moment', () => {
  assert.equal(paceWords(report), `4${thin}812 in 2${thin}s, 2${thin}410/s`);
  assert.equal(paceWords({ ...report, seconds: 0 }), '–');
});
