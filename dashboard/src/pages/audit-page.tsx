// Who changed what, and is the record of it whole? Events come in on top until someone reads; a
// verification tells each place where the trail is broken, and then nothing is exported.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { Trail } from '../api/audit-trail.ts';
import { auditReportQuery, auditTrailQuery } from '../api/queries.ts';
import type { AuditReportWire } from '../api/wire.ts';
import { CopyCommand } from '../components/copy.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { LastGood } from '../components/last-good.tsx';
import { Loading } from '../components/loading.tsx';
import { useNow } from '../components/use-now.ts';
import { useTitle } from '../components/use-title.ts';
import { Verdict } from '../components/verdict.tsx';
import { formatAgo } from '../format/time.ts';
import { auditTone, glyphOfTone, type Tone } from '../status/status.ts';
import { AuditActions } from './audit-actions.tsx';
import { AuditList } from './audit-list.tsx';
import { AuditReport } from './audit-report.tsx';
import styles from './page.module.css';

const route = getRouteApi('/app/audit');

/** The newest of these kinds says what is known without reading the trail again. */
function newestOf(trail: Trail | undefined, kind: string): string | undefined {
  return trail?.events.find((event) => event.kind === kind)?.occurred_at;
}

type VerdictInput = {
  readonly report: AuditReportWire | null;
  readonly trail: Trail | undefined;
  readonly nowMs: number;
};

function auditVerdict({ report, trail, nowMs }: VerdictInput): {
  readonly tone: Tone;
  readonly words: string;
} {
  if (report !== null) {
    return {
      tone: auditTone(report),
      words: `${report.words} Verified ${formatAgo(report.at, nowMs)}.`,
    };
  }
  const broken = newestOf(trail, 'gap_found');
  if (broken !== undefined) {
    return {
      tone: 'bad',
      words: `A break in the trail was found ${formatAgo(broken, nowMs)}. Verify to see where, and whether it is still there.`,
    };
  }
  const sealed = newestOf(trail, 'digest_sealed');
  const seal = sealed === undefined ? '' : ` It was last sealed ${formatAgo(sealed, nowMs)}.`;
  return { tone: 'waiting', words: `Not verified since this page was opened.${seal}` };
}

export function AuditPage() {
  const search = route.useSearch();
  const {
    data: trail,
    error,
    dataUpdatedAt,
    isPlaceholderData,
    refetch,
  } = useQuery({
    ...auditTrailQuery(search),
    // Until what another filter shows has come, so that the filter that was used keeps the focus.
    placeholderData: keepPreviousData,
  });
  const { data: report } = useQuery(auditReportQuery);
  const verdict = auditVerdict({ report, trail, nowMs: useNow() });
  useTitle(`${glyphOfTone[verdict.tone]} Audit`);
  const retry = () => void refetch();
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1>Audit</h1>
        <CopyCommand command="tensorforge audit verify" />
      </div>
      <Verdict tone={verdict.tone} words={verdict.words} />
      <AuditActions report={report} range={search.range} stream={search.stream} />
      {report === null ? null : <AuditReport report={report} />}
      {trail === undefined && error === null ? <Loading what="the trail" heightPx={400} /> : null}
      {trail === undefined && error !== null ? <FailureNote error={error} onRetry={retry} /> : null}
      {trail === undefined ? null : (
        <LastGood error={error} dataAt={dataUpdatedAt} onRetry={retry}>
          <div className={isPlaceholderData ? 'stale' : undefined} aria-busy={isPlaceholderData}>
            <AuditList trail={trail} />
          </div>
        </LastGood>
      )}
    </div>
  );
}
