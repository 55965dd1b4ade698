// Is anything mine to do? The verdict, what wants a person, four numbers with their windows, and the
// last five minutes of traffic and of first-byte latency.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { overviewQuery } from '../api/queries.ts';
import type { OverviewWire } from '../api/wire.ts';
import { TimeChart } from '../chart/time-chart.tsx';
import { latencyColumns, latencyWords, trafficColumns, trafficWords } from '../chart/traffic.ts';
import { FailureNote } from '../components/failure-note.tsx';
import { useFreshness } from '../components/freshness-chip.tsx';
import { Loading } from '../components/loading.tsx';
import { useTitle } from '../components/use-title.ts';
import { Verdict } from '../components/verdict.tsx';
import { formatRate } from '../format/numbers.ts';
import { formatLatency } from '../format/time.ts';
import { glyphOfTone, verdictTones } from '../status/status.ts';
import { AttentionList } from './attention-list.tsx';
import { FirstRun } from './first-run.tsx';
import { NumberTiles } from './number-tiles.tsx';
import styles from './overview-page.module.css';
import pageStyles from './page.module.css';

const trafficLines = [
  { label: 'finished', token: '--s1', dash: [] },
  { label: 'failed', token: '--bad', dash: [5, 3] },
];
const latencyLines = [
  { label: 'p50', token: '--s1', dash: [] },
  { label: 'p95', token: '--s2', dash: [5, 3] },
];

function Charts({ series }: { readonly series: OverviewWire['series'] }) {
  const source = 'Exact, one point per second.';
  return (
    <div className={styles.charts}>
      <TimeChart
        title="Requests per second"
        lines={trafficLines}
        columns={trafficColumns(series)}
        words={trafficWords(series)}
        source={source}
        formatValue={formatRate}
      />
      <TimeChart
        title="Time to first byte"
        lines={latencyLines}
        columns={latencyColumns(series)}
        words={latencyWords(series)}
        source={source}
        formatValue={formatLatency}
      />
    </div>
  );
}

function Loaded({ overview }: { readonly overview: OverviewWire }) {
  const { stale } = useFreshness();
  const { total, routable } = overview.backends;
  return (
    <>
      <Verdict tone={verdictTones[overview.verdict_level]} words={overview.verdict} />
      <p>
        <Link to="/policy">Serving mode and error budget</Link>
      </p>
      {overview.simulated ? (
        <p>
          <span className={pageStyles.tag}>SIM</span> Some engines are simulated: judge routing by
          what you see here, not the speed of models.
        </p>
      ) : null}
      <AttentionList items={overview.attention} />
      {routable === 0 ? <FirstRun total={total} /> : null}
      <div className={stale ? 'stale' : undefined}>
        <NumberTiles overview={overview} />
        <Charts series={overview.series} />
      </div>
    </>
  );
}

export function OverviewPage() {
  const { data: overview, error, refetch } = useQuery(overviewQuery);
  const glyph = overview === undefined ? '' : glyphOfTone[verdictTones[overview.verdict_level]];
  useTitle(`${glyph} Overview`.trim());
  return (
    <div className={pageStyles.page}>
      <h1>Overview</h1>
      {error === null ? null : <FailureNote error={error} onRetry={() => void refetch()} />}
      {overview === undefined && error === null ? (
        <Loading what="the overview" heightPx={480} />
      ) : null}
      {overview === undefined ? null : <Loaded overview={overview} />}
    </div>
  );
}
