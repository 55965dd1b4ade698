// The URL is the state of a page. A parameter that is not understood is dropped and named, so that
// a link from elsewhere never breaks a page and never silently shows something else.

import { type AuditFilter, auditRanges } from '../api/audit-trail.ts';
import { type UsageRange, usageRanges } from '../api/usage-window.ts';

type Raw = Readonly<Record<string, unknown>>;

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The choice in `value`, or the fact that there is no such choice. */
function choiceOf<Choice extends string>(
  value: unknown,
  choices: readonly Choice[],
): { readonly choice?: Choice; readonly dropped?: string } {
  const text = textOf(value);
  if (text === undefined) return {};
  const choice = choices.find((one) => one === text);
  return choice === undefined ? { dropped: text } : { choice };
}

/** `!ok` is every backend that takes no new requests. */
export const fleetFilters = ['!ok', 'draining', 'cloud', 'simulated'] as const;
export type FleetFilter = (typeof fleetFilters)[number];

export type FleetSearch = {
  readonly state?: FleetFilter | undefined;
  /** Words of the filter box (`fleet-filter.ts`). */
  readonly text?: string | undefined;
  /** The matrix of models and backends instead of the list. */
  readonly view?: 'models' | undefined;
  /** Id of the backend in the side pane. */
  readonly peek?: string | undefined;
  /** A value of `state` that is not known; kept in the address so that a reload says it again. */
  readonly dropped?: string | undefined;
};

// Every member is set, if only to undefined: the router lays the result over the raw parameters, and
// a member that is left out would let the raw one through.

export function parseFleetSearch(raw: Raw): FleetSearch {
  const { choice, dropped } = choiceOf(raw['state'], fleetFilters);
  const view = choiceOf(raw['view'], ['models']);
  return {
    state: choice,
    text: textOf(raw['text']),
    view: view.choice,
    peek: textOf(raw['peek']),
    dropped: dropped ?? view.dropped ?? textOf(raw['dropped']),
  };
}

export const requestFilters = ['failed'] as const;

export type RequestsSearch = {
  readonly show?: (typeof requestFilters)[number] | undefined;
  /** Only the requests that went to the backend with this id. */
  readonly backend?: string | undefined;
  readonly dropped?: string | undefined;
};

export function parseRequestsSearch(raw: Raw): RequestsSearch {
  const { choice, dropped } = choiceOf(raw['show'], requestFilters);
  return {
    show: choice,
    backend: textOf(raw['backend']),
    dropped: dropped ?? textOf(raw['dropped']),
  };
}

export type AuditSearch = AuditFilter & {
  /** `stream/sequence` of the event in the side pane. */
  readonly peek?: string | undefined;
  readonly dropped?: string | undefined;
};

export function parseAuditSearch(raw: Raw): AuditSearch {
  const { choice, dropped } = choiceOf(raw['range'], auditRanges);
  return {
    range: choice ?? '24h',
    stream: textOf(raw['stream']),
    kind: textOf(raw['kind']),
    peek: textOf(raw['peek']),
    dropped: dropped ?? textOf(raw['dropped']),
  };
}

export const replayRanges = ['1h', '24h', '7d', 'all'] as const;
export type ReplayRange = (typeof replayRanges)[number];

export type ReplaySearch = {
  readonly range: ReplayRange;
  /** Only the decisions of this request. */
  readonly request?: string | undefined;
  /** The report on show. */
  readonly id?: string | undefined;
  readonly dropped?: string | undefined;
};

export function parseReplaySearch(raw: Raw): ReplaySearch {
  const { choice, dropped } = choiceOf(raw['range'], replayRanges);
  return {
    range: choice ?? '24h',
    request: textOf(raw['request']),
    id: textOf(raw['id']),
    dropped: dropped ?? textOf(raw['dropped']),
  };
}

export const usageDimensions = ['model', 'key', 'group', 'backend'] as const;
export type UsageDimension = (typeof usageDimensions)[number];

export type UsageSearch = {
  readonly range: UsageRange;
  /** What a row of the table is. */
  readonly by: UsageDimension;
  readonly dropped?: string | undefined;
};

export function parseUsageSearch(raw: Raw): UsageSearch {
  const range = choiceOf(raw['range'], usageRanges);
  const by = choiceOf(raw['by'], usageDimensions);
  return {
    range: range.choice ?? 'month',
    by: by.choice ?? 'model',
    dropped: range.dropped ?? by.dropped ?? textOf(raw['dropped']),
  };
}

export type LoginSearch = { readonly next?: string | undefined };

/** A path of this site only: `//host` and `/\host` would lead a signed-in person elsewhere. */
export function parseLoginSearch(raw: Raw): LoginSearch {
  const next = textOf(raw['next']);
  const isPath = next !== undefined && /^\/(?![/\\])[^\\\u0000-\u001f]*$/.test(next);
  return { next: isPath && !next.startsWith('/login') ? next : undefined };
}
