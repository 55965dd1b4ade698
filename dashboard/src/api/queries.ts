// What the pages read, by cache key. Live messages patch the entries of the fleet and its traffic
// (`live-session.ts`), so those do not poll: a page that opens reads the cache and refetches only when
// it has nothing. Mode, audit trail and replays change seldom and are asked for while they are on show.

import { queryOptions } from '@tanstack/react-query';
import { joinSnapshot } from '../live/patches.ts';
import {
  type AuditFilter,
  auditPageSize,
  readTrail,
  type Trail,
  windowStart,
} from './audit-trail.ts';
import { readFleet } from './backend-pages.ts';
import { callApi } from './client.ts';
import {
  isAuditEvents,
  isBackendExplain,
  isBackendList,
  isBatchList,
  isDecision,
  isDecisionList,
  isKeyList,
  isLimitList,
  isMe,
  isOperationList,
  isOverview,
  isPolicyHistory,
  isPolicyView,
  isRecommendationList,
  isReplayList,
  isReplayReport,
  isUsage,
} from './shapes.ts';
import { type UsageRange, usageFrom } from './usage-window.ts';
import type { AuditReportWire, DecisionWire } from './wire.ts';

/** As many recent decisions as the page asks for at its start. */
export const decisionsAtStart = 200;

/** As many backends as one answer holds. */
const backendPageSize = 100;

const base = '/api/v1';
const decisionsKey = ['decisions'];

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => callApi(`${base}/me`, isMe, { signal }),
  staleTime: Number.POSITIVE_INFINITY,
});

export const overviewQuery = queryOptions({
  queryKey: ['overview'],
  queryFn: ({ signal }) => callApi(`${base}/overview`, isOverview, { signal }),
  staleTime: 2000,
});

export const backendsQuery = queryOptions({
  queryKey: ['backends'],
  queryFn: ({ signal }) =>
    readFleet((offset) =>
      callApi(`${base}/backends?limit=${backendPageSize}&offset=${offset}`, isBackendList, {
        signal,
      }),
    ),
  staleTime: 2000,
});

const explainEveryMs = 1000;

/** Why one backend takes requests or not, with its history; asked for while it is on show. */
export function backendExplainQuery(id: string) {
  return queryOptions({
    queryKey: ['backend-explain', id],
    queryFn: ({ signal }) =>
      callApi(`${base}/backends/${encodeURIComponent(id)}/explain`, isBackendExplain, { signal }),
    refetchInterval: explainEveryMs,
  });
}

const operationsEveryMs = 2000;

/** The last operations on the models of one backend, newest first. */
export function operationsQuery(backendId: string) {
  return queryOptions({
    queryKey: ['operations', backendId],
    queryFn: ({ signal }) => {
      const query = new URLSearchParams({ backend: backendId, limit: '20' });
      return callApi(`${base}/operations?${query}`, isOperationList, { signal });
    },
    refetchInterval: operationsEveryMs,
  });
}

/** Analysed once an hour by default. */
const recommendationsEveryMs = 60_000;

export const recommendationsQuery = queryOptions({
  queryKey: ['fleet-recommendations'],
  queryFn: ({ signal }) => callApi(`${base}/recommendations`, isRecommendationList, { signal }),
  refetchInterval: recommendationsEveryMs,
  staleTime: recommendationsEveryMs,
});

export const decisionsQuery = queryOptions({
  queryKey: decisionsKey,
  queryFn: async ({ client, signal }): Promise<readonly DecisionWire[]> => {
    const path = `${base}/decisions?limit=${decisionsAtStart}`;
    const now = () => client.getQueryData<readonly DecisionWire[]>(decisionsKey) ?? [];
    const before = now();
    const { decisions: fetched } = await callApi(path, isDecisionList, { signal });
    return joinSnapshot({ before, held: now(), fetched });
  },
  staleTime: 2000,
});

const decisionEveryMs = 1000;

export function decisionQuery(id: string) {
  return queryOptions({
    queryKey: ['decision', id],
    queryFn: ({ signal }) =>
      callApi(`${base}/decisions/${encodeURIComponent(id)}`, isDecision, { signal }),
    // A record is fixed once its request has ended.
    refetchInterval: ({ state }) => (state.data?.status === 0 ? decisionEveryMs : false),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: ({ signal }) => callApi(`${base}/keys`, isKeyList, { signal }),
  staleTime: 10_000,
});

/** The ladder is evaluated once in ten seconds. */
const policyEveryMs = 5000;

export const policyQuery = queryOptions({
  queryKey: ['policy'],
  queryFn: ({ signal }) => callApi(`${base}/policy`, isPolicyView, { signal }),
  refetchInterval: policyEveryMs,
});

export const policyHistoryQuery = queryOptions({
  queryKey: ['policy', 'history'],
  queryFn: ({ signal }) => callApi(`${base}/policy/history?limit=100`, isPolicyHistory, { signal }),
  refetchInterval: 6 * policyEveryMs,
});

const auditEveryMs = 5000;

export function auditTrailQuery({ range, stream, kind }: AuditFilter) {
  const queryKey = ['audit', range, stream ?? null, kind ?? null];
  return queryOptions({
    queryKey,
    queryFn: ({ client, signal }): Promise<Trail> =>
      readTrail({
        start: windowStart(range, Date.now()),
        held: client.getQueryData<Trail>(queryKey),
        page: (from) => {
          const query = new URLSearchParams({ from, limit: String(auditPageSize), newest: 'true' });
          if (stream !== undefined) query.set('stream', stream);
          if (kind !== undefined) query.set('kind', kind);
          return callApi(`${base}/audit/events?${query}`, isAuditEvents, { signal });
        },
      }),
    refetchInterval: auditEveryMs,
  });
}

/** The newest report of a verification that was asked for here; nobody fetches it by itself. */
export const auditReportQuery = queryOptions({
  queryKey: ['audit-report'],
  queryFn: (): AuditReportWire | null => null,
  initialData: null,
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
});

/** Written every few seconds; a page of money need not run after each request. */
const usageEveryMs = 60_000;
const usageRowsMax = 1000;

/** `by`: hour, day, model, key, group or backend. */
export function usageQuery(range: UsageRange, by: string) {
  return queryOptions({
    queryKey: ['usage', range, by],
    queryFn: ({ signal }) => {
      const from = usageFrom(range, Date.now());
      const query = new URLSearchParams({ by, from, limit: String(usageRowsMax) });
      return callApi(`${base}/usage?${query}`, isUsage, { signal });
    },
    refetchInterval: usageEveryMs,
    staleTime: 10_000,
  });
}

/** Limits are a window of a minute: the page looks more often than for usage. */
const limitsEveryMs = 10_000;

export const limitsQuery = queryOptions({
  queryKey: ['limits'],
  queryFn: ({ signal }) => callApi(`${base}/limits`, isLimitList, { signal }),
  refetchInterval: limitsEveryMs,
  staleTime: limitsEveryMs,
});

const batchesEveryMs = 5000;
const batchesMax = 50;

export const batchesQuery = queryOptions({
  queryKey: ['batches'],
  queryFn: ({ signal }) => callApi(`${base}/batches?limit=${batchesMax}`, isBatchList, { signal }),
  refetchInterval: batchesEveryMs,
  staleTime: batchesEveryMs,
});

const replayEveryMs = 1000;

export function replayQuery(id: string) {
  return queryOptions({
    queryKey: ['replays', id],
    queryFn: ({ signal }) =>
      callApi(`${base}/replays/${encodeURIComponent(id)}`, isReplayReport, { signal }),
    refetchInterval: ({ state }) => (state.data?.state === 'running' ? replayEveryMs : false),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The replays that the server still knows, the newest first. */
export const replaysQuery = queryOptions({
  queryKey: ['replays'],
  queryFn: ({ signal }) => callApi(`${base}/replays`, isReplayList, { signal }),
  refetchInterval: ({ state }) =>
    state.data?.replays.some((replay) => replay.state === 'running') ? replayEveryMs : false,
});
