// What an answer must look like before a page may trust its type. The server's schemas are the
// truth and are tested there; these checks only tell apart “another version answered” from a page
// that breaks somewhere deep inside, so they look at the members whose absence would do that.

import type {
  AuditEventsWire,
  AuditReportWire,
  BackendExplainWire,
  BackendListWire,
  BackendViewWire,
  BatchesWire,
  DecisionListWire,
  DecisionWire,
  KeyCreatedWire,
  KeyListWire,
  LimitWire,
  LiveUpdate,
  MeWire,
  OperationListWire,
  OverviewWire,
  PolicyHistoryWire,
  PolicyViewWire,
  RecommendationListWire,
  ReplayListWire,
  ReplayReportWire,
  UsageWire,
} from './wire.ts';

type Fields = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function everyHas(value: unknown, member: string): boolean {
  return (
    Array.isArray(value) &&
    value.every((item: unknown) => isRecord(item) && typeof item[member] === 'string')
  );
}

export function isMe(value: unknown): value is MeWire {
  return (
    isRecord(value) && typeof value['principal'] === 'string' && Array.isArray(value['permissions'])
  );
}

export function isOverview(value: unknown): value is OverviewWire {
  return (
    isRecord(value) &&
    typeof value['verdict'] === 'string' &&
    Array.isArray(value['attention']) &&
    Array.isArray(value['series']) &&
    isRecord(value['requests']) &&
    isRecord(value['backends'])
  );
}

function isBackendView(value: unknown): value is BackendViewWire {
  return (
    isRecord(value) &&
    typeof value['id'] === 'string' &&
    typeof value['status'] === 'string' &&
    Array.isArray(value['models']) &&
    Array.isArray(value['closed_models'])
  );
}

export function isBackendList(value: unknown): value is BackendListWire {
  return (
    isRecord(value) &&
    typeof value['summary'] === 'string' &&
    Array.isArray(value['backends']) &&
    value['backends'].every(isBackendView)
  );
}

export function isBackendExplain(value: unknown): value is BackendExplainWire {
  return (
    isRecord(value) &&
    isBackendView(value['backend']) &&
    typeof value['verdict'] === 'string' &&
    everyHas(value['gates'], 'name') &&
    everyHas(value['probes'], 'at') &&
    everyHas(value['history'], 'from') &&
    everyHas(value['models'], 'id')
  );
}

export function isOperationList(value: unknown): value is OperationListWire {
  return isRecord(value) && everyHas(value['operations'], 'operation_id');
}

/** What an operation on a model is answered with at once. */
export function isAccepted(value: unknown): value is { readonly status: string } {
  return isRecord(value) && typeof value['status'] === 'string';
}

export function isRecommendationList(value: unknown): value is RecommendationListWire {
  return (
    isRecord(value) &&
    typeof value['fleet_enabled'] === 'boolean' &&
    everyHas(value['recommendations'], 'model_id')
  );
}

export function isDecision(value: unknown): value is DecisionWire {
  return (
    isRecord(value) &&
    typeof value['decision_id'] === 'string' &&
    typeof value['at'] === 'string' &&
    Array.isArray(value['candidates'])
  );
}

export function isDecisionList(value: unknown): value is DecisionListWire {
  return (
    isRecord(value) && Array.isArray(value['decisions']) && value['decisions'].every(isDecision)
  );
}

export function isKeyList(value: unknown): value is KeyListWire {
  return isRecord(value) && everyHas(value['keys'], 'id');
}

export function isKeyCreated(value: unknown): value is KeyCreatedWire {
  return isRecord(value) && typeof value['secret'] === 'string' && typeof value['id'] === 'string';
}

export function isPolicyView(value: unknown): value is PolicyViewWire {
  return (
    isRecord(value) &&
    typeof value['verdict'] === 'string' &&
    typeof value['mode'] === 'string' &&
    isRecord(value['up']) &&
    isRecord(value['down']) &&
    isRecord(value['slo']) &&
    everyHas(value['burn'], 'name') &&
    everyHas(value['effects'], 'mode')
  );
}

export function isPolicyHistory(value: unknown): value is PolicyHistoryWire {
  return isRecord(value) && everyHas(value['moves'], 'kind') && Array.isArray(value['burn']);
}

export function isAuditEvents(value: unknown): value is AuditEventsWire {
  return (
    isRecord(value) && everyHas(value['events'], 'occurred_at') && everyHas(value['events'], 'hash')
  );
}

export function isAuditReport(value: unknown): value is AuditReportWire {
  return (
    isRecord(value) &&
    typeof value['words'] === 'string' &&
    typeof value['whole'] === 'boolean' &&
    everyHas(value['streams'], 'stream') &&
    everyHas(value['faults'], 'reason')
  );
}

/** What starting a replay must say for its report to be found. */
export function isReplayStarted(value: unknown): value is { readonly id: string } {
  return isRecord(value) && typeof value['id'] === 'string';
}

export function isReplayReport(value: unknown): value is ReplayReportWire {
  return (
    isRecord(value) &&
    typeof value['id'] === 'string' &&
    typeof value['words'] === 'string' &&
    typeof value['state'] === 'string' &&
    isRecord(value['by_kind']) &&
    isRecord(value['skipped']) &&
    everyHas(value['faults'], 'reason') &&
    (value['candidate'] === null || isRecord(value['candidate']))
  );
}

export function isReplayList(value: unknown): value is ReplayListWire {
  return (
    isRecord(value) && Array.isArray(value['replays']) && value['replays'].every(isReplayReport)
  );
}

export function isUsage(value: unknown): value is UsageWire {
  return (
    isRecord(value) &&
    Array.isArray(value['usage']) &&
    value['usage'].every(isRecord) &&
    isRecord(value['total']) &&
    isRecord(value['prices']) &&
    (value['budget'] === null || isRecord(value['budget']))
  );
}

export function isLimitList(value: unknown): value is { readonly limits: readonly LimitWire[] } {
  return (
    isRecord(value) &&
    Array.isArray(value['limits']) &&
    value['limits'].every((limit) => isRecord(limit) && isRecord(limit['left']))
  );
}

export function isBatchList(value: unknown): value is BatchesWire {
  return (
    isRecord(value) &&
    isRecord(value['lane']) &&
    Array.isArray(value['batches']) &&
    value['batches'].every((batch) => isRecord(batch) && isRecord(batch['request_counts']))
  );
}

/** For calls whose answer nobody reads. */
export function isAnything(_value: unknown): _value is unknown {
  return true;
}

export function isLiveUpdate(value: unknown): value is LiveUpdate {
  if (!isRecord(value)) return false;
  const data = value['data'];
  switch (value['update_type']) {
    case 'Overview':
      return isOverview(data);
    case 'BackendStatus':
      return isBackendList(data);
    case 'RequestComplete':
      return isDecisionList(data);
    case 'Resync':
      return true;
    default:
      return false;
  }
}

/** The update in a text of the live socket; undefined for what this build does not know. */
export function parseLiveUpdate(text: string): LiveUpdate | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isLiveUpdate(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
