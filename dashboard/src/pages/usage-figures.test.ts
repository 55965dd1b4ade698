// Goal: money and bars are told as they are: unpriced is not free, an hour without requests has its
// place, and a spent budget says what it does.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { BudgetWire, UsageWire } from '../api/wire.ts';
import { thinSpace } from '../format/numbers.ts';
import { barsOf, barsWords, budgetWords, formatUsd, usageVerdict } from './usage-figures.ts';

const figures = {
  requests: 3,
  succeeded: 3,
  refused: 0,
  failed: 0,
  aborted: 0,
  prompt_tokens: 20,
  completion_tokens: 10,
  cached_tokens: 0,
  backend_seconds: 1,
  cost_usd: 4.2 as number | null,
  unpriced_requests: 0,
};

const budget: BudgetWire = {
  current_spending_usd: 312,
  reserved_usd: 0,
  monthly_limit_usd: 500,
  utilization_percent: 62.4,
  status: 'Normal',
  billing_month: '2026-11',
  last_reconciliation: '2026-11-30T12:00:00.000Z',
  soft_limit_threshold: 75,
  hard_limit_action: 'block_cloud',
  next_reset_date: '2026-12-01T00:00:00.000Z',
};

function usage(more: Partial<UsageWire> = {}): UsageWire {
  return {
    count: 1,
    from: '2026-11-28T00:00:00.000Z',
    to: '2026-11-30T13:00:00.000Z',
    usage: [{ day: '2026-11-29T00:00:00.000Z', ...figures }],
    total: figures,
    prices: { dated: '2026-11-01', built_in: false },
    budget: null,
    limits: [],
    ...more,
  };
}

it('money has the digits that matter, and unpriced is a word', () => {
  const shown = [null, 0, 0.00042, 3.2, 1240].map(formatUsd);
  const expected = ['unpriced', '0', '0.0004', '3.20', `1${thinSpace}240`];
  assert.deepEqual(
    shown,
    expected.map((text) => (text === 'unpriced' ? text : `$${thinSpace}${text}`)),
  );
});

it('each day of the window has its bar, with cost or else with tokens', () => {
  const bars = barsOf(usage(), 'day');
  assert.deepEqual(
    bars.points.map(({ at, value }) => [at.slice(0, 10), value]),
    [
      ['2026-11-28', 0],
      ['2026-11-29', 4.2],
      ['2026-11-30', 0],
    ],
  );
  assert.equal(barsWords(bars, 'day'), `Most on 2026-11-29: $${thinSpace}4.20.`);
  const free = { ...figures, cost_usd: null };
  const unpriced = barsOf(
    usage({ total: free, usage: [{ day: '2026-11-29T00:00:00.000Z', ...free }] }),
    'day',
  );
  assert.deepEqual([unpriced.title, unpriced.points[1]?.value], ['Tokens per day, UTC', 30]);
  assert.equal(barsOf(usage({ usage: [] }), 'hour').points.length, 61);
});

it('the verdict is the budget where there is one, and says what a spent one does', () => {
  assert.match(usageVerdict(usage()).words, /^3 requests, .*4\.20; no budget is set\.$/);
  assert.equal(usageVerdict(usage({ budget })).tone, 'ok');
  const spent = usageVerdict(usage({ budget: { ...budget, status: 'HardLimit' } }));
  assert.equal(spent.tone, 'bad');
  assert.match(spent.words, /backends of the open zone take none/);
  const told = budgetWords(budget);
  assert.match(told, /^62\.4.% spent, Normal; it begins again on 2026-12-01\. At this pace/);
  // 312 in 29.5 of 30 days.
  assert.ok(told.endsWith(`ends near $${thinSpace}317.29.`), told);
  const early = budgetWords({ ...budget, last_reconciliation: '2026-11-01T23:00:00.000Z' });
  assert.ok(!early.includes('pace'), 'a few hours say nothing');
});
