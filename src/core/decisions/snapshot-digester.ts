// The name and the documents of one snapshot after another, where each differs little from the one
// before. A fleet of 1000 backends with 10 models each is 1.2 MB of text; it is cut into pages, so that
// a change of one backend costs one page and the root, and a change of its standing the root alone.
// The text of a target is kept for as long as the target lives, that of its models for as long as the
// list, which outlives a change of status.
//
//   root ─┬─ settings, status reasons, closures     3 KB, what changes by the minute
//         ├─ page 0: targets whose id hashes to 0   40 KB, what an operator changes
//         └─ page 1: ...
//
// Where a target goes is the writer's business; a reader takes the pages as they are.

import { canonicalJson, type Json } from '../../base/canonical.ts';
import { compareText } from '../../base/compare.ts';
import type { DigestText } from '../events/control-event.ts';
import type { RoutingSnapshot, Target } from '../routing/snapshot.ts';
import { modelsDocument, rootDocument, targetDocument } from './snapshot-document.ts';

/** A text that is stored under its digest. */
export type SnapshotText = { readonly digest: string; readonly text: string };

export type DigestedSnapshot = {
  /** What decision records name the snapshot by: the digest of its root. */
  readonly digest: string;
  /** Everything that must be stored, the root last. */
  readonly documents: readonly SnapshotText[];
};

type Entry = {
  readonly text: string;
  /** Of the digest of the id; its low bits say the page. */
  readonly bits: number;
};

type Page = { readonly texts: readonly string[]; readonly document: SnapshotText };

/** Targets of a page at most, on average: a page is then some 40 KB, the root of 1000 targets 3. */
const pageTargets = 32;

/** A power of two, so that a fleet that doubles splits each page in two. */
function pageCountOf(targets: number): number {
  let count = 1;
  while (count * pageTargets < targets) count *= 2;
  return count;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}

export class SnapshotDigester {
  readonly #digest: DigestText;
  readonly #entries = new WeakMap<Target, Entry>();
  /** By the list of models, which a registry shares between versions of a backend. */
  readonly #modelTexts = new WeakMap<Target['models'], string>();
  /** Of the last snapshot, by place. */
  #pages: readonly (Page | undefined)[] = [];

  constructor(digest: DigestText) {
    this.#digest = digest;
  }

  /** The targets may come in any order. */
  digested({ targets, settings }: Pick<RoutingSnapshot, 'targets' | 'settings'>): DigestedSnapshot {
    const ordered = targets.toSorted((a, b) => compareText(a.id, b.id));
    this.#pages = this.#paged(ordered);
    const pages = this.#pages.flatMap((page) => (page === undefined ? [] : [page.document]));
    const digests = pages.map(({ digest }) => digest);
    const root = this.#named(canonicalJson(rootDocument(digests, settings, ordered)));
    return { digest: root.digest, documents: [...pages, root] };
  }

  /** The pages in their places; undefined where no target belongs. */
  #paged(targets: readonly Target[]): readonly (Page | undefined)[] {
    const count = pageCountOf(targets.length);
    const texts = Array.from({ length: count }, (): string[] => []);
    for (const target of targets) {
      const { text, bits } = this.#entryOf(target);
      texts[bits & (count - 1)]?.push(text);
    }
    return texts.map((own, place) => {
      const before = this.#pages[place];
      if (before !== undefined && isSame(before.texts, own)) return before;
      if (own.length === 0) return undefined;
      return { texts: own, document: this.#named(`{"targets":[${own.join(',')}]}`) };
    });
  }

  #named(text: string): SnapshotText {
    return { digest: this.#digest(text), text };
  }

  #entryOf(target: Target): Entry {
    const known = this.#entries.get(target);
    if (known !== undefined) return known;
    const bits = Number.parseInt(this.#digest(target.id).slice(0, 4), 16);
    const entry = { text: this.#textOf(target), bits };
    this.#entries.set(target, entry);
    return entry;
  }

  /** `models` stands between the members that come before it and those behind it in the alphabet. */
  #textOf(target: Target): string {
    const { approved, id, ...behind } = targetDocument(target);
    const before = canonicalJson({ approved, id } satisfies Json);
    const models = this.#modelsText(target.models);
    return `${before.slice(0, -1)},"models":${models},${canonicalJson(behind).slice(1)}`;
  }

  #modelsText(models: Target['models']): string {
    const known = this.#modelTexts.get(models);
    if (known !== undefined) return known;
    const text = canonicalJson(modelsDocument(models));
    this.#modelTexts.set(models, text);
    return text;
  }
}
