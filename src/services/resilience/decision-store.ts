// Finds requests in the decision log: one by its id, or the newest that match a filter. There is no
// index: the time in the id, and the times in the frames, say which blocks to read.
//
// It runs on the control thread in slices: after some blocks it lets others run. Both searches have a
// bound, and say when they met it.

import { setImmediate as breathe } from 'node:timers/promises';
import { compareNumbers, compareText } from '../../base/compare.ts';
import type { DecisionRecord } from '../../core/decisions/decision-record.ts';
import type { DecisionWire } from '../../protocol/control/schemas.ts';
import { decisionView, type ViewPorts } from './decision-view.ts';
import type { BlockSketch, LogBlock, LogSource } from './log-source.ts';
import { RequestStory } from './request-story.ts';
import { bytesOfId, type DecisionRef, requestSpanMs, windowOfRequest } from './request-time.ts';

/** What may be seen of the log: undefined is everything. */
export type Visibility = { readonly groupName: string } | undefined;

export type DecisionFilter = {
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly model: string | undefined;
  readonly backend: string | undefined;
  readonly outcome: string | undefined;
  readonly limit: number;
  readonly after: DecisionPosition | undefined;
};

/** A place in the list: newest first by the time of the outcome, then by id. */
export type DecisionPosition = { readonly atMs: number; readonly requestId: string };

export type DecisionPage = {
  readonly decisions: readonly DecisionWire[];
  readonly next: DecisionPosition | undefined;
  /** What the page does not hold, in words; undefined when it is whole. */
  readonly incomplete: string | undefined;
};

export type Lookup =
  | { readonly kind: 'found'; readonly decision: DecisionWire }
  | { readonly kind: 'none'; readonly words: string };

/** Blocks that one search reads at most: a gateway thread makes four a second under load. */
const blocksMax = 4000;
const blocksPerSlice = 16;
/** Codecs whose blocks hold each request id once, as 16 bytes: they need no decoding to be passed over. */
const codecsWithPlainIds: ReadonlySet<number> = new Set([1, 2, 3]);
/** Blocks of its stream that are looked at after the end of a request, for its copies: some 16 s under load. */
const blocksAfterEnd = 64;

type RequestRecord = Exclude<DecisionRecord, { kind: 'control' }>;

function mayHold(block: LogBlock, id: Buffer): boolean {
  if (!codecsWithPlainIds.has(block.codec)) return true;
  const { payload } = block;
  return Buffer.from(payload.buffer, payload.byteOffset, payload.length).includes(id);
}

export class DecisionStore {
  readonly #source: () => LogSource;
  readonly #ports: (source: LogSource) => ViewPorts;

  /** `source` opens the log as it is at this moment. */
  constructor(source: () => LogSource, ports: (source: LogSource) => ViewPorts) {
    this.#source = source;
    this.#ports = ports;
  }

  /** The request or one of its decisions; one that may not be seen is not there. */
  async find(ref: DecisionRef, visible: Visibility): Promise<Lookup> {
    const source = this.#source();
    const { requestId, attempt } = ref;
    const window = windowOfRequest(requestId);
    const story = new RequestStory(requestId);
    const id = bytesOfId(requestId);
    let damaged = 0;
    let read = 0;
    let after = 0;
    for (const sketch of oldestFirst(source, window)) {
      if (read >= blocksMax || after >= blocksAfterEnd) break;
      if (story.isWhole) {
        if (sketch.stream !== story.stream) continue;
        after++;
      }
      if (++read % blocksPerSlice === 0) await breathe();
      const block = sketch.read();
      if (block.kind === 'fault') damaged++;
      else if (mayHold(block, id) && !takeRecords(story, block, source)) damaged++;
    }
    const isSeen = canSee(story, visible);
    const hasAttempt =
      attempt === undefined ||
      attempt === 0 ||
      story.attempts.some(({ record }) => record.attempt === attempt);
    if (isSeen && hasAttempt && story.admission !== undefined) {
      return { kind: 'found', decision: decisionView(story, this.#ports(source), attempt) };
    }
    return { kind: 'none', words: noneWords(ref, source, window.fromMs, damaged) };
  }

  /** Requests with an outcome, newest first. */
  async page(filter: DecisionFilter, visible: Visibility): Promise<DecisionPage> {
    const source = this.#source();
    const search = new PageSearch(filter, visible);
    const newest = filter.after?.atMs ?? filter.toMs;
    const oldest = filter.fromMs === undefined ? undefined : filter.fromMs - requestSpanMs;
    let read = 0;
    let damaged = 0;
    let backToMs: number | undefined;
    for (const sketch of newestFirst(source, { fromMs: oldest, toMs: newest })) {
      if (search.isFull(sketch.lastAtMs)) break;
      if (read >= blocksMax) {
        backToMs = sketch.lastAtMs;
        break;
      }
      if (++read % blocksPerSlice === 0) await breathe();
      const block = sketch.read();
      const records = block.kind === 'fault' ? undefined : source.decode(block);
      if (block.kind === 'fault' || records?.ok !== true) damaged++;
      else search.take(block, records.value);
    }
    const { stories, next } = search.result();
    const ports = this.#ports(source);
    return {
      decisions: stories.map((story) => decisionView(story, ports)),
      next: next ?? stoppedAt(backToMs),
      incomplete: incompleteWords(damaged, backToMs),
    };
  }
}

/** Where a search that met its bound goes on. */
function stoppedAt(backToMs: number | undefined): DecisionPosition | undefined {
  return backToMs === undefined ? undefined : { atMs: backToMs, requestId: '~' };
}

function incompleteWords(damaged: number, backToMs: number | undefined): string | undefined {
  const parts: string[] = [];
  if (damaged > 0) {
    parts.push(`${damaged} damaged places were passed over: tensorforge audit verify names them`);
  }
  if (backToMs !== undefined) {
    parts.push(
      `looked back to ${new Date(backToMs).toISOString()}; ask for the next page to go on`,
    );
  }
  return parts.length === 0 ? undefined : parts.join('; ');
}

function noneWords(ref: DecisionRef, source: LogSource, atMs: number, damaged: number): string {
  const id = ref.requestId + (ref.attempt === undefined ? '' : `.${ref.attempt}`);
  const at = new Date(atMs).toISOString();
  const removed = source.removed();
  if (removed !== undefined && atMs <= (removed.throughMs ?? atMs)) {
    return `No decision ${id} in the log any more: it is of ${at}. ${removed.words}`;
  }
  const harm =
    damaged === 0
      ? ''
      : ` ${damaged} damaged places were met: tensorforge audit verify names them.`;
  return `No decision ${id} in the log around ${at}.${harm}`;
}

function canSee(story: RequestStory, visible: Visibility): boolean {
  return visible === undefined || story.admission?.record.groupName === visible.groupName;
}

/** Adds what the block holds of the request; false for a block that cannot be read. */
function takeRecords(story: RequestStory, block: LogBlock, source: LogSource): boolean {
  const records = source.decode(block);
  if (!records.ok) return false;
  for (const [index, record] of records.value.entries()) {
    if (record.kind === 'control' || record.requestId !== story.requestId) continue;
    story.add(record, block, index);
  }
  return true;
}

type Window = { readonly fromMs: number | undefined; readonly toMs: number | undefined };

function sketchesOf(source: LogSource, window: Window): BlockSketch[] {
  const sketches: BlockSketch[] = [];
  for (const item of source.sketches(window)) {
    if (!('kind' in item) && item.stream !== 'control') sketches.push(item);
  }
  return sketches;
}

function oldestFirst(source: LogSource, window: Window): readonly BlockSketch[] {
  return sketchesOf(source, window).sort((a, b) => compareNumbers(a.firstAtMs, b.firstAtMs));
}

function newestFirst(source: LogSource, window: Window): readonly BlockSketch[] {
  return sketchesOf(source, window).sort((a, b) => compareNumbers(b.lastAtMs, a.lastAtMs));
}

/** Joins records backwards in time: the outcome of a request comes first, its admission last. */
class PageSearch {
  readonly #filter: DecisionFilter;
  readonly #visible: Visibility;
  readonly #open = new Map<string, RequestStory>();
  /** Whole stories that match. */
  #found: RequestStory[] = [];

  constructor(filter: DecisionFilter, visible: Visibility) {
    this.#filter = filter;
    this.#visible = visible;
  }

  /** Are there enough, and can no block up to `lastAtMs` hold an earlier place in the list? */
  isFull(lastAtMs: number): boolean {
    const { limit, fromMs } = this.#filter;
    // An admission that far before its outcome is not in the log: dropped, or cut off by retention.
    for (const [id, story] of this.#open) {
      if (settledAt(story) - requestSpanMs > lastAtMs) this.#open.delete(id);
    }
    if (fromMs !== undefined && lastAtMs < fromMs && this.#open.size === 0) return true;
    if (this.#found.length <= limit) return false;
    const waiting = [...this.#open.values()];
    const newestOpen = Math.max(...waiting.map(settledAt), lastAtMs);
    const enough = this.#found.toSorted(byNewest)[limit];
    return enough !== undefined && settledAt(enough) > newestOpen;
  }

  take(block: LogBlock, records: readonly DecisionRecord[]): void {
    for (const [index, record] of [...records.entries()].reverse()) {
      if (record.kind !== 'control') this.#record(block, index, record);
    }
  }

  result(): {
    readonly stories: readonly RequestStory[];
    readonly next: DecisionPosition | undefined;
  } {
    const { limit } = this.#filter;
    const sorted = this.#found.toSorted(byNewest);
    const stories = sorted.slice(0, limit);
    const last = stories.at(-1);
    const next =
      sorted.length > limit && last !== undefined
        ? { atMs: settledAt(last), requestId: last.requestId }
        : undefined;
    return { stories, next };
  }

  #record(block: LogBlock, index: number, record: RequestRecord): void {
    if (record.kind === 'settled') {
      if (!this.#isWanted(record.at, record.requestId)) return;
      const story = new RequestStory(record.requestId);
      story.add(record, block, index);
      this.#open.set(record.requestId, story);
      return;
    }
    const story = this.#open.get(record.requestId);
    if (story === undefined) return;
    story.add(record, block, index);
    if (!story.isWhole) return;
    this.#open.delete(record.requestId);
    if (canSee(story, this.#visible) && matches(story, this.#filter)) this.#found.push(story);
  }

  #isWanted(atMs: number, requestId: string): boolean {
    const { fromMs, toMs, after } = this.#filter;
    if (fromMs !== undefined && atMs < fromMs) return false;
    if (toMs !== undefined && atMs > toMs) return false;
    if (after === undefined) return true;
    return atMs < after.atMs || (atMs === after.atMs && requestId < after.requestId);
  }
}

function settledAt(story: RequestStory): number {
  return story.settled?.record.at ?? 0;
}

function byNewest(a: RequestStory, b: RequestStory): number {
  return compareNumbers(settledAt(b), settledAt(a)) || compareText(b.requestId, a.requestId);
}

function matches(story: RequestStory, filter: DecisionFilter): boolean {
  const { model, backend, outcome } = filter;
  const settled = story.settled?.record;
  const isOf = ({ record: { features } }: RequestStory['attempts'][number]): boolean =>
    features.model === model || features.resolvedModel === model;
  if (model !== undefined && !story.attempts.some(isOf)) return false;
  if (backend !== undefined && settled?.backendId !== backend) return false;
  if (outcome === undefined || settled === undefined) return true;
  if (outcome === 'ok') return settled.status < 400 && settled.code === undefined;
  if (outcome === 'failed') return settled.status >= 400 || settled.code !== undefined;
  return settled.code === outcome || String(settled.status) === outcome;
}
