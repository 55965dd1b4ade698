// Five numbers, each with its unit and the window it was taken over.

import type { OverviewWire } from '../api/wire.ts';
import { type LatencyNow, latestLatency, rateOver, tally } from '../chart/traffic.ts';
import { formatCount, formatRate, formatShare, noData, plural } from '../format/numbers.ts';
import { formatLatency, formatSpan } from '../format/time.ts';
import styles from './overview-page.module.css';

type TileProps = { readonly name: string; readonly value: string; readonly window: string };

function Tile({ name, value, window }: TileProps) {
  return (
    <div className={styles.tile}>
      <dt>{name}</dt>
      <dd className={styles.value}>{value}</dd>
      <dd className={styles.window}>{window}</dd>
    </div>
  );
}

const rateSeconds = 10;

function measuredWords(latency: LatencyNow | undefined): string {
  if (latency === undefined) return 'no sample in the last 5 m';
  if (latency.ageSeconds === 0) return 'in the newest second';
  return `in one second, ${formatSpan(latency.ageSeconds * 1000)} ago`;
}

export function NumberTiles({ overview }: { readonly overview: OverviewWire }) {
  const { series, requests } = overview;
  const rate = rateOver(series, rateSeconds);
  const latency = latestLatency(series);
  const { requests: finished, failed, seconds } = tally(series);
  const measured = measuredWords(latency);
  const span = formatSpan(seconds * 1000);
  return (
    <dl className={styles.tiles}>
      <Tile
        name="Requests/s"
        value={rate === null ? noData : formatRate(rate)}
        window={`mean of the last ${rateSeconds} s`}
      />
      <Tile name="First byte p50" value={formatLatency(latency?.p50Ms ?? null)} window={measured} />
      <Tile name="First byte p95" value={formatLatency(latency?.p95Ms ?? null)} window={measured} />
      <Tile
        name="Failed"
        value={formatShare(failed, finished)}
        window={`${formatCount(failed)} of ${formatCount(finished)} in ${span}`}
      />
      <Tile
        name="In flight"
        value={formatCount(overview.in_flight)}
        window={`now; ${plural(requests.total, 'request')} in ${formatSpan(overview.uptime_seconds * 1000)}`}
      />
    </dl>
  );
}
