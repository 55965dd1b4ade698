// Recent decisions as a table: ten columns where there is room, two on a phone.

import { Link, useNavigate } from '@tanstack/react-router';
import type { Ref } from 'react';
import type { DecisionWire } from '../api/wire.ts';
import { type Column, DataTable, type DataTableHandle } from '../components/data-table.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { narrowQuery, useMedia } from '../components/use-media.ts';
import { ellipsed, formatCount, noData, plural } from '../format/numbers.ts';
import { formatInstant, formatLatency, formatListTime } from '../format/time.ts';
import { outcomeMark } from '../status/status.ts';
import styles from './page.module.css';

type Row = DecisionWire;

export function askedAndServed(row: Row): string {
  if (row.served_model === null || row.served_model === row.model) return row.model;
  return `${row.model} → ${row.served_model}`;
}

function Time({ row }: { readonly row: Row }) {
  const at = Date.parse(row.at);
  return (
    <time className="num" dateTime={row.at} title={formatInstant(at)}>
      {formatListTime(at, Date.now())}
    </time>
  );
}

function RequestLink({ row }: { readonly row: Row }) {
  return (
    <Link
      to="/requests/$id"
      params={{ id: row.decision_id }}
      className="mono"
      title={row.request_id}
    >
      {ellipsed(row.request_id, 16)}
    </Link>
  );
}

function Clipped({ text }: { readonly text: string }) {
  return (
    <span className={styles.reason} title={text}>
      {text}
    </span>
  );
}

const wideColumns: readonly Column<Row>[] = [
  { key: 'id', title: 'Request', widthPx: 146, cell: (row) => <RequestLink row={row} /> },
  { key: 'at', title: 'Time', widthPx: 84, cell: (row) => <Time row={row} /> },
  {
    key: 'outcome',
    title: 'Outcome',
    widthPx: 150,
    cell: (row) => <StatusMark {...outcomeMark(row)} />,
  },
  {
    key: 'model',
    title: 'Model asked → served',
    widthPx: 160,
    cell: (row) => <Clipped text={askedAndServed(row)} />,
  },
  {
    key: 'backend',
    title: 'Backend',
    widthPx: 110,
    cell: (row) => <Clipped text={row.backend_id ?? noData} />,
  },
  {
    key: 'first',
    title: 'First byte',
    widthPx: 88,
    numeric: true,
    cell: (row) => formatLatency(row.first_byte_ms),
  },
  {
    key: 'total',
    title: 'Total',
    widthPx: 88,
    numeric: true,
    cell: (row) => formatLatency(row.total_ms),
  },
  {
    key: 'attempts',
    title: 'Attempts',
    widthPx: 80,
    numeric: true,
    cell: (row) => formatCount(row.attempts),
  },
  { key: 'reason', title: 'Reason', widthPx: 132, cell: (row) => <Clipped text={row.reason} /> },
];

const narrowColumns: readonly Column<Row>[] = [
  {
    key: 'id',
    title: 'Request',
    cell: (row) => (
      <span className={styles.card}>
        <span>
          <StatusMark {...outcomeMark(row)} />
        </span>
        <span>
          <RequestLink row={row} />
        </span>
      </span>
    ),
  },
  {
    key: 'time',
    title: 'Time, total',
    numeric: true,
    cell: (row) => (
      <span className={styles.card}>
        <Time row={row} />
        <span>{formatLatency(row.total_ms)}</span>
      </span>
    ),
  },
];

export type RequestsTableProps = {
  readonly rows: readonly Row[];
  readonly onScrolled: (isAtTop: boolean) => void;
  readonly ref: Ref<DataTableHandle>;
};

export function RequestsTable({ rows, onScrolled, ref }: RequestsTableProps) {
  const isNarrow = useMedia(narrowQuery);
  const navigate = useNavigate();
  return (
    <DataTable
      ref={ref}
      caption={`${plural(rows.length, 'recent request')}, newest first`}
      columns={isNarrow ? narrowColumns : wideColumns}
      rows={rows}
      rowKey={(row) => row.decision_id}
      rowHeightPx={isNarrow ? 56 : 32}
      fillsWindow
      onScrolled={onScrolled}
      onOpen={(row) => void navigate({ to: '/requests/$id', params: { id: row.decision_id } })}
    />
  );
}
