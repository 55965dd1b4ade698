// The attempts of one request, each with its own reason. A link shows the candidates of that attempt.

import { Link } from '@tanstack/react-router';
import { type Column, DataTable } from '../components/data-table.tsx';
import { noData, plural } from '../format/numbers.ts';
import { formatInstant, formatListTime } from '../format/time.ts';
import type { Attempt } from './decision-facts.ts';
import styles from './page.module.css';

function columnsOf(requestId: string): readonly Column<Attempt>[] {
  return [
    {
      key: 'attempt',
      title: 'Attempt',
      cell: ({ attempt }) => (
        <Link to="/requests/$id" params={{ id: `${requestId}.${attempt}` }}>
          {attempt}
        </Link>
      ),
    },
    {
      key: 'at',
      title: 'Time',
      cell: ({ at }) => (
        <time className="num" dateTime={at} title={formatInstant(Date.parse(at))}>
          {formatListTime(Date.parse(at), Date.now())}
        </time>
      ),
    },
    { key: 'backend', title: 'Backend', cell: (row) => row.backend_id ?? row.code ?? noData },
    {
      key: 'reason',
      title: 'Because',
      cell: ({ reason }) => <span className={styles.prose}>{reason}</span>,
    },
    {
      key: 'tried',
      title: 'Tried before',
      cell: ({ tried }) => (tried.length === 0 ? 'none' : tried.join(', ')),
    },
    { key: 'mode', title: 'Mode', cell: ({ mode }) => mode },
  ];
}

export type AttemptsTableProps = {
  readonly requestId: string;
  readonly attempts: readonly Attempt[];
  /** The attempt whose candidates are shown. */
  readonly shown: number | undefined;
};

export function AttemptsTable({ requestId, attempts, shown }: AttemptsTableProps) {
  return (
    <section className={styles.section}>
      <h2>Attempts</h2>
      <DataTable
        caption={plural(attempts.length, 'attempt')}
        columns={columnsOf(requestId)}
        rows={attempts}
        rowKey={({ attempt }) => String(attempt)}
        rowHeightPx={32}
        selectedKey={shown === undefined ? undefined : String(shown)}
      />
    </section>
  );
}
