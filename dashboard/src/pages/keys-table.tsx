// The keys as a table, with the one action that each has.

import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { revokeKey } from '../api/actions.ts';
import { keysQuery } from '../api/queries.ts';
import { useRefusal } from '../api/use-refusal.ts';
import type { KeyViewWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import { type Confirmation, ConfirmDialog } from '../components/confirm-dialog.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { useNotice } from '../components/notice.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { narrowQuery, useMedia } from '../components/use-media.ts';
import { plural } from '../format/numbers.ts';
import { formatAgo, formatInstant } from '../format/time.ts';
import { keyMark } from '../status/status.ts';
import styles from './page.module.css';

type Row = KeyViewWire;
type Revoke = (row: Row) => void;

function usedWords(row: Row, nowMs: number): string {
  return row.last_used_at === null ? 'never used' : `used ${formatAgo(row.last_used_at, nowMs)}`;
}

function Name({ row }: { readonly row: Row }) {
  return (
    <span className={styles.name} title={row.name}>
      {row.name}
    </span>
  );
}

function RevokeButton({ row, revoke }: { readonly row: Row; readonly revoke: Revoke }) {
  const refusal = useRefusal('users:admin');
  if (row.revoked) return null;
  return (
    <Button
      kind="quiet"
      refusal={refusal}
      aria-label={`Revoke ${row.name}`}
      onClick={() => revoke(row)}
    >
      Revoke…
    </Button>
  );
}

function Clipped({ text }: { readonly text: string }) {
  return (
    <span className={styles.reason} title={text}>
      {text}
    </span>
  );
}

function wideColumns(nowMs: number, revoke: Revoke): readonly Column<Row>[] {
  return [
    { key: 'name', title: 'Name', cell: (row) => <Name row={row} /> },
    { key: 'state', title: 'State', cell: (row) => <StatusMark {...keyMark(row, nowMs)} /> },
    { key: 'last4', title: 'Ends in', cell: (row) => <code>…{row.last4}</code> },
    { key: 'group', title: 'Group', cell: (row) => row.group_name },
    {
      key: 'models',
      title: 'Models',
      cell: (row) => (
        <Clipped text={row.models.length === 0 ? 'every model' : row.models.join(', ')} />
      ),
    },
    {
      key: 'may',
      title: 'May',
      cell: (row) => <Clipped text={row.permissions.join(', ')} />,
    },
    { key: 'used', title: 'Last used', cell: (row) => formatAgo(row.last_used_at, nowMs) },
    {
      key: 'expires',
      title: 'Expires',
      cell: (row) =>
        row.expires_at === null ? 'never' : formatInstant(Date.parse(row.expires_at)),
    },
    {
      key: 'revoke',
      title: 'Action',
      cell: (row) => <RevokeButton row={row} revoke={revoke} />,
    },
  ];
}

function narrowColumns(nowMs: number, revoke: Revoke): readonly Column<Row>[] {
  return [
    {
      key: 'name',
      title: 'Key',
      cell: (row) => (
        <span className={styles.card}>
          <span>
            <Name row={row} /> <code>…{row.last4}</code>
          </span>
          <span>
            <StatusMark {...keyMark(row, nowMs)} />{' '}
            <span className="muted">{usedWords(row, nowMs)}</span>
          </span>
        </span>
      ),
    },
    {
      key: 'revoke',
      title: 'Action',
      cell: (row) => <RevokeButton row={row} revoke={revoke} />,
    },
  ];
}

export type KeysTableProps = { readonly rows: readonly Row[]; readonly nowMs: number };

export function KeysTable({ rows, nowMs }: KeysTableProps) {
  const isNarrow = useMedia(narrowQuery);
  const queryClient = useQueryClient();
  const { say } = useNotice();
  const [asked, setAsked] = useState<Confirmation>();

  function revoke(row: Row): void {
    setAsked({
      title: `Revoke ${row.name}?`,
      effect: `Every client that uses it is refused with 401 within a second, and its running streams are cut. It was ${usedWords(row, Date.now())}. A revoked key cannot be used again; create another instead.`,
      verb: `Revoke ${row.name}`,
      typed: row.name,
      command: `tensorforge keys revoke ${row.id}`,
      act: async () => {
        await revokeKey(row.id);
        say({ tone: 'ok', words: `${row.name} is revoked.` });
        await queryClient.invalidateQueries({ queryKey: keysQuery.queryKey });
      },
    });
  }

  return (
    <>
      <DataTable
        caption={plural(rows.length, 'key')}
        columns={isNarrow ? narrowColumns(nowMs, revoke) : wideColumns(nowMs, revoke)}
        rows={rows}
        rowKey={(row) => row.id}
        rowHeightPx={isNarrow ? 56 : 40}
        fillsWindow={rows.length > 20}
      />
      {asked === undefined ? null : (
        <ConfirmDialog confirmation={asked} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}
