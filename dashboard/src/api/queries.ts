// What the pages read, by cache key. Live messages patch these same entries (`live-session.ts`), so
// nothing here polls: a page that opens reads the cache and refetches only when it has nothing.

import { queryOptions } from '@tanstack/react-query';
import { joinSnapshot } from '../live/patches.ts';
import { callApi } from './client.ts';
import {
  isBackendList,
  isDecision,
  isDecisionList,
  isKeyList,
  isMe,
  isOverview,
} from './shapes.ts';
import type { DecisionWire } from './wire.ts';

/** As many recent decisions as the page asks for at its start. */
export const decisionsAtStart = 200;

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
  queryFn: ({ signal }) => callApi(`${base}/backends`, isBackendList, { signal }),
  staleTime: 2000,
});

export const decisionsQuery = queryOptions({
  queryKey: decisionsKey,
  queryFn: async ({ client, signal }): Promise<readonly DecisionWire[]> => {
    const path = `${base}/decisions?limit=${decisionsAtStart}`;
    const list = await callApi(path, isDecisionList, { signal });
    const held = client.getQueryData<readonly DecisionWire[]>(decisionsKey);
    return joinSnapshot(held ?? [], list.decisions);
  },
  staleTime: 2000,
});

export function decisionQuery(id: string) {
  return queryOptions({
    queryKey: ['decision', id],
    queryFn: ({ signal }) =>
      callApi(`${base}/decisions/${encodeURIComponent(id)}`, isDecision, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: ({ signal }) => callApi(`${base}/keys`, isKeyList, { signal }),
  staleTime: 10_000,
});
