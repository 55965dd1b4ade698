// The fleet as a table: eleven columns where there is room, five beside an open pane, two on a phone.

import { Link, useNavigate } from '@tanstack/react-router';
import type { BackendViewWire } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { narrowQuery, peekQuery, useMedia } from '../components/use-media.ts';
import { useNow } from '../components/use-now.ts';
import { plural } from '../format/numbers.ts';
import { formatLatency } from '../format/time.ts';
import { sourceOf } from './backend-source.ts';
import {
  InFlight,
  inFlightText,
  loadCell,
  modelCount,
  SimTag,
  Since,
  StateMark,
  TypeWord,
} from './fleet-cells.tsx';
import styles from './page.module.css';

type Row = BackendViewWire;

function Name({ row }: { readonly row: Row }) {
  return (
    <>
      <Link to="/fleet/$id" params={{ id: row.id }} className={styles.name} title={row.name}>
        {row.name}
      </Link>
      <SimTag simulated={row.simulated} />
    </>
  );
}

/** Ids too, because a name is what one looks for. */
function Models({ row }: { readonly row: Row }) {
  const ids = row.models.map(({ id }) => id).join(', ');
  return (
    <span className={styles.reason} title={ids}>
      {modelCount(row)}
      {ids === '' ? '' : `: ${ids}`}
    </span>
  );
}

function wideColumns(now: number): readonly Column<Row>[] {
  return [
    { key: 'name', title: 'Name', widthPx: 146, cell: (row) => <Name row={row} /> },
    { key: 'state', title: 'State', widthPx: 138, cell: (row) => <StateMark backend={row} /> },
    {
      key: 'since',
      title: 'Since',
      widthPx: 78,
      cell: (row) => <Since at={row.status_since} now={now} />,
    },
    { key: 'type', title: 'Type', widthPx: 84, cell: (row) => <TypeWord backend={row} /> },
    {
      key: 'flight',
      title: 'In flight',
      widthPx: 108,
      numeric: true,
      cell: (row) => <InFlight backend={row} />,
    },
    {
      key: 'first',
      title: 'First byte',
      widthPx: 80,
      numeric: true,
      cell: (row) => formatLatency(row.first_byte_ms),
    },
    {
      key: 'kv',
      title: 'KV',
      widthPx: 62,
      numeric: true,
      cell: (row) => loadCell(row, 'kv_use'),
    },
    {
      key: 'waiting',
      title: 'Waiting',
      widthPx: 66,
      numeric: true,
      cell: (row) => loadCell(row, 'waiting'),
    },
    { key: 'models', title: 'Models', widthPx: 110, cell: (row) => <Models row={row} /> },
    { key: 'zone', title: 'Zone', widthPx: 94, cell: ({ zone }) => zone },
    { key: 'source', title: 'Source', widthPx: 70, cell: sourceOf },
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
            <StateMark backend={row} />{' '}
            <span className="muted">
              <Since at={row.status_since} now={now} />
            </span>
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
          <span>{inFlightText(row)}</span>
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
