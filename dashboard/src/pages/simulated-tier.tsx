// What the fleet would have done with these arrivals, run by the production code on fitted engines,
// and how well the same simulation tells what really happened.

import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { formatCount, formatShare } from '../format/numbers.ts';
import { formatLatency } from '../format/time.ts';
import type { Candidate } from './replay-figures.ts';
import { Tier } from './replay-tier.tsx';

type Figures = NonNullable<Candidate['simulated']>['candidate'];
type Row = { readonly name: string; readonly figures: Figures };

const columns: readonly Column<Row>[] = [
  { key: 'name', title: 'Policy', cell: ({ name }) => name },
  {
    key: 'requests',
    title: 'Requests',
    numeric: true,
    cell: ({ figures }) => formatCount(figures.requests),
  },
  {
    key: 'rejected',
    title: 'Rejected',
    numeric: true,
    cell: ({ figures }) => formatCount(figures.rejected),
  },
  {
    key: 'p50',
    title: 'First byte p50',
    numeric: true,
    cell: ({ figures }) => formatLatency(figures.first_byte_p50_ms),
  },
  {
    key: 'p95',
    title: 'First byte p95',
    numeric: true,
    cell: ({ figures }) => formatLatency(figures.first_byte_p95_ms),
  },
  {
    key: 'goodput',
    title: 'Goodput',
    numeric: true,
    cell: ({ figures }) => formatShare(figures.goodput, 1),
  },
];

function calibrationWords(error: number | null): string {
  if (error === null) return 'How well it tells what happened is not known.';
  return `Of what really happened it tells the first byte p95 to ± ${formatShare(error, 1)}.`;
}

export function SimulatedTier({ candidate }: { readonly candidate: Candidate }) {
  const { simulated, simulated_refused: refused } = candidate;
  return (
    <Tier word="SIMULATED" means="this trace, production code, fitted engines">
      {simulated === null ? (
        <EmptyNote words={`No simulation: ${refused ?? 'the report gives no reason'}.`} />
      ) : (
        <>
          <DataTable
            caption="Simulated figures"
            columns={columns}
            rows={[
              { name: 'as it ran', figures: simulated.recorded_policy },
              { name: 'candidate', figures: simulated.candidate },
            ]}
            rowKey={({ name }) => name}
            rowHeightPx={32}
          />
          <p>{calibrationWords(simulated.calibration_error)}</p>
        </>
      )}
    </Tier>
  );
}
