// What is left of the limits that are set: a row for each key, group and the installation.

import type { LimitWire } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { narrowQuery, useMedia } from '../components/use-media.ts';
import { formatCount, plural } from '../format/numbers.ts';
import styles from './page.module.css';
import { formatUsd } from './usage-figures.ts';

type Row = LimitWire;

function Left({
  left,
  bound,
  shown = formatCount,
}: {
  readonly left: number | null;
  readonly bound: number | null;
  readonly shown?: (value: number) => string;
}) {
  if (bound === null) return <span className="muted">–</span>;
  return (
    <>
      {shown(left ?? bound)} of {shown(bound)}
    </>
  );
}

function nameOf({ scope, id }: Row): string {
  return scope === 'installation' ? 'Installation' : `${scope} ${id}`;
}

const name: Column<Row> = {
  key: 'name',
  title: 'Whose',
  cell: (row) => (
    <span className={styles.name} title={nameOf(row)}>
      {nameOf(row)}
    </span>
  ),
};

const requests: Column<Row> = {
  key: 'requests',
  title: 'Requests a minute',
  numeric: true,
  cell: (row) => <Left left={row.left.requests} bound={row.requests_per_minute} />,
};

const money: Column<Row> = {
  key: 'money',
  title: 'This month',
  numeric: true,
  cell: (row) => (
    <Left left={row.left.month_budget_usd} bound={row.month_budget_usd} shown={formatUsd} />
  ),
};

const columns: readonly Column<Row>[] = [
  name,
  requests,
  {
    key: 'tokens',
    title: 'Tokens a minute',
    numeric: true,
    cell: (row) => <Left left={row.left.tokens} bound={row.tokens_per_minute} />,
  },
  {
    key: 'places',
    title: 'At once',
    numeric: true,
    cell: (row) => <Left left={row.left.concurrent_requests} bound={row.concurrent_requests} />,
  },
  money,
  { key: 'models', title: 'Models', cell: (row) => row.models.join(' ') || 'all' },
];

/** Nothing where no limit is set. */
export function LimitsTable({ rows }: { readonly rows: readonly Row[] }) {
  const isNarrow = useMedia(narrowQuery);
  if (rows.length === 0) return null;
  return (
    <section className={styles.section} aria-label="Limits">
      <h2>Limits</h2>
      <DataTable
        caption={`What is left of ${plural(rows.length, 'limit')}`}
        columns={isNarrow ? [name, requests, money] : columns}
        rows={rows}
        rowKey={nameOf}
        rowHeightPx={32}
        fillsWindow={rows.length > 20}
      />
    </section>
  );
}
