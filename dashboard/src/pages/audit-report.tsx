// What the last verification read, and every place where it found a break.

import type { AuditReportWire } from '../api/wire.ts';
import { CopyLine } from '../components/copy.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { FaultTable } from '../components/fault-table.tsx';
import { formatCount, plural } from '../format/numbers.ts';
import { formatInstant } from '../format/time.ts';
import pageStyles from './page.module.css';
import styles from './policy-page.module.css';

type Stream = AuditReportWire['streams'][number];

const columns: readonly Column<Stream>[] = [
  { key: 'stream', title: 'Stream', cell: ({ stream }) => stream },
  {
    key: 'sequence',
    title: 'Newest event',
    numeric: true,
    cell: ({ sequence }) => formatCount(sequence),
  },
  {
    key: 'hash',
    title: 'Its hash',
    cell: ({ hash }) => <code title={hash}>{hash.slice(0, 16)}…</code>,
  },
];

function Broken({ report }: { readonly report: AuditReportWire }) {
  return (
    <section className={pageStyles.section} aria-label="What is broken">
      <h2>{plural(report.faults.length, 'break')}, exports are stopped</h2>
      <FaultTable faults={report.faults} />
      <p>
        Before a place the trail is proven, after it nothing is. Keep the database and the files as
        they are, compare them with a backup, then verify again.
      </p>
      <CopyLine
        text="tensorforge audit verify --json"
        label="Copy the command that tells all of it"
      />
    </section>
  );
}

export function AuditReport({ report }: { readonly report: AuditReportWire }) {
  const { events, digests, segments, records, streams } = report;
  return (
    <>
      {report.whole ? null : <Broken report={report} />}
      <details className={styles.evidence}>
        <summary>
          Read at {formatInstant(Date.parse(report.at))}: {plural(events, 'event')} in{' '}
          {plural(streams.length, 'stream')}, {plural(digests, 'seal')},{' '}
          {plural(records, 'decision')} in {plural(segments, 'segment')}
        </summary>
        <DataTable
          caption="Streams and their newest events"
          columns={columns}
          rows={streams}
          rowKey={({ stream }) => stream}
          rowHeightPx={32}
        />
      </details>
    </>
  );
}
