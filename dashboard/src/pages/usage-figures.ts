// Usage in words and numbers. A cost of null is unpriced: nobody is charged by a list for it, which is
// not the same as free.

import type { BudgetWire, UsageRowWire, UsageWire } from '../api/wire.ts';
import { formatCount, formatSignificant, plural, thinSpace } from '../format/numbers.ts';
import type { Tone } from '../status/status.ts';

/** `$ 0.0042`, `$ 3.20`, `$ 1 240`. */
export function formatUsd(usd: number | null): string {
  if (usd === null) return 'unpriced';
  if (usd === 0) return `$${thinSpace}0`;
  const text = usd >= 1000 ? formatCount(usd) : usd.toFixed(usd < 1 ? 4 : 2);
  return `$${thinSpace}${text}`;
}

const tones: Readonly<Record<BudgetWire['status'], Tone>> = {
  Normal: 'ok',
  SoftLimit: 'attention',
  HardLimit: 'bad',
};

const effects: Readonly<Record<BudgetWire['hard_limit_action'], string>> = {
  warn: 'requests go on',
  block_cloud: 'backends of the open zone take none',
  block_all: 'no request is taken',
};

function spentWords(budget: BudgetWire): string {
  const spent = budget.current_spending_usd + budget.reserved_usd;
  const words = `${formatUsd(spent)} of ${formatUsd(budget.monthly_limit_usd)} this month`;
  return budget.status === 'HardLimit'
    ? `${words}: ${effects[budget.hard_limit_action]}.`
    : `${words}.`;
}

/** The first line: the budget where there is one, else what the time on show has cost. */
export function usageVerdict({ budget, total }: UsageWire): {
  readonly tone: Tone;
  readonly words: string;
} {
  if (budget !== null) return { tone: tones[budget.status], words: spentWords(budget) };
  const words = `${plural(total.requests, 'request')}, ${formatUsd(total.cost_usd)}; no budget is set.`;
  return { tone: total.requests === 0 ? 'waiting' : 'ok', words };
}

export function budgetWords(budget: BudgetWire): string {
  const share = `${formatSignificant(budget.utilization_percent)}${thinSpace}%`;
  const reset = budget.next_reset_date.slice(0, 10);
  return `${share} spent, ${budget.status}; it begins again on ${reset}.${paceWords(budget)}`;
}

const dayMs = 86_400_000;

/** Where the month ends if it goes on as it has; less than a day says nothing. */
function paceWords(budget: BudgetWire): string {
  const beginMs = Date.parse(`${budget.billing_month}-01T00:00:00.000Z`);
  const elapsedMs = Date.parse(budget.last_reconciliation) - beginMs;
  if (elapsedMs < dayMs) return '';
  const lengthMs = Date.parse(budget.next_reset_date) - beginMs;
  const end = (budget.current_spending_usd * lengthMs) / elapsedMs;
  return ` At this pace the month ends near ${formatUsd(end)}.`;
}

/** Where the money or, without prices, the tokens went, over time. */
export type Bars = {
  readonly title: string;
  readonly points: readonly { readonly at: string; readonly value: number }[];
  readonly format: (value: number) => string;
};

function tokensOf(row: Pick<UsageRowWire, 'prompt_tokens' | 'completion_tokens'>): number {
  return row.prompt_tokens + row.completion_tokens;
}

const stepMs = { hour: 3_600_000, day: 86_400_000 } as const;

/** Every hour or day of the window, those without a request too. UTC, as the books are. */
export function barsOf(usage: UsageWire, step: keyof typeof stepMs): Bars {
  const isPriced = usage.total.cost_usd !== null;
  const values = new Map(
    usage.usage.map((row) => [
      Date.parse(row[step] ?? ''),
      isPriced ? (row.cost_usd ?? 0) : tokensOf(row),
    ]),
  );
  const points = [];
  const length = stepMs[step];
  const first = Math.floor(Date.parse(usage.from) / length) * length;
  for (let at = first; at < Date.parse(usage.to); at += length) {
    points.push({ at: new Date(at).toISOString(), value: values.get(at) ?? 0 });
  }
  return {
    title: `${isPriced ? 'Cost' : 'Tokens'} per ${step}, UTC`,
    points,
    format: isPriced ? formatUsd : formatCount,
  };
}

/** `2026-11-30` or `30 13 h`; both UTC. */
export function barName(at: string, step: keyof typeof stepMs): string {
  return step === 'day' ? at.slice(0, 10) : `${at.slice(8, 10)}, ${at.slice(11, 13)}${thinSpace}h`;
}

/** The bars in one sentence. */
export function barsWords({ points, format }: Bars, step: keyof typeof stepMs): string {
  const most = points.reduce((best, point) => (point.value > best.value ? point : best), {
    at: '',
    value: 0,
  });
  if (most.value === 0) return 'Nothing was used in this time.';
  return `Most on ${barName(most.at, step)}: ${format(most.value)}.`;
}
