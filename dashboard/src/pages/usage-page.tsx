// Who spends what, and will the month's budget hold.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { batchesQuery, limitsQuery, usageQuery } from '../api/queries.ts';
import { usageRanges } from '../api/usage-window.ts';
import type { UsageWire } from '../api/wire.ts';
import { EmptyNote } from '../components/empty-note.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { Loading } from '../components/loading.tsx';
import { Meter } from '../components/meter.tsx';
import { useTitle } from '../components/use-title.ts';
import { Verdict } from '../components/verdict.tsx';
import { BatchesTable } from './batches-table.tsx';
import { LimitsTable } from './limits-table.tsx';
import styles from './page.module.css';
import { type UsageSearch, usageDimensions } from './search.ts';
import { UsageBars } from './usage-bars.tsx';
import { barsOf, budgetWords, usageVerdict } from './usage-figures.ts';
import { UsageTable } from './usage-table.tsx';

const route = getRouteApi('/app/usage');

const rangeWords = { '24h': '24 hours', '7d': '7 days', month: 'this month' } as const;

function Choice({ to, words }: { readonly to: Partial<UsageSearch>; readonly words: string }) {
  const held = route.useSearch();
  const { range = held.range, by = held.by } = to;
  return (
    <Link
      to="/usage"
      search={{ range, by }}
      className={styles.filter}
      aria-current={range === held.range && by === held.by ? 'true' : undefined}
      resetScroll={false}
    >
      {words}
    </Link>
  );
}

function Choices() {
  return (
    <div className={styles.bar}>
      <nav className={styles.bar} aria-label="Time">
        {usageRanges.map((range) => (
          <Choice key={range} to={{ range }} words={rangeWords[range]} />
        ))}
      </nav>
      <nav className={styles.bar} aria-label="Rows">
        {usageDimensions.map((by) => (
          <Choice key={by} to={{ by }} words={`by ${by}`} />
        ))}
      </nav>
    </div>
  );
}

function BudgetLine({ budget }: { readonly budget: UsageWire['budget'] }) {
  if (budget === null) return null;
  const spent = budget.current_spending_usd + budget.reserved_usd;
  return (
    <p className={styles.bar} data-testid="month-budget">
      <Meter part={spent} whole={budget.monthly_limit_usd} widthPx={160} />
      <span>{budgetWords(budget)}</span>
    </p>
  );
}

function PriceLine({ prices, total }: Pick<UsageWire, 'prices' | 'total'>) {
  const list = prices.built_in
    ? `the built-in list of ${prices.dated}; prices.file sets another`
    : `the list of ${prices.dated}`;
  const unpriced = total.unpriced_requests > 0 ? ' Unpriced requests have no price in it.' : '';
  return (
    <p className="muted">
      Costs by {list}.{unpriced}
    </p>
  );
}

export function UsagePage() {
  useTitle('Usage');
  const { range, by, dropped } = route.useSearch();
  const rows = useQuery(usageQuery(range, by));
  const limits = useQuery(limitsQuery);
  const batches = useQuery(batchesQuery);
  const step = range === '24h' ? 'hour' : 'day';
  const overTime = useQuery(usageQuery(range, step));
  const error = rows.error ?? overTime.error ?? limits.error ?? batches.error;
  const retry = () =>
    void Promise.all([rows, overTime, limits, batches].map((one) => one.refetch()));
  const { data } = rows;
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1>Usage</h1>
      </div>
      {dropped === undefined ? null : (
        <p className="muted">There is no “{dropped}” here; it is left out.</p>
      )}
      {error === null ? null : <FailureNote error={error} onRetry={retry} />}
      {data === undefined && error === null ? <Loading what="usage" heightPx={240} /> : null}
      {data === undefined ? null : (
        <>
          <Verdict {...usageVerdict(data)} />
          <BudgetLine budget={data.budget} />
          <Choices />
          {overTime.data === undefined ? null : (
            <UsageBars bars={barsOf(overTime.data, step)} step={step} />
          )}
          {data.usage.length === 0 ? (
            <EmptyNote words="No request was settled in this time." />
          ) : (
            <UsageTable rows={data.usage} by={by} totalUsd={data.total.cost_usd} />
          )}
          <PriceLine prices={data.prices} total={data.total} />
          <LimitsTable rows={limits.data?.limits ?? []} />
          <BatchesTable list={batches.data} />
        </>
      )}
    </div>
  );
}
