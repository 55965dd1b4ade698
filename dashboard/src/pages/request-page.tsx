// Why this backend, why not the others, and where the time went: one decision as it was recorded.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { decisionQuery, decisionsQuery } from '../api/queries.ts';
import type { DecisionWire } from '../api/wire.ts';
import { CopyCommand } from '../components/copy.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { Loading } from '../components/loading.tsx';
import { useTitle } from '../components/use-title.ts';
import { Verdict } from '../components/verdict.tsx';
import { formatCount } from '../format/numbers.ts';
import { formatInstant, formatLatency } from '../format/time.ts';
import { glyphOfTone, outcomeMark } from '../status/status.ts';
import { AttemptsTable } from './attempts-table.tsx';
import { CandidateTables } from './candidate-tables.tsx';
import { againWords, besideFacts, logFacts, shownAttempt } from './decision-facts.ts';
import styles from './page.module.css';
import { Redecide } from './redecide.tsx';
import { askedAndServed } from './requests-table.tsx';
import { Waterfall } from './waterfall.tsx';

const route = getRouteApi('/app/requests/$id');

function headline(decision: DecisionWire): string {
  if (decision.status === 0) return `No outcome yet, or none was kept. ${decision.reason}`;
  const { words } = outcomeMark(decision);
  const from = decision.backend_id === null ? ' from no backend' : ` from ${decision.backend_id}`;
  return `${words}${from} in ${formatLatency(decision.total_ms)}. ${decision.reason}`;
}

function Facts({ decision }: { readonly decision: DecisionWire }) {
  const facts: readonly (readonly [string, string])[] = [
    ['Time', formatInstant(Date.parse(decision.at))],
    ['Request', decision.request_id],
    ['Decision', decision.decision_id],
    ['Model asked → served', askedAndServed(decision)],
    ['Path', `${decision.path}${decision.stream ? ' (stream)' : ''}`],
    ['Key, group', `${decision.key_id}, ${decision.group_name}`],
    ['Attempts', formatCount(decision.attempts)],
    ['Route', decision.route_reason ?? 'no rule applied'],
    ['Average first byte when chosen', latencies(decision)],
    ...besideFacts(decision),
    ...logFacts(decision),
  ];
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <Fact key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

/** The chosen backend's average beside the lowest one there was, as the decision read them. */
function latencies({ selected_latency_ms, minimum_latency_ms }: DecisionWire): string {
  if (selected_latency_ms === null || minimum_latency_ms === null) return 'not measured yet';
  return `${formatLatency(selected_latency_ms)}, lowest ${formatLatency(minimum_latency_ms)}`;
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

function Loaded({ decision }: { readonly decision: DecisionWire }) {
  const { attempts_detail: attempts = [], request_id: requestId } = decision;
  const again = againWords(decision);
  return (
    <>
      <Verdict tone={outcomeMark(decision).tone} words={headline(decision)} />
      {attempts.length > 1 ? (
        <AttemptsTable
          requestId={requestId}
          attempts={attempts}
          shown={shownAttempt(decision)?.attempt}
        />
      ) : null}
      <CandidateTables candidates={decision.candidates} servedBy={decision.backend_id} />
      <Waterfall decision={decision} />
      <Facts decision={decision} />
      {again === undefined ? null : <p className="wrap-anywhere">{again}</p>}
      <Redecide key={requestId} requestId={requestId} />
    </>
  );
}

export function RequestPage() {
  const { id } = route.useParams();
  const queryClient = useQueryClient();
  const {
    data: decision,
    error,
    refetch,
  } = useQuery({
    ...decisionQuery(id),
    // The list knows most of it at once, and is all there is once the server has let it go.
    initialData: () =>
      queryClient.getQueryData(decisionsQuery.queryKey)?.find((row) => row.decision_id === id),
    refetchOnMount: 'always',
  });
  const glyph = decision === undefined ? '' : glyphOfTone[outcomeMark(decision).tone];
  useTitle(`${glyph} ${decision?.request_id ?? id}`.trim(), 'Requests');
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1 className="wrap-anywhere">Request {decision?.request_id ?? id}</h1>
        <CopyCommand command={`tensorforge explain request ${id}`} />
        <Link to="/requests">All requests</Link>
      </div>
      {error === null ? null : <FailureNote error={error} onRetry={() => void refetch()} />}
      {decision === undefined && error === null ? (
        <Loading what="this decision" heightPx={320} />
      ) : null}
      {decision === undefined ? null : <Loaded decision={decision} />}
    </div>
  );
}
