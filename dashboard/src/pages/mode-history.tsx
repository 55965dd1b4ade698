// Every move of the mode, newest first, with the evidence that was read.

import { Link } from '@tanstack/react-router';
import type { PolicyMoveWire, ServingModeWire } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { narrowQuery, useMedia } from '../components/use-media.ts';
import { noData, plural } from '../format/numbers.ts';
import { formatInstant, formatListTime } from '../format/time.ts';
import { modeMarks } from '../status/status.ts';
import { Evidence } from './evidence-list.tsx';
import pageStyles from './page.module.css';

const kindWords: ReadonlyMap<string, string> = new Map([
  ['mode_escalated', 'escalated'],
  ['mode_deescalated', 'de-escalated'],
  ['mode_escalation_suppressed', 'held back by the cooldown'],
  ['mode_pinned', 'pinned'],
  ['mode_unpinned', 'unpinned'],
]);

function Mode({ mode }: { readonly mode: ServingModeWire | null }) {
  return mode === null ? noData : <StatusMark {...modeMarks[mode]} />;
}

function Time({ at }: { readonly at: string }) {
  return (
    <time className="num" dateTime={at} title={formatInstant(Date.parse(at))}>
      {formatListTime(Date.parse(at), Date.now())}
    </time>
  );
}

function Move({ move: { from, to } }: { readonly move: PolicyMoveWire }) {
  return (
    <span>
      <Mode mode={from} /> → <Mode mode={to} />
    </span>
  );
}

function What({ kind }: { readonly kind: string }) {
  return kindWords.get(kind) ?? kind;
}

const narrowColumns: readonly Column<PolicyMoveWire>[] = [
  {
    key: 'move',
    title: 'Move',
    cell: (move) => (
      <span className={pageStyles.card}>
        <Move move={move} />
        <span className="muted">
          <What kind={move.kind} />
        </span>
        <Time at={move.at} />
      </span>
    ),
  },
  {
    key: 'reason',
    title: 'Because',
    cell: (move) => (
      <span className={pageStyles.card}>
        <span className="wrap-anywhere">{`${move.reason} (${move.actor})`}</span>
        <Evidence data={move.evidence} of={`move ${move.sequence}`} />
      </span>
    ),
  },
];

const wideColumns: readonly Column<PolicyMoveWire>[] = [
  { key: 'at', title: 'Time', cell: ({ at }) => <Time at={at} /> },
  { key: 'move', title: 'From → to', cell: (move) => <Move move={move} /> },
  { key: 'kind', title: 'What', cell: ({ kind }) => <What kind={kind} /> },
  {
    key: 'reason',
    title: 'Because',
    cell: ({ reason }) => <span className={pageStyles.prose}>{reason}</span>,
  },
  { key: 'actor', title: 'By', cell: ({ actor }) => actor },
  {
    key: 'evidence',
    title: 'Evidence',
    cell: (move) => <Evidence data={move.evidence} of={`move ${move.sequence}`} />,
  },
  {
    key: 'event',
    title: 'Event',
    cell: ({ sequence }) => (
      <Link
        to="/audit"
        search={{ range: '30d', stream: 'policy', peek: `policy/${sequence}` }}
        className="mono"
      >{`policy/${sequence}`}</Link>
    ),
  },
];

export type ModeHistoryProps = {
  readonly moves: readonly PolicyMoveWire[];
  readonly mode: ServingModeWire;
  readonly since: string;
};

export function ModeHistory({ moves, mode, since }: ModeHistoryProps) {
  const isNarrow = useMedia(narrowQuery);
  return (
    <section className={pageStyles.section}>
      <h2>History</h2>
      {moves.length === 0 ? (
        <EmptyNote
          words={`No move yet: the mode has been ${mode} since ${formatInstant(Date.parse(since))}. Each move appears here with what was read.`}
        />
      ) : (
        <DataTable
          caption={`${plural(moves.length, 'move')} of the mode, newest first`}
          columns={isNarrow ? narrowColumns : wideColumns}
          rows={moves}
          rowKey={({ sequence }) => String(sequence)}
          rowHeightPx={40}
        />
      )}
    </section>
  );
}
