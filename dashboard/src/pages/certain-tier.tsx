// What the candidate would have decided otherwise: exact, because each decision was made again with
// everything as recorded but the policy.

import { Link } from '@tanstack/react-router';
import { type Column, DataTable } from '../components/data-table.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { formatCount, formatShare, plural } from '../format/numbers.ts';
import { formatInstant, formatListTime } from '../format/time.ts';
import { modeMarks } from '../status/status.ts';
import pageStyles from './page.module.css';
import { type Candidate, type ShiftRow, shiftFault, shiftRows } from './replay-figures.ts';
import styles from './replay-page.module.css';
import { Tier } from './replay-tier.tsx';

type Change = Candidate['diff'][number];
type Move = Candidate['mode_moves'][number];

function bold(row: ShiftRow, text: string) {
  return row.isSum ? <span className={styles.sum}>{text}</span> : text;
}

const shiftColumns: readonly Column<ShiftRow>[] = [
  { key: 'name', title: 'Backend', cell: (row) => bold(row, row.name) },
  { key: 'recorded', title: 'Recorded', numeric: true, cell: (row) => bold(row, row.recorded) },
  { key: 'candidate', title: 'Candidate', numeric: true, cell: (row) => bold(row, row.candidate) },
  { key: 'shift', title: 'Shift', numeric: true, cell: (row) => bold(row, row.shift) },
];

function Time({ at }: { readonly at: string }) {
  return (
    <time className="num" dateTime={at} title={formatInstant(Date.parse(at))}>
      {formatListTime(Date.parse(at), Date.now())}
    </time>
  );
}

const diffColumns: readonly Column<Change>[] = [
  {
    key: 'id',
    title: 'Decision',
    cell: ({ decision_id: id }) => (
      <Link to="/requests/$id" params={{ id }} className="mono" title={id}>
        {id.length > 18 ? `${id.slice(0, 8)}…${id.slice(-6)}` : id}
      </Link>
    ),
  },
  { key: 'at', title: 'Time', cell: ({ at }) => <Time at={at} /> },
  { key: 'model', title: 'Model', cell: ({ model }) => model },
  { key: 'was', title: 'Was', cell: ({ was }) => was },
  { key: 'would', title: 'Would be', cell: ({ would_be }) => would_be },
  {
    key: 'because',
    title: 'Because',
    cell: ({ because }) => <span className={pageStyles.prose}>{because}</span>,
  },
];

const moveColumns: readonly Column<Move>[] = [
  { key: 'at', title: 'Time', cell: ({ at }) => <Time at={at} /> },
  { key: 'was', title: 'Mode', cell: ({ recorded }) => <StatusMark {...modeMarks[recorded]} /> },
  {
    key: 'would',
    title: 'Would be',
    cell: ({ candidate }) => <StatusMark {...modeMarks[candidate]} />,
  },
];

function Shifts({ shifts }: { readonly shifts: Candidate['shifts'] }) {
  const fault = shiftFault(shifts);
  return (
    <>
      <DataTable
        caption="Decisions by backend, recorded and under the candidate"
        columns={shiftColumns}
        rows={shiftRows(shifts)}
        rowKey={({ name, isSum }) => `${isSum ? 'sum' : 'backend'} ${name}`}
        rowHeightPx={32}
      />
      <p role={fault === undefined ? undefined : 'alert'}>{fault ?? '✓ Both columns add up.'}</p>
    </>
  );
}

function Diff({ candidate }: { readonly candidate: Candidate }) {
  const { diff, changed } = candidate;
  if (diff.length === 0) return null;
  const rest = changed - diff.length;
  return (
    <>
      <h3>
        {plural(diff.length, 'changed decision')}
        {rest > 0 ? ` shown, ${formatCount(rest)} more` : ''}
      </h3>
      <DataTable
        caption="Changed decisions, oldest first"
        columns={diffColumns}
        rows={diff}
        rowKey={({ decision_id: id, was, would_be: would }) => `${id} ${was} ${would}`}
        rowHeightPx={32}
        fillsWindow
      />
    </>
  );
}

export type CertainTierProps = { readonly candidate: Candidate; readonly decisions: number };

export function CertainTier({ candidate, decisions }: CertainTierProps) {
  const { changed, shifts, mode_moves: moves } = candidate;
  return (
    <Tier word="CERTAIN" means="each decision made again, exactly">
      <p>
        {changed === 0
          ? `None of ${plural(decisions, 'decision')} would change.`
          : `${formatCount(changed)} of ${plural(decisions, 'decision')} would change (${formatShare(changed, decisions)}).`}
      </p>
      {shifts.length === 0 ? null : <Shifts shifts={shifts} />}
      <Diff candidate={candidate} />
      {moves.length === 0 ? null : (
        <>
          <h3>{plural(moves.length, 'tick')} with another serving mode</h3>
          <DataTable
            caption="Serving mode, recorded and under the candidate"
            columns={moveColumns}
            rows={moves}
            rowKey={({ at, recorded, candidate: would }) => `${at} ${recorded} ${would}`}
            rowHeightPx={32}
          />
        </>
      )}
    </Tier>
  );
}
