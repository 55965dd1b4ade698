// The lists that live messages patch, in the query cache: how patches get in, and how all of them are
// read again, so that no request that ended is ever missing from a list that a page shows.
//
// I1  While a list is read for the first time there is nothing to patch, and its answer may be older
//     than a row that comes meanwhile: such rows wait for the answer and are merged into it.
// I2  Reading again reads after the call: a first read that is under way may have been answered
//     before, and an invalidation would only join it, so another one follows it.
// I3  A list with a gap is on no page and not in the cache: patches would make it look fresh.

import type { QueryClient } from '@tanstack/react-query';
import { backendsQuery, decisionsQuery, overviewQuery } from '../api/queries.ts';
import { mergeDecisions, noPatches, type Patches } from './patches.ts';

const lists = [overviewQuery, backendsQuery, decisionsQuery];

type Key = (typeof lists)[number]['queryKey'];

function isFirstRead(queryClient: QueryClient, queryKey: Key): boolean {
  const state = queryClient.getQueryState(queryKey);
  return state?.data === undefined && state?.fetchStatus === 'fetching';
}

/** Puts the patches into the cache; what is left waits for the next time (I1). */
export function applyPatches(queryClient: QueryClient, patches: Patches): Patches {
  if (patches.overview !== undefined) {
    queryClient.setQueryData(overviewQuery.queryKey, patches.overview);
  }
  if (patches.backends !== undefined) {
    queryClient.setQueryData(backendsQuery.queryKey, patches.backends);
  }
  const { decisions } = patches;
  if (isFirstRead(queryClient, decisionsQuery.queryKey)) return { ...noPatches, decisions };
  // Without a list and without anybody reading it, the next one to read it finds these rows.
  queryClient.setQueryData(decisionsQuery.queryKey, (held) =>
    held === undefined ? undefined : mergeDecisions(held, decisions),
  );
  return noPatches;
}

async function readAgain(queryClient: QueryClient, queryKey: Key): Promise<void> {
  const joins = isFirstRead(queryClient, queryKey);
  queryClient.removeQueries({ queryKey, exact: true, type: 'inactive' });
  // A failure is shown by the page that holds the query.
  await queryClient.invalidateQueries({ queryKey, exact: true });
  if (joins) await queryClient.invalidateQueries({ queryKey, exact: true });
}

/** Resolves when each list that is on show has been read after this call, or could not be (I2, I3). */
export async function readListsAgain(queryClient: QueryClient): Promise<void> {
  await Promise.all(lists.map(({ queryKey }) => readAgain(queryClient, queryKey)));
}

/** When one of the lists last got data, ms since the epoch; undefined before the first. */
export function listsUpdatedAt(queryClient: QueryClient): number | undefined {
  const times = lists.map(({ queryKey }) => queryClient.getQueryState(queryKey)?.dataUpdatedAt);
  const newest = Math.max(0, ...times.map((at) => at ?? 0));
  return newest === 0 ? undefined : newest;
}
