// What the first byte would have been, estimated from what was recorded: only where the fleet was not
// congested and both policies overlap. A slice without an estimate says why.

import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { formatCount, noData } from '../format/numbers.ts';
import { formatLatency } from '../format/time.ts';
import pageStyles from './page.module.css';
import type { Candidate } from './replay-figures.ts';
import { Tier } from './replay-tier.tsx';

type Slice = Candidate['estimated'][number];

function interval({ low_ms: low, high_ms: high }: Slice): string {
  if (low === null || high === null) return noData;
  return `${formatLatency(low)} to ${formatLatency(high)}`;
}

const columns: readonly Column<Slice>[] = [
  { key: 'model', title: 'Model', cell: ({ model }) => model },
  { key: 'tokens', title: 'Prompt tokens', cell: ({ tokens }) => tokens },
  {
    key: 'used',
    title: 'Uncongested of all',
    numeric: true,
    cell: (slice) => `${formatCount(slice.uncongested)} of ${formatCount(slice.decisions)}`,
  },
  {
    key: 'n',
    title: 'Effective n',
    numeric: true,
    cell: ({ effective_sample_size: n }) => (n === null ? noData : formatCount(n)),
  },
  {
    key: 'recorded',
    title: 'Mean first byte',
    numeric: true,
    cell: (slice) => formatLatency(slice.recorded_first_byte_ms),
  },
  {
    key: 'candidate',
    title: 'Candidate',
    numeric: true,
    cell: (slice) => formatLatency(slice.candidate_first_byte_ms),
  },
  { key: 'interval', title: '95 % interval', numeric: true, cell: interval },
  {
    key: 'refused',
    title: 'No estimate because',
    cell: ({ refused }) =>
      refused === null ? '' : <span className={pageStyles.prose}>{refused}</span>,
  },
];

export function EstimatedTier({ slices }: { readonly slices: readonly Slice[] }) {
  return (
    <Tier word="ESTIMATED" means="off-policy, uncongested slices only">
      {slices.length === 0 ? (
        <EmptyNote words="No slice: no routed request with an outcome is in this window." />
      ) : (
        <DataTable
          caption="Estimates by model and prompt length"
          columns={columns}
          rows={slices}
          rowKey={({ model, tokens }) => `${model} ${tokens}`}
          rowHeightPx={32}
        />
      )}
    </Tier>
  );
}
