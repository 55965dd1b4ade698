// The last probes of a backend, newest first: when, how it went, how long it took, and the state that
// followed from it.

import type { ProbeEntryWire } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { formatInstant, formatLatency, formatListTime } from '../format/time.ts';
import { backendStatusMarks, probeMarks } from '../status/status.ts';
import pageStyles from './page.module.css';

type Row = { readonly probe: ProbeEntryWire; readonly key: string };

const columns: readonly Column<Row>[] = [
  {
    key: 'at',
    title: 'Time',
    cell: ({ probe: { at } }) => (
      <time className="num" dateTime={at} title={formatInstant(Date.parse(at))}>
        {formatListTime(Date.parse(at), Date.now())}
      </time>
    ),
  },
  {
    key: 'kind',
    title: 'Probe',
    cell: ({ probe: { kind } }) => <StatusMark {...probeMarks[kind]} />,
  },
  {
    key: 'latency',
    title: 'Took',
    numeric: true,
    cell: ({ probe }) => formatLatency(probe.latency_ms),
  },
  {
    key: 'status',
    title: 'State after it',
    cell: ({ probe: { status } }) => <StatusMark {...backendStatusMarks[status]} />,
  },
  {
    key: 'words',
    title: 'What was met',
    cell: ({ probe: { words } }) => <span className={pageStyles.prose}>{words}</span>,
  },
];

export function ProbeLog({ probes }: { readonly probes: readonly ProbeEntryWire[] }) {
  if (probes.length === 0) {
    return <EmptyNote words="No probe yet since the start. Each one appears here." />;
  }
  // Two probes may have the same time; counted from the oldest, a row keeps its key.
  const rows = probes.map((probe, at) => ({ probe, key: `${probe.at} ${probes.length - at}` }));
  return (
    <DataTable
      caption={`The last ${probes.length} probes, newest first`}
      columns={columns}
      rows={rows}
      rowKey={({ key }) => key}
      rowHeightPx={32}
      fillsWindow
    />
  );
}
