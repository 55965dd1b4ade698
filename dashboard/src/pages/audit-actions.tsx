// Verify reads the whole trail and the decision log again; Export downloads the window on show, as
// long as the trail is whole.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { verifyAudit } from '../api/actions.ts';
import { type AuditRange, windowStart } from '../api/audit-trail.ts';
import { auditReportQuery } from '../api/queries.ts';
import { useRefusal } from '../api/use-refusal.ts';
import type { AuditReportWire } from '../api/wire.ts';
import { Button, buttonClass } from '../components/button.tsx';
import { CopyCommand } from '../components/copy.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import styles from './policy-page.module.css';

type ExportWindow = { readonly range: AuditRange; readonly stream: string | undefined };

function Export({ range, stream, broken }: ExportWindow & { readonly broken: boolean }) {
  const refusal = useRefusal('audit:export');
  const why = broken
    ? 'The trail is broken: what is exported would not be whole. Verify again once it is restored.'
    : refusal;
  if (why !== undefined) {
    return (
      <>
        <Button refusal={why}>Export…</Button>
        <span className="muted">{why}</span>
      </>
    );
  }
  // To the minute, so that the address holds still while the page is looked at.
  const from = windowStart(range, Math.floor(Date.now() / 60_000) * 60_000);
  const query = new URLSearchParams({ from, format: 'jsonl' });
  if (stream !== undefined) query.set('stream', stream);
  const ofStream = stream === undefined ? '' : ` --stream ${stream}`;
  return (
    <>
      <a className={buttonClass('plain')} href={`/api/v1/audit/export?${query}`} download>
        Export {stream ?? 'all streams'}, {range}
      </a>
      <CopyCommand command={`tensorforge audit export --from ${from}${ofStream}`} />
    </>
  );
}

export type AuditActionsProps = ExportWindow & { readonly report: AuditReportWire | null };

export function AuditActions({ report, range, stream }: AuditActionsProps) {
  const queryClient = useQueryClient();
  const refusal = useRefusal('audit:read');
  const { mutate, isPending, error } = useMutation({
    mutationFn: verifyAudit,
    onSuccess: (fresh) => queryClient.setQueryData(auditReportQuery.queryKey, fresh),
  });
  return (
    <>
      <div className={styles.actions}>
        <Button kind="primary" refusal={refusal} disabled={isPending} onClick={() => mutate()}>
          {isPending ? 'Verifying…' : 'Verify'}
        </Button>
        <Export range={range} stream={stream} broken={report?.whole === false} />
      </div>
      <p role="status" className="hidden-text">
        {isPending ? 'The trail is being verified.' : ''}
      </p>
      {error === null ? null : <FailureNote error={error} onRetry={() => mutate()} />}
    </>
  );
}
