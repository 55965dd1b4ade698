// What is being done with the models of a backend now, how far it is, and what was done before.

import { useQuery } from '@tanstack/react-query';
import { operationsQuery } from '../api/queries.ts';
import type { OperationWire } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { LastGood } from '../components/last-good.tsx';
import { Meter } from '../components/meter.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { narrowQuery, useMedia } from '../components/use-media.ts';
import { useNow } from '../components/use-now.ts';
import { thinSpace } from '../format/numbers.ts';
import { formatInstant, formatListTime, formatSince, formatSpan } from '../format/time.ts';
import { operationMarks } from '../status/status.ts';
import styles from './backend-pane.module.css';
import { kindWords } from './operation-form.ts';
import pageStyles from './page.module.css';

type Operation = OperationWire;

function what(operation: Operation): string {
  const { operation_type: type, model_id: model, source_backend_id: source } = operation;
  const to = operation.target_backend_id;
  const where = source === null ? '' : ` from ${source} to ${to}`;
  return `${kindWords[type]} ${model}${where}`;
}

function etaWords({ eta_ms: eta }: Operation): string {
  return eta === null ? '' : `, ≈ ${formatSpan(eta)} left`;
}

export function OperationProgress({ operation }: { readonly operation: Operation | null }) {
  const now = useNow();
  if (operation === null) return null;
  const percent = operation.progress_percent;
  return (
    <p className={styles.progress} data-testid="operation">
      <StatusMark tone={operationMarks[operation.status].tone} words={what(operation)} />
      <Meter part={percent} whole={100} widthPx={96} />
      <span className="num">
        {`${percent}${thinSpace}%, ${formatSince(operation.initiated_at, now)}${etaWords(operation)}`}
      </span>
    </p>
  );
}

function How({ operation }: { readonly operation: Operation }) {
  const { status, error_details: details } = operation;
  return (
    <span className={pageStyles.card}>
      <StatusMark {...operationMarks[status]} />
      {details === null ? null : <span className={pageStyles.prose}>{details}</span>}
    </span>
  );
}

function Began({ operation }: { readonly operation: Operation }) {
  const at = Date.parse(operation.initiated_at);
  return (
    <time className="num" dateTime={operation.initiated_at} title={formatInstant(at)}>
      {formatListTime(at, Date.now())}
    </time>
  );
}

function took({ initiated_at: from, completed_at: to }: Operation): string {
  return to === null ? '' : formatSpan(Date.parse(to) - Date.parse(from));
}

const wideColumns: readonly Column<Operation>[] = [
  {
    key: 'what',
    title: 'Operation',
    cell: (one) => <span className={pageStyles.reason}>{what(one)}</span>,
  },
  { key: 'how', title: 'How it went', cell: (one) => <How operation={one} /> },
  { key: 'at', title: 'Began', cell: (one) => <Began operation={one} /> },
  { key: 'took', title: 'Took', numeric: true, cell: took },
  { key: 'id', title: 'Id', cell: (one) => <span className="mono">{one.operation_id}</span> },
];

const narrowColumns: readonly Column<Operation>[] = [
  {
    key: 'what',
    title: 'Operation',
    cell: (one) => (
      <span className={`${pageStyles.card} ${pageStyles.first}`}>
        <span className="wrap-anywhere">{what(one)}</span>
        <Began operation={one} />
      </span>
    ),
  },
  { key: 'how', title: 'How it went', cell: (one) => <How operation={one} /> },
];

export function BackendOperations({ backendId }: { readonly backendId: string }) {
  const isNarrow = useMedia(narrowQuery);
  const { data, error, dataUpdatedAt, refetch } = useQuery(operationsQuery(backendId));
  const rows = data?.operations ?? [];
  return (
    <LastGood error={error} dataAt={dataUpdatedAt} onRetry={() => void refetch()}>
      {data !== undefined && rows.length === 0 ? (
        <EmptyNote words="No operation on its models yet. Loading, unloading and migrating a model appear here with their progress and how they went." />
      ) : null}
      {rows.length === 0 ? null : (
        <DataTable
          caption="Operations, newest first"
          columns={isNarrow ? narrowColumns : wideColumns}
          rows={rows}
          rowKey={(one) => one.operation_id}
          rowHeightPx={40}
        />
      )}
    </LastGood>
  );
}
