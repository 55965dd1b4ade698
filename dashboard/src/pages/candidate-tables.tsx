// The two halves of a decision: the candidates with their scores, best first, and those that a stage
// ruled out, with the reason and what would change it.

import type { DecisionWire } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { StatusShape } from '../components/status-mark.tsx';
import { formatCount, formatSignificant, noData } from '../format/numbers.ts';
import { formatLatency } from '../format/time.ts';
import styles from './page.module.css';

type Candidate = DecisionWire['candidates'][number];

function byScore(a: Candidate, b: Candidate): number {
  const difference = (b.score ?? -1) - (a.score ?? -1);
  if (difference !== 0) return difference;
  return a.backend_id < b.backend_id ? -1 : 1;
}

function Prose({ text }: { readonly text: string }) {
  return <span className={styles.prose}>{text}</span>;
}

type Terms = NonNullable<Candidate['terms']>;

function termColumn(name: keyof Terms, title: string): Column<Candidate> {
  return {
    key: name,
    title,
    numeric: true,
    cell: ({ terms }) => (terms ? `+${formatSignificant(terms[name])}` : noData),
  };
}

/** What the score adds up from; only the smart strategy has terms. */
const termColumns: readonly Column<Candidate>[] = [
  termColumn('priority', 'Priority'),
  termColumn('load', 'Load'),
  termColumn('latency', 'Latency'),
];

const figureColumns: readonly Column<Candidate>[] = [
  {
    key: 'pending',
    title: 'In flight',
    numeric: true,
    cell: ({ figures }) => (figures === undefined ? noData : inFlight(figures)),
  },
  {
    key: 'first',
    title: 'First byte',
    numeric: true,
    cell: ({ figures }) => formatLatency(figures?.first_byte_ms ?? null),
  },
];

const wouldHaveWonColumn: Column<Candidate> = {
  key: 'would',
  title: 'Would have won',
  cell: ({ would_have_won: words }) => <Prose text={words ?? noData} />,
};

function inFlight({ pending, capacity }: NonNullable<Candidate['figures']>): string {
  return capacity === null
    ? formatCount(pending)
    : `${formatCount(pending)} of ${formatCount(capacity)}`;
}

/** The columns for which the record holds something. */
function extraColumns(candidates: readonly Candidate[]): readonly Column<Candidate>[] {
  const holds = (member: (candidate: Candidate) => unknown) =>
    candidates.some((candidate) => (member(candidate) ?? null) !== null);
  return [
    ...(holds(({ terms }) => terms) ? termColumns : []),
    ...(holds(({ figures }) => figures) ? figureColumns : []),
    ...(holds(({ would_have_won: words }) => words) ? [wouldHaveWonColumn] : []),
  ];
}

function whyThisColumns(
  candidates: readonly Candidate[],
  servedBy: string | null,
): readonly Column<Candidate>[] {
  return [
    {
      key: 'backend',
      title: 'Backend',
      cell: (candidate) => (
        <>
          {candidate.backend_id === servedBy ? <StatusShape tone="ok" /> : null}{' '}
          {candidate.backend_id}
          {candidate.backend_id === servedBy ? ' (served)' : ''}
        </>
      ),
    },
    {
      key: 'score',
      title: 'Score of 10\u202f000',
      numeric: true,
      cell: ({ score }) => (score === null ? noData : formatSignificant(score)),
    },
    ...extraColumns(candidates),
    { key: 'reason', title: 'Made of', cell: ({ reason }) => <Prose text={reason} /> },
  ];
}

const whyNotColumns: readonly Column<Candidate>[] = [
  { key: 'backend', title: 'Backend', cell: ({ backend_id }) => backend_id },
  { key: 'stage', title: 'Ruled out by', cell: ({ stage }) => stage ?? noData },
  { key: 'reason', title: 'Because', cell: ({ reason }) => <Prose text={reason} /> },
  {
    key: 'action',
    title: 'What would change it',
    cell: ({ suggested_action }) => <Prose text={suggested_action ?? noData} />,
  },
];

export type CandidateTablesProps = {
  readonly candidates: readonly Candidate[];
  readonly servedBy: string | null;
};

export function CandidateTables({ candidates, servedBy }: CandidateTablesProps) {
  if (candidates.length === 0) {
    return <EmptyNote words="No backend was looked at: the request ended before routing." />;
  }
  const chosen = candidates.filter(({ stage }) => stage === null).sort(byScore);
  const excluded = candidates.filter(({ stage }) => stage !== null).sort(byScore);
  const rowKey = (candidate: Candidate) => `${candidate.backend_id} ${candidate.stage ?? ''}`;
  return (
    <>
      <section className={styles.section}>
        <h2>Why this</h2>
        {chosen.length === 0 ? (
          <EmptyNote words="No backend was left after the stages below." />
        ) : (
          <DataTable
            caption="Candidates, best score first"
            columns={whyThisColumns(chosen, servedBy)}
            rows={chosen}
            rowKey={rowKey}
            rowHeightPx={32}
          />
        )}
      </section>
      {excluded.length === 0 ? null : (
        <section className={styles.section}>
          <h2>Why not</h2>
          <DataTable
            caption="Backends that were ruled out"
            columns={whyNotColumns}
            rows={excluded}
            rowKey={rowKey}
            rowHeightPx={32}
          />
        </section>
      )}
    </>
  );
}
