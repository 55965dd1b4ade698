// OpenAI batches, newest first: how far each is, and how many of their lines run now.

import type { BatchesWire, BatchWire } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { narrowQuery, useMedia } from '../components/use-media.ts';
import { formatCount, plural } from '../format/numbers.ts';
import styles from './page.module.css';

const reasons: Readonly<Record<BatchesWire['lane']['reason'], string>> = {
  starting: 'it has just begun',
  filling: 'it grows while nothing interactive is touched',
  full: 'limits.batch_lines is reached',
  serving_mode: 'the serving mode admits no batch work',
  interactive_waits: 'interactive requests wait for a backend',
  first_tokens: 'first tokens of interactive streams came later',
  no_room: 'the backends have no room for more',
};

const name: Column<BatchWire> = {
  key: 'name',
  title: 'Batch',
  cell: ({ id }) => (
    <span className={styles.name} title={id}>
      {id}
    </span>
  ),
};

const status: Column<BatchWire> = {
  key: 'status',
  title: 'Status',
  cell: (row) => <span title={row.errors?.data[0]?.message}>{row.status.replace('_', ' ')}</span>,
};

const done: Column<BatchWire> = {
  key: 'done',
  title: 'Done',
  numeric: true,
  cell: ({ request_counts: { completed, total } }) =>
    `${formatCount(completed)} of ${formatCount(total)}`,
};

const columns: readonly Column<BatchWire>[] = [
  name,
  status,
  done,
  {
    key: 'failed',
    title: 'Failed',
    numeric: true,
    cell: (row) => formatCount(row.request_counts.failed),
  },
  { key: 'group', title: 'Group', cell: (row) => row.group_name },
  { key: 'endpoint', title: 'Endpoint', cell: (row) => row.endpoint },
];

/** Nothing where there are no batches. */
export function BatchesTable({ list }: { readonly list: BatchesWire | undefined }) {
  const isNarrow = useMedia(narrowQuery);
  if (list === undefined || list.batches.length === 0) return null;
  const { batches, lane } = list;
  return (
    <section className={styles.section} aria-label="Batches">
      <h2>Batches</h2>
      <p className="muted">
        {plural(lane.under_way, 'line')} under way, {formatCount(lane.limit)} may be:{' '}
        {reasons[lane.reason]}.
      </p>
      <DataTable
        caption={`The newest ${plural(batches.length, 'batch', 'batches')}`}
        columns={isNarrow ? [name, status, done] : columns}
        rows={batches}
        rowKey={(row) => row.id}
        rowHeightPx={32}
        fillsWindow={batches.length > 20}
      />
    </section>
  );
}
