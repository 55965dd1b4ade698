// Who used what: a row for each model, key, group or backend, those that cost most first.

import type { UsageRowWire } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { narrowQuery, useMedia } from '../components/use-media.ts';
import { formatCount, formatShare, plural } from '../format/numbers.ts';
import styles from './page.module.css';
import type { UsageDimension } from './search.ts';
import { formatUsd } from './usage-figures.ts';

type Row = UsageRowWire;

const titles: Readonly<Record<UsageDimension, string>> = {
  model: 'Model',
  key: 'Key',
  group: 'Group',
  backend: 'Backend',
};

function nameOf(row: Row, by: UsageDimension): string {
  const names = {
    model: row.model,
    key: row.key_id,
    group: row.group_name,
    backend: row.backend_id,
  };
  return names[by] ?? '';
}

function Name({ name }: { readonly name: string }) {
  if (name === '') return <span className="muted">none was asked</span>;
  return (
    <span className={styles.name} title={name}>
      {name}
    </span>
  );
}

export type UsageTableProps = {
  readonly rows: readonly Row[];
  readonly by: UsageDimension;
  /** USD over all rows; null when nothing has a price. */
  readonly totalUsd: number | null;
};

function columnsFor({ by, totalUsd }: UsageTableProps, isNarrow: boolean): readonly Column<Row>[] {
  const count = (key: string, title: string, of: (row: Row) => number): Column<Row> => ({
    key,
    title,
    numeric: true,
    cell: (row) => formatCount(of(row)),
  });
  const name: Column<Row> = {
    key: 'name',
    title: titles[by],
    cell: (row) => <Name name={nameOf(row, by)} />,
  };
  const cost: Column<Row> = {
    key: 'cost',
    title: 'Cost',
    numeric: true,
    cell: (row) => formatUsd(row.cost_usd),
  };
  const requests = count('requests', 'Requests', (row) => row.requests);
  if (isNarrow) return [name, requests, cost];
  return [
    name,
    requests,
    count('failed', 'Failed', (row) => row.failed),
    count('in', 'Tokens in', (row) => row.prompt_tokens),
    count('cached', 'Cached', (row) => row.cached_tokens),
    count('out', 'Tokens out', (row) => row.completion_tokens),
    cost,
    {
      key: 'share',
      title: 'Share of cost',
      numeric: true,
      cell: (row) => formatShare(row.cost_usd ?? 0, totalUsd ?? 0),
    },
  ];
}

export function UsageTable(props: UsageTableProps) {
  const isNarrow = useMedia(narrowQuery);
  const { rows, by } = props;
  return (
    <DataTable
      caption={`Usage by ${by}, ${plural(rows.length, 'row')}`}
      columns={columnsFor(props, isNarrow)}
      rows={rows}
      rowKey={(row) => nameOf(row, by)}
      rowHeightPx={32}
      fillsWindow={rows.length > 20}
    />
  );
}
