// Events as a table: six columns where there is room, two on a phone.

import { Link, useNavigate } from '@tanstack/react-router';
import type { Ref } from 'react';
import { eventKey } from '../api/audit-trail.ts';
import type { AuditEventWire } from '../api/wire.ts';
import { type Column, DataTable, type DataTableHandle } from '../components/data-table.tsx';
import { narrowQuery, useMedia } from '../components/use-media.ts';
import { plural } from '../format/numbers.ts';
import { formatInstant, formatListTime } from '../format/time.ts';
import styles from './page.module.css';

type Row = AuditEventWire;

function Place({ row }: { readonly row: Row }) {
  return (
    <Link
      to="/audit"
      from="/audit"
      search={(before) => ({ ...before, peek: eventKey(row) })}
      className="mono"
      resetScroll={false}
    >
      {eventKey(row)}
    </Link>
  );
}

function Time({ row }: { readonly row: Row }) {
  const at = Date.parse(row.occurred_at);
  return (
    <time className="num" dateTime={row.occurred_at} title={formatInstant(at)}>
      {formatListTime(at, Date.now())}
    </time>
  );
}

function Clipped({ text }: { readonly text: string }) {
  return (
    <span className={styles.reason} title={text}>
      {text}
    </span>
  );
}

/** What people look for first in the data of an event. */
function reasonOf({ data }: Row): string {
  const reason = data['reason'];
  return typeof reason === 'string' ? reason : '';
}

const wideColumns: readonly Column<Row>[] = [
  { key: 'place', title: 'Event', widthPx: 140, cell: (row) => <Place row={row} /> },
  { key: 'at', title: 'Time', widthPx: 152, cell: (row) => <Time row={row} /> },
  { key: 'kind', title: 'What', widthPx: 180, cell: (row) => <Clipped text={row.kind} /> },
  { key: 'actor', title: 'By', widthPx: 140, cell: (row) => <Clipped text={row.actor} /> },
  { key: 'subject', title: 'Object', widthPx: 160, cell: (row) => <Clipped text={row.subject} /> },
  {
    key: 'reason',
    title: 'Because',
    widthPx: 200,
    cell: (row) => <Clipped text={reasonOf(row)} />,
  },
];

const narrowColumns: readonly Column<Row>[] = [
  {
    key: 'place',
    title: 'Event',
    cell: (row) => (
      <span className={styles.card}>
        <Clipped text={row.kind} />
        <Place row={row} />
      </span>
    ),
  },
  {
    key: 'who',
    title: 'By, time',
    cell: (row) => (
      <span className={styles.card}>
        <Clipped text={row.actor} />
        <Time row={row} />
      </span>
    ),
  },
];

export type AuditTableProps = {
  readonly rows: readonly Row[];
  readonly selected: string | undefined;
  readonly onScrolled: (isAtTop: boolean) => void;
  readonly ref: Ref<DataTableHandle>;
};

export function AuditTable({ rows, selected, onScrolled, ref }: AuditTableProps) {
  const isNarrow = useMedia(narrowQuery);
  const navigate = useNavigate({ from: '/audit' });
  return (
    <DataTable
      ref={ref}
      caption={`${plural(rows.length, 'event')}, newest first`}
      columns={isNarrow ? narrowColumns : wideColumns}
      rows={rows}
      rowKey={eventKey}
      rowHeightPx={isNarrow ? 56 : 32}
      selectedKey={selected}
      fillsWindow
      onScrolled={onScrolled}
      onOpen={(row) =>
        void navigate({
          search: (before) => ({ ...before, peek: eventKey(row) }),
          resetScroll: false,
        })
      }
    />
  );
}
