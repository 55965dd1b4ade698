// The whole fleet from a server that answers with a hundred backends at a time. Between two answers
// backends may come and go, so each id is kept once, and the newest answer has the count and the words.

import type { BackendListWire } from './wire.ts';

/** One answer of the server: the backends from `offset` on. */
export type BackendPage = (offset: number) => Promise<BackendListWire>;

/** Asks until every backend is there, or the server has no more. Rejects with what `page` rejects with. */
export async function readFleet(page: BackendPage): Promise<BackendListWire> {
  let list = await page(0);
  while (list.backends.length < list.count) {
    const next = await page(list.backends.length);
    const known = new Set(list.backends.map(({ id }) => id));
    const fresh = next.backends.filter(({ id }) => !known.has(id));
    if (fresh.length === 0) return list;
    list = { ...next, backends: [...list.backends, ...fresh] };
  }
  return list;
}
