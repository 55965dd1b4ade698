// How fast the error budget burns, over the windows that the ladder reads.

import { useMemo } from 'react';
import type { BurnPairWire, BurnPointWire } from '../api/wire.ts';
import {
  burnColumns,
  burnFactors,
  burnWindowSeconds,
  burnWords,
  formatBurn,
  pairWords,
} from '../chart/burn.ts';
import type { PlotShape } from '../chart/plot-options.ts';
import { TimeChart } from '../chart/time-chart.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { formatSignificant, noData } from '../format/numbers.ts';
import { formatSpan } from '../format/time.ts';
import pageStyles from './page.module.css';

const lines = [
  { label: '5 min', token: '--s1', dash: [] },
  { label: '1 h', token: '--s2', dash: [6, 3] },
  { label: '6 h', token: '--s3', dash: [2, 3] },
];

/** A tenth of the budget's own pace: slower than that is one and the same. */
const slowestDrawn = 0.1;

function useShape(pairs: readonly BurnPairWire[]): PlotShape {
  const factors = burnFactors(pairs).join(' ');
  return useMemo(
    () => ({
      windowSeconds: burnWindowSeconds,
      log: { floor: slowestDrawn, lines: factors.split(' ').map(Number) },
    }),
    [factors],
  );
}

function burnOf(burn: number | null): string {
  return burn === null ? noData : formatBurn(burn);
}

/** Two windows that agree are a filled mark. */
function pairMark({ firing, moves }: BurnPairWire) {
  if (!firing) return { tone: 'ok', words: 'quiet' } as const;
  return moves
    ? ({ tone: 'bad', words: 'fires, moves the mode' } as const)
    : ({ tone: 'attention', words: 'fires, only tells' } as const);
}

const pairColumns: readonly Column<BurnPairWire>[] = [
  { key: 'name', title: 'Pair of windows', cell: ({ name }) => name },
  { key: 'state', title: 'Both at or above', cell: (pair) => <StatusMark {...pairMark(pair)} /> },
  { key: 'factor', title: 'Fires at', numeric: true, cell: ({ factor }) => formatBurn(factor) },
  {
    key: 'long',
    title: 'Long window',
    numeric: true,
    cell: (pair) => `${burnOf(pair.long_burn)} over ${formatSpan(pair.long_seconds * 1000)}`,
  },
  {
    key: 'short',
    title: 'Short window',
    numeric: true,
    cell: (pair) => `${burnOf(pair.short_burn)} over ${formatSpan(pair.short_seconds * 1000)}`,
  },
];

export type BurnChartProps = {
  readonly points: readonly BurnPointWire[];
  readonly pairs: readonly BurnPairWire[];
};

export function BurnChart({ points, pairs }: BurnChartProps) {
  const shape = useShape(pairs);
  const columns = useMemo(() => burnColumns(points), [points]);
  const across = pairs.map(pairWords).join('; ');
  return (
    <section className={pageStyles.section} aria-label="Burn rate">
      <TimeChart
        title="Burn rate, times the pace that spends the budget in its period"
        lines={lines}
        columns={columns}
        words={burnWords(points)}
        source={`One point per minute, log scale, below ${formatSignificant(slowestDrawn)}× drawn at it. Lines: ${across}. A gap: too few requests to say.`}
        formatValue={formatBurn}
        shape={shape}
        pointTitle="Minute"
      />
      <DataTable
        caption="Pairs of windows"
        columns={pairColumns}
        rows={pairs}
        rowKey={({ name }) => name}
        rowHeightPx={32}
      />
    </section>
  );
}
