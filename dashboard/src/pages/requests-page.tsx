// Find the request that someone complained about. New ones come in on top until a row is pointed at,
// focused or scrolled away from, or Pause is pressed; then they are counted.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useRef } from 'react';
import { decisionsQuery, overviewQuery } from '../api/queries.ts';
import type { DecisionWire, OverviewWire } from '../api/wire.ts';
import { rateOver, tally } from '../chart/traffic.ts';
import { Button } from '../components/button.tsx';
import type { DataTableHandle } from '../components/data-table.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { useFreshness } from '../components/freshness-chip.tsx';
import { Loading } from '../components/loading.tsx';
import { useTitle } from '../components/use-title.ts';
import { Verdict } from '../components/verdict.tsx';
import { formatCount, formatRate, formatShare, plural } from '../format/numbers.ts';
import { formatSpan } from '../format/time.ts';
import { useReportHeld } from '../live/live-context.tsx';
import type { Tone } from '../status/status.ts';
import styles from './page.module.css';
import { RequestsTable } from './requests-table.tsx';
import { useHeldRows } from './use-held-rows.ts';
import { useReading } from './use-reading.ts';

const route = getRouteApi('/app/requests');

function trafficVerdict({ series }: OverviewWire): { readonly tone: Tone; readonly words: string } {
  const rate = rateOver(series, 10);
  const { requests, failed, seconds } = tally(series);
  if (rate === null) return { tone: 'waiting', words: 'No request finished yet.' };
  if (requests === 0) {
    return {
      tone: 'waiting',
      words: `No request finished in the last ${formatSpan(seconds * 1000)}.`,
    };
  }
  const share = formatShare(failed, requests);
  const words = `${formatRate(rate)} requests/s over 10 s; ${share} failed (${formatCount(failed)} of ${formatCount(requests)}) in the last ${formatSpan(seconds * 1000)}.`;
  return { tone: failed === 0 ? 'ok' : 'attention', words };
}

function TrafficVerdict() {
  const { data: overview } = useQuery(overviewQuery);
  if (overview === undefined) return null;
  return <Verdict {...trafficVerdict(overview)} />;
}

/** Keeps the other filter when one of them changes. */
type ShowLinkProps = { readonly show: 'failed' | undefined; readonly count: number };

function ShowLink({ show, count }: ShowLinkProps) {
  const held = route.useSearch({ select: (search) => search.show });
  return (
    <Link
      to="/requests"
      search={({ dropped: _, ...before }) => ({ ...before, show })}
      className={styles.filter}
      activeOptions={{ explicitUndefined: true }}
      aria-current={held === show ? 'true' : undefined}
    >
      {show ?? 'all'} {formatCount(count)}
    </Link>
  );
}

function Filters({ all, failed }: { readonly all: number; readonly failed: number }) {
  const backend = route.useSearch({ select: (search) => search.backend });
  return (
    <nav className={styles.bar} aria-label="Filter">
      <ShowLink show={undefined} count={all} />
      <ShowLink show="failed" count={failed} />
      {backend === undefined ? null : (
        <Link
          to="/requests"
          search={({ backend: _, ...before }) => before}
          className={styles.filter}
          activeOptions={{ explicitUndefined: true }}
          aria-current="true"
          title="Show the requests to every backend"
        >
          <span className={styles.name}>only {backend}</span> ✕
        </Link>
      )}
    </nav>
  );
}

const keyOf = (decision: DecisionWire) => decision.decision_id;

function isFailed(decision: DecisionWire): boolean {
  return (decision.status >= 400 && decision.status !== 499) || decision.code !== null;
}

type NoRowsProps = { readonly filters: readonly string[]; readonly total: number };

function NoRows({ filters, total }: NoRowsProps) {
  if (filters.length > 0) {
    return (
      <EmptyNote
        words={`None of the last requests is ${filters.join(' and ')}. ${plural(total, 'request')} without that filter.`}
      >
        <Link to="/requests" search={{}}>
          Clear filter
        </Link>
      </EmptyNote>
    );
  }
  return (
    <EmptyNote words="No request yet. Each one that TensorForge routes appears here with its reasons, as soon as it has ended. Point a client at this address and send one.">
      <code className="wrap-anywhere">{`${location.origin}/v1`}</code>
    </EmptyNote>
  );
}

function List({ decisions }: { readonly decisions: readonly DecisionWire[] }) {
  const { show, backend, dropped } = route.useSearch();
  const { stale } = useFreshness();
  const table = useRef<DataTableHandle>(null);
  const { holds, scrolled, paused, setPaused, onScrolled, watch } = useReading();
  const there =
    backend === undefined ? decisions : decisions.filter((row) => row.backend_id === backend);
  const failed = there.filter(isFailed);
  const latest = show === 'failed' ? failed : there;
  const filters = [
    ...(show === undefined ? [] : [show]),
    ...(backend === undefined ? [] : [`to ${backend}`]),
  ];
  const { rows, unseen, catchUp } = useHeldRows({ latest, holds, keyOf });
  useReportHeld(holds && (paused || scrolled || unseen > 0) ? unseen : undefined);

  function showNew(): void {
    catchUp();
    table.current?.toTop();
  }

  return (
    <>
      <div className={styles.bar}>
        <Filters all={there.length} failed={failed.length} />
        <Button aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? 'Follow' : 'Pause'}
        </Button>
        {unseen > 0 ? (
          <Button kind="primary" onClick={showNew}>
            {`${formatCount(unseen)} new`}
          </Button>
        ) : null}
      </div>
      {dropped === undefined ? null : (
        <p role="status">{`There is no filter “${dropped}”. All requests are shown.`}</p>
      )}
      {rows.length === 0 ? (
        <NoRows filters={filters} total={decisions.length} />
      ) : (
        <div className={stale ? 'stale' : undefined} {...watch}>
          <RequestsTable ref={table} rows={rows} onScrolled={onScrolled} />
        </div>
      )}
    </>
  );
}

export function RequestsPage() {
  useTitle('Requests');
  const { data: decisions, error, refetch } = useQuery(decisionsQuery);
  return (
    <div className={styles.page}>
      <h1>Requests</h1>
      <TrafficVerdict />
      {error === null ? null : <FailureNote error={error} onRetry={() => void refetch()} />}
      {decisions === undefined && error === null ? (
        <Loading what="the recent decisions" heightPx={400} />
      ) : null}
      {decisions === undefined ? null : <List decisions={decisions} />}
    </div>
  );
}
