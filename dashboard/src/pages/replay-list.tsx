// The replays that the server still knows, so that one that somebody started is found again.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { replaysQuery } from '../api/queries.ts';
import { useRefusal } from '../api/use-refusal.ts';
import type { ReplayReportWire } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { plural } from '../format/numbers.ts';
import { replayTone } from '../status/status.ts';
import styles from './page.module.css';
import type { ReplayRange } from './search.ts';

const route = getRouteApi('/app/replay');

function columnsOf(range: ReplayRange): readonly Column<ReplayReportWire>[] {
  return [
    {
      key: 'id',
      title: 'Replay',
      cell: ({ id }) => (
        <Link to="/replay" search={{ range, id }} className="mono">
          {id}
        </Link>
      ),
    },
    {
      key: 'state',
      title: 'State',
      cell: (report) => <StatusMark tone={replayTone(report)} words={report.state} />,
    },
    {
      key: 'words',
      title: 'Answer',
      cell: ({ words }) => <span className={styles.prose}>{words}</span>,
    },
  ];
}

export function ReplayList() {
  const { range, id } = route.useSearch();
  const refusal = useRefusal('replay:run');
  const { data, error, refetch } = useQuery({ ...replaysQuery, enabled: refusal === undefined });
  if (error !== null) return <FailureNote error={error} onRetry={() => void refetch()} />;
  if (data === undefined || data.replays.length === 0) return null;
  return (
    <section className={styles.section}>
      <h2>Replays since the start of the server</h2>
      <DataTable
        caption={`${plural(data.replays.length, 'replay')}, newest first`}
        columns={columnsOf(range)}
        rows={data.replays}
        rowKey={(report) => report.id}
        rowHeightPx={32}
        selectedKey={id}
      />
    </section>
  );
}
