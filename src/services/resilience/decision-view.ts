// A request of the log on the wire: the reasons are not stored but made again from what was read, so
// they are those of the decision itself, and a record that no longer gives its outcome says so.

import { instant, toRfc3339 } from '../../base/time.ts';
import type { AdmissionRecord, RoutingRecord } from '../../core/decisions/decision-record.ts';
import { type AdmissionLimit, judgeAdmission } from '../../core/policy/admission.ts';
import { candidateViews } from '../../core/replay/candidate-view.ts';
import type { Decision } from '../../core/routing/decide.ts';
import type { RoutingSnapshot } from '../../core/routing/snapshot.ts';
import type { DecisionWire } from '../../protocol/control/schemas.ts';
import type { Redeciders } from './redeciders.ts';
import { factsOf } from './request-facts.ts';
import type { Placed, RequestStory } from './request-story.ts';

type AttemptWire = NonNullable<DecisionWire['attempts_detail']>[number];

export type ViewPorts = {
  readonly redeciders: Redeciders;
  snapshotOf(digest: string): RoutingSnapshot | undefined;
};

function timeOf(ms: number): string {
  return toRfc3339(instant(ms));
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

type AttemptView = {
  /** Unix ms. */
  readonly at: number;
  readonly wire: AttemptWire;
  readonly decision: Decision | undefined;
};

function attemptView(attempt: Placed<RoutingRecord>, ports: ViewPorts): AttemptView {
  const { record, behaviour } = attempt;
  const snapshot = ports.snapshotOf(record.snapshotDigest);
  const redecider = ports.redeciders(behaviour);
  const decision = redecider.ok ? redecider.value.explain(record) : undefined;
  const chosen = decision?.kind === 'route' ? decision.target.id : undefined;
  const considered = decision?.considered ?? [];
  const ids = considered.map((item) => item.target.id);
  const outcome = record.outcome;
  const wire = {
    attempt: record.attempt,
    at: timeOf(record.at),
    backend_id: outcome.kind === 'route' ? (ids[outcome.chosen] ?? null) : null,
    reason: reasonWords(decision),
    route_reason: outcome.kind === 'route' ? outcome.routeReason : null,
    code: outcome.kind === 'refuse' ? outcome.code : null,
    mode: record.mode,
    strategy: snapshot?.settings.strategy ?? null,
    snapshot: record.snapshotDigest,
    seed: record.seed,
    cursor: record.cursor,
    tried: record.tried.map((index) => ids[index] ?? `candidate ${index}`),
    candidates: [...candidateViews(considered, chosen, snapshot?.settings)],
  };
  return { at: record.at, wire, decision };
}

function reasonWords(decision: Decision | undefined): string {
  if (decision === undefined) return 'its snapshot is not there, so its reasons cannot be told';
  return decision.kind === 'route' ? decision.reason : decision.refusal.message;
}

const verdictWords = {
  admitted: 'came in',
  key_limit: 'the key had as many requests in flight as it may',
  mode: 'the serving mode admits more urgent classes only',
  shed: 'the installation had as many requests in flight as it takes',
} as const;

function admissionView(record: AdmissionRecord): NonNullable<DecisionWire['admission']> {
  const { reading, priorityClass } = record;
  const verdict = judgeAdmission(priorityClass, reading);
  const { limit } = reading;
  const load = `${reading.inFlight} of ${reading.inFlightMax} in flight`;
  const why = limit === undefined ? verdictWords[verdict] : limitWords(limit);
  return {
    verdict,
    words: `${why}: class ${priorityClass}, mode ${reading.mode}, ${load}`,
    priority_class: priorityClass,
    mode: reading.mode,
    in_flight: reading.inFlight,
    in_flight_max: reading.inFlightMax,
    key_in_flight: reading.keyInFlight,
    key_in_flight_max: reading.keyInFlightMax,
    ...(limit === undefined ? {} : { limit: limitView(limit) }),
  };
}

function limitWords({ scope, kind, bound, left, retryMs }: AdmissionLimit): string {
  const per = kind === 'concurrency' ? 'requests at once' : `${kind} a minute`;
  return `the ${scope} may have ${bound} ${per}, ${left} were left, ${retryMs} ms until the next`;
}

function limitView({ retryMs, ...limit }: AdmissionLimit) {
  return { ...limit, retry_ms: retryMs };
}

type Again = Pick<DecisionWire, 'again' | 'again_words'>;

/** What making all decisions of the request again came to; the first difference decides. */
function againOf(story: RequestStory, { redeciders }: ViewPorts): Again {
  const all = [story.admission, ...story.queued, ...story.attempts].filter(
    (item) => item !== undefined,
  );
  let missing: string | undefined;
  for (const { record, behaviour } of all) {
    const redecider = redeciders(behaviour);
    if (!redecider.ok) return { again: null, again_words: redecider.error.message };
    const redecision = redecider.value.redecide(record);
    if (redecision.kind === 'differs') {
      const { member, recorded, again } = redecision;
      return { again: 'differs', again_words: `${member} was ${recorded}, now ${again}` };
    }
    if (redecision.kind === 'undecidable') missing ??= redecision.reason;
  }
  if (all.length === 0) return { again: null, again_words: 'no decision of it is in the log' };
  if (missing !== undefined) return { again: null, again_words: missing.replaceAll('_', ' ') };
  return { again: 'same', again_words: null };
}

/** What the choice was between: the average of the chosen backend and the lowest there was, ms. */
function latenciesOf(decision: Decision | undefined) {
  const measured = (decision?.considered ?? []).filter(
    ({ stage, reading }) => stage === undefined && reading.latencyMs > 0,
  );
  const chosen =
    decision?.kind === 'route'
      ? measured.find(({ target }) => target.id === decision.target.id)
      : undefined;
  const lowest = Math.min(...measured.map(({ reading }) => reading.latencyMs));
  return {
    selected_latency_ms: chosen?.reading.latencyMs ?? null,
    minimum_latency_ms: measured.length === 0 ? null : lowest,
  };
}

function outcomeOf(story: RequestStory) {
  const settled = story.settled?.record;
  const { admission } = story;
  if (settled === undefined) {
    // It runs, or its outcome was dropped.
    const code = admission?.record.code ?? null;
    return { status: 0, code, first_byte_ms: null, total_ms: 0, overhead_ms: 0, stream: false };
  }
  return {
    status: settled.status,
    code: settled.code ?? null,
    first_byte_ms: settled.firstByteMs === undefined ? null : rounded(settled.firstByteMs),
    total_ms: rounded(settled.totalMs),
    overhead_ms: rounded(settled.overheadMs),
    stream: settled.stream,
    prompt_tokens: settled.promptTokens,
    completion_tokens: settled.completionTokens,
  };
}

/** Words for a request that never came to a choice. */
function withoutAttempt(story: RequestStory): string {
  const code = story.settled?.record.code ?? story.admission?.record.code;
  return code === undefined ? 'no decision about a backend is in the log' : `refused: ${code}`;
}

/** The request; `attempt` chooses which one's candidates stand at the top, else the last. */
export function decisionView(
  story: RequestStory,
  ports: ViewPorts,
  attempt?: number,
): DecisionWire {
  const views = story.attempts.map((item) => attemptView(item, ports));
  // A model that stands in is asked under the number of the attempt that found nobody.
  const shown = views.findLast(({ wire }) => wire.attempt === attempt) ?? views.at(-1);
  const first = story.attempts[0]?.record;
  const place = story.attempts.findLast(({ record }) => record.attempt === shown?.wire.attempt);
  const at = story.settled?.record.at ?? shown?.at ?? story.admission?.record.at ?? 0;
  const attempts = story.settled?.record.attempts ?? views.length;
  const located = place ?? story.admission ?? story.settled;
  const asked = shown?.wire.backend_id ?? null;
  const last = story.settled?.record.backendId ?? asked;
  return {
    decision_id: `${story.requestId}.${attempt ?? attempts}`,
    request_id: story.requestId,
    at: timeOf(at),
    path: story.admission?.record.path ?? '',
    key_id: story.admission?.record.keyId ?? '',
    group_name: story.admission?.record.groupName ?? '',
    model: first?.features.model ?? '',
    served_model: asked === null ? null : (place?.record.features.resolvedModel ?? null),
    backend_id: attempt === undefined ? last : asked,
    reason: shown?.wire.reason ?? withoutAttempt(story),
    route_reason: shown?.wire.route_reason ?? null,
    attempts,
    ...outcomeOf(story),
    ...latenciesOf(shown?.decision),
    candidates: shown?.wire.candidates ?? [],
    admission: story.admission === undefined ? null : admissionView(story.admission.record),
    attempts_detail: views.map(({ wire }) => wire),
    ...factsOf(story),
    record:
      located === undefined
        ? null
        : { segment: located.segment, offset: located.offset, sequence: located.sequence },
    behaviour: located?.behaviour ?? null,
    ...againOf(story, ports),
  };
}
