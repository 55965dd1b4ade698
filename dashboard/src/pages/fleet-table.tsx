// The fleet as a table: nine columns where there is room, two on a phone.

import { Link, useNavigate } from '@tanstack/react-router';
import type { BackendViewWire } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { narrowQuery, peekQuery, useMedia } from '../components/use-media.ts';
import { useNow } from '../components/use-now.ts';
import { formatCount, noData, plural } from '../format/numbers.ts';
import { formatInstant, formatLatency, formatSince } from '../format/time.ts';
import { backendMark } from '../status/status.ts';
import styles from './page.module.css';

type Row = BackendViewWire;

export function SimTag({ simulated }: { readonly simulated: boolean }) {
  if (!simulated) return null;
  return (
    <>
      {' '}
      <span className={styles.tag} title="Simulated">
        SIM
      </span>
    </>
  );
}

function Name({ row }: { readonly row: Row }) {
  return (
    <>
      <Link
        to="/fleet"
        search={(before) => ({ ...before, peek: row.id })}
        className={styles.name}
        title={row.name}
        resetScroll={false}
      >
        {row.name}
      </Link>
      <SimTag simulated={row.simulated} />
    </>
  );
}

function inFlight(row: Row): string {
  const capacity = row.capacity === 0 ? '' : ` / ${formatCount(row.capacity)}`;
  return `${formatCount(row.pending_requests)}${capacity}`;
}

function State({ row }: { readonly row: Row }) {
  const { tone, words } = backendMark(row);
  return <StatusMark tone={tone} words={words} />;
}

/** An average of no probe at all is not 0 ms. */
function probe(row: Row): string {
  return row.avg_latency_ms === 0 ? noData : formatLatency(row.avg_latency_ms);
}

function wideColumns(now: number): readonly Column<Row>[] {
  return [
    { key: 'name', title: 'Name', widthPx: 180, cell: (row) => <Name row={row} /> },
    { key: 'state', title: 'State', widthPx: 162, cell: (row) => <State row={row} /> },
    {
      key: 'since',
      title: 'Since',
      widthPx: 84,
      cell: (row) => (
        <time dateTime={row.status_since} title={formatInstant(Date.parse(row.status_since))}>
          {formatSince(row.status_since, now)}
        </time>
      ),
    },
    { key: 'type', title: 'Type', widthPx: 84, cell: (row) => row.backend_type },
    { key: 'flight', title: 'In flight', widthPx: 88, numeric: true, cell: inFlight },
    {
      key: 'first',
      title: 'First byte',
      widthPx: 88,
      numeric: true,
      cell: (row) => formatLatency(row.first_byte_ms),
    },
    { key: 'probe', title: 'Probe', widthPx: 76, numeric: true, cell: probe },
    {
      key: 'total',
      title: 'Served',
      widthPx: 88,
      numeric: true,
      cell: (row) => formatCount(row.total_requests),
    },
    {
      key: 'models',
      title: 'Models',
      widthPx: 180,
      cell: (row) => (
        <span className={styles.reason} title={row.models.map((model) => model.id).join(', ')}>
          {row.models.length === 0 ? noData : row.models.map((model) => model.id).join(', ')}
        </span>
      ),
    },
  ];
}

function narrowColumns(now: number): readonly Column<Row>[] {
  return [
    {
      key: 'name',
      title: 'Backend',
      cell: (row) => (
        <span className={styles.card}>
          <span>
            <Name row={row} />
          </span>
          <span>
            <State row={row} />{' '}
            <span className="muted num">{formatSince(row.status_since, now)}</span>
          </span>
        </span>
      ),
    },
    {
      key: 'load',
      title: 'In flight, first byte',
      numeric: true,
      cell: (row) => (
        <span className={styles.card}>
          <span>{inFlight(row)}</span>
          <span>{formatLatency(row.first_byte_ms)}</span>
        </span>
      ),
    },
  ];
}

/** What stays beside an open pane. */
const compactKeys: ReadonlySet<string> = new Set(['name', 'state', 'since', 'flight', 'first']);

function columnsFor(isNarrow: boolean, isCompact: boolean, now: number): readonly Column<Row>[] {
  if (isNarrow) return narrowColumns(now);
  const columns = wideColumns(now);
  return isCompact ? columns.filter(({ key }) => compactKeys.has(key)) : columns;
}

export type FleetTableProps = {
  readonly rows: readonly Row[];
  readonly selectedId: string | undefined;
};

export function FleetTable({ rows, selectedId }: FleetTableProps) {
  const now = useNow();
  const isNarrow = useMedia(narrowQuery);
  const isBeside = useMedia(peekQuery) && selectedId !== undefined;
  const navigate = useNavigate();
  return (
    <DataTable
      caption={`${plural(rows.length, 'backend')} by name`}
      columns={columnsFor(isNarrow, isBeside, now)}
      rows={rows}
      rowKey={(row) => row.id}
      rowHeightPx={isNarrow ? 56 : 32}
      selectedKey={selectedId}
      fillsWindow={rows.length > 20}
      onOpen={(row) =>
        void navigate({
          to: '/fleet',
          search: (before) => ({ ...before, peek: row.id }),
          resetScroll: false,
        })
      }
    />
  );
}
