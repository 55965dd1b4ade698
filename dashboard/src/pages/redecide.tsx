// “Re-decide”: the decisions of one request made again from the log, now, by the server.

import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { startReplay } from '../api/actions.ts';
import { replayQuery } from '../api/queries.ts';
import { useRefusal } from '../api/use-refusal.ts';
import { Button } from '../components/button.tsx';
import { CopyCommand } from '../components/copy.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { replayTone } from '../status/status.ts';
import styles from './policy-page.module.css';
import { ReplayDivergence } from './replay-divergence.tsx';

function Outcome({ id, requestId }: { readonly id: string; readonly requestId: string }) {
  const { data: report, error, refetch } = useQuery(replayQuery(id));
  if (error !== null) return <FailureNote error={error} onRetry={() => void refetch()} />;
  if (report === undefined) return <p role="status">The report is awaited.</p>;
  const same = report.state === 'done' && report.divergences === 0 && report.decisions > 0;
  return (
    <>
      <p role="status" data-testid="redecided">
        <StatusMark
          tone={replayTone(report)}
          words={same ? `Same: ${report.words}` : report.words}
        />{' '}
        <Link to="/replay" search={{ range: '24h', id, request: requestId }}>
          Report
        </Link>
      </p>
      {report.first_divergence === null ? null : (
        <ReplayDivergence divergence={report.first_divergence} count={report.divergences} />
      )}
    </>
  );
}

export function Redecide({ requestId }: { readonly requestId: string }) {
  const refusal = useRefusal('replay:run');
  const {
    mutate,
    data: id,
    isPending,
    error,
  } = useMutation({
    mutationFn: () => startReplay({ request_id: requestId }),
  });
  return (
    <>
      <div className={styles.actions}>
        <Button refusal={refusal} disabled={isPending} onClick={() => mutate()}>
          Re-decide
        </Button>
        <Link to="/replay" search={{ range: '24h', request: requestId }}>
          Re-decide with a candidate…
        </Link>
        <CopyCommand command={`tensorforge replay --id ${requestId}`} />
      </div>
      {error === null ? null : <FailureNote error={error} onRetry={() => mutate()} />}
      {id === undefined ? null : <Outcome key={id} id={id} requestId={requestId} />}
    </>
  );
}
