// The two halves of a decision: the candidates with their scores, best first, and those that a stage
// ruled out, with the reason and what would change it.

import type { DecisionWire } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { StatusShape } from '../components/status-mark.tsx';
import { formatSignificant, noData } from '../format/numbers.ts';
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

function whyThisColumns(servedBy: string | null): readonly Column<Candidate>[] {
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
            columns={whyThisColumns(servedBy)}
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
