// A list in pages, as the cloud providers give theirs: asked for until there is no next page, within
// the one deadline of the probe. A page that cannot be read makes the whole list unreadable, since a
// model that stands on it would otherwise be taken for withdrawn.

import { modelsMax } from './json-shape.ts';
import { type ProbeContext, type ProbeResult, successOf, unreadable } from './probe-result.ts';

const pagesMax = 20;

export type Page = {
  readonly entries: readonly unknown[];
  /** Path of the next page; undefined after the last one. */
  readonly next: string | undefined;
};

type PagedReading =
  | { readonly kind: 'list'; readonly entries: readonly unknown[]; readonly latencyMs: number }
  | { readonly kind: 'other'; readonly result: ProbeResult };

/** `readPage` answers undefined for what is no page. The latency is that of the first page. */
export async function readPages(
  { session, headers }: ProbeContext,
  firstPath: string,
  readPage: (json: unknown) => Page | undefined,
): Promise<PagedReading> {
  const entries: unknown[] = [];
  const asked = new Set<string>();
  let latencyMs: number | undefined;
  let path: string | undefined = firstPath;
  // A page that points back at an earlier one ends the list, as its models are known already.
  while (path !== undefined && !asked.has(path)) {
    asked.add(path);
    const success = successOf(await session.get(path, headers));
    if ('result' in success) return { kind: 'other', result: success.result };
    latencyMs ??= success.reply.latencyMs;
    const page = readPage(success.reply.json);
    if (page === undefined) return { kind: 'other', result: unreadable(latencyMs) };
    entries.push(...page.entries.slice(0, modelsMax));
    const isFull = entries.length >= modelsMax || asked.size >= pagesMax;
    path = isFull ? undefined : page.next;
  }
  return { kind: 'list', entries, latencyMs: latencyMs ?? 0 };
}
