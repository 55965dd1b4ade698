// Is it reproducible, and what would another policy have done? Decisions of the log are made again by
// the production code; what is certain, what is estimated and what is simulated stay apart. The
// report has an address of its own, so a replay that runs is found again.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { replayQuery } from '../api/queries.ts';
import type { ReplayReportWire } from '../api/wire.ts';
import { CopyCommand } from '../components/copy.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { LastGood } from '../components/last-good.tsx';
import { Loading } from '../components/loading.tsx';
import { useTitle } from '../components/use-title.ts';
import { Verdict } from '../components/verdict.tsx';
import { glyphOfTone, replayTone } from '../status/status.ts';
import styles from './page.module.css';
import { ReplayForm } from './replay-form.tsx';
import { ReplayList } from './replay-list.tsx';
import { ReplayReport } from './replay-report.tsx';
import { replayCommand } from './replay-start.ts';

const route = getRouteApi('/app/replay');

/** The command for what is on show; a candidate is known by its digest only. */
function commandOf({ from, to, candidate }: ReplayReportWire, request: string | undefined): string {
  return replayCommand({
    ...(request === undefined ? {} : { request_id: request }),
    ...(from === null ? {} : { from }),
    ...(to === null ? {} : { to }),
    ...(candidate === null ? {} : { policy: {} }),
  });
}

function Another() {
  const { range } = route.useSearch();
  return (
    <Link to="/replay" search={{ range }}>
      Start another replay
    </Link>
  );
}

function Report({ id }: { readonly id: string }) {
  const { request } = route.useSearch();
  const { data: report, error, dataUpdatedAt, refetch } = useQuery(replayQuery(id));
  const glyph = report === undefined ? '' : glyphOfTone[replayTone(report)];
  useTitle(`${glyph} Replay`.trim());
  const retry = () => void refetch();
  if (report === undefined) {
    if (error === null) return <Loading what="the report" heightPx={320} />;
    return (
      <>
        <FailureNote error={error} onRetry={retry} />
        <Another />
      </>
    );
  }
  return (
    <LastGood error={error} dataAt={dataUpdatedAt} onRetry={retry}>
      <div className={styles.page}>
        <Verdict tone={replayTone(report)} words={report.words} />
        <div className={styles.bar}>
          <CopyCommand command={commandOf(report, request)} />
          <Another />
        </div>
        <ReplayReport report={report} />
      </div>
    </LastGood>
  );
}

function NothingYet() {
  useTitle('Replay');
  return (
    <>
      <Verdict tone="waiting" words="No replay is on show. Choose what to decide again." />
      <EmptyNote words="A replay reads the decision log and makes each decision again with the code that runs now. Without a candidate it proves that nothing differs; with one it says what would have changed." />
    </>
  );
}

export function ReplayPage() {
  const { id, dropped } = route.useSearch();
  return (
    <div className={styles.page}>
      <h1>Replay</h1>
      {dropped === undefined ? null : (
        <p role="status">{`There is no window “${dropped}”; the last day is chosen.`}</p>
      )}
      {id === undefined ? <NothingYet /> : <Report key={id} id={id} />}
      <ReplayForm />
      <ReplayList />
    </div>
  );
}
