// Reads how busy the engines of our own say they are, for the routing score and the operator's eyes. It
// never speaks about health: an engine without metrics is as well as any other.
//
// Invariants
//   L1  At most one outstanding reading per backend, at most `concurrency` in all.
//   L2  One timer, at most an interval ahead, so that a backend which turned healthy needs no word.
//   L3  A reading is applied only to the very backend it was asked of, and only while that one is still
//       healthy and approved.
//   L4  A reading that was set is cleared once `readingsMissed` intervals went by without a good one,
//       for whatever reason: a backend that is asked no more included.
//   L5  After `stop` nothing is set and nothing asked.
// First readings are spread over one interval, later ones by a tenth, so that a thousand engines are
// not asked in one moment.

import { isCloudType } from '../../base/backend-type.ts';
import type { BackendId } from '../../base/brand.ts';
import { compareNumbers } from '../../base/compare.ts';
import type { Random } from '../../base/random.ts';
import type { Backend } from '../../core/backends/backend.ts';
import type { EngineLoad } from '../../core/backends/engine-load.ts';
import type { Scrape, ScrapeBackend } from './adapters/scrape-backend.ts';
import type { Clock } from './ports.ts';

/** Intervals without a good reading after which there is none. */
export const readingsMissed = 3;
/** A server that shows no figures is asked again after this, ms. */
const absentMs = 600_000;

export type LoadScraperOptions = {
  /** In any order. */
  readonly listBackends: () => readonly Backend[];
  /** Undefined: it is not known how busy it is. */
  readonly setLoad: (id: BackendId, load: EngineLoad | undefined) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly scrape: ScrapeBackend;
  /** Between two readings of one backend, ms, at least 1000; 0 reads none. */
  readonly intervalMs: number;
  /** Readings under way at the same time. */
  readonly concurrency?: number;
  /** Hears of a reader that threw, which is a bug of ours; the reading counts as missed. */
  readonly onReaderError?: (id: BackendId, error: unknown) => void;
};

const concurrencyDefault = 64;
/** Turns by the clock in one interval at most: each looks at all backends. */
const turnsPerInterval = 50;

type Watched = {
  readonly id: BackendId;
  readonly asked: Pick<Backend, 'url' | 'backendType' | 'apiKeyEnv'>;
  dueAt: number;
  isAsked: boolean;
  /** When its last good reading came; undefined while none is set. */
  goodAt: number | undefined;
};

/** A backend of the same id at another address or of another type is another backend. */
function isSame({ asked }: Watched, backend: Backend): boolean {
  const { url, backendType, apiKeyEnv } = backend;
  return asked.url === url && asked.backendType === backendType && asked.apiKeyEnv === apiKeyEnv;
}

function isRead(backend: Backend): boolean {
  return backend.approved && backend.status === 'healthy' && !isCloudType(backend.backendType);
}

export class LoadScraper {
  readonly #options: LoadScraperOptions;
  readonly #concurrency: number;
  readonly #watched = new Map<BackendId, Watched>();
  readonly #outstanding = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #cancelTimer: (() => void) | undefined;

  constructor(options: LoadScraperOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency ?? concurrencyDefault;
  }

  get outstanding(): number {
    return this.#outstanding.size;
  }

  /** Starts the loop; does nothing with an interval of 0. */
  start(): void {
    if (this.#options.intervalMs > 0) this.#turn();
  }

  /** Resolves when the last reading has let go of its socket. What was set stays, and ages. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    await Promise.all(this.#outstanding);
  }

  #turn(): void {
    if (this.#stopping.signal.aborted) return;
    const nowMs = this.#options.clock.monotonicMs();
    const backends = this.#options.listBackends();
    this.#watch(backends, nowMs);
    this.#sweep(nowMs);
    this.#askDue(backends, nowMs);
    this.#setTimer(nowMs);
  }

  #watch(backends: readonly Backend[], nowMs: number): void {
    const present = new Set<BackendId>();
    for (const backend of backends) {
      present.add(backend.id);
      const watched = this.#watched.get(backend.id);
      if (watched !== undefined && isSame(watched, backend)) continue;
      // The place of another is taken: what that one told does not speak for this one.
      if (watched?.goodAt !== undefined) this.#options.setLoad(backend.id, undefined);
      const dueAt = nowMs + Math.trunc(this.#options.random.nextUnit() * this.#options.intervalMs);
      const { id, url, backendType, apiKeyEnv } = backend;
      const asked = { url, backendType, apiKeyEnv };
      this.#watched.set(id, { id, asked, dueAt, isAsked: false, goodAt: undefined });
    }
    for (const id of this.#watched.keys()) if (!present.has(id)) this.#watched.delete(id);
  }

  /** L4. */
  #sweep(nowMs: number): void {
    for (const watched of this.#watched.values()) {
      if (watched.goodAt === undefined) continue;
      if (nowMs - watched.goodAt < readingsMissed * this.#options.intervalMs) continue;
      watched.goodAt = undefined;
      this.#options.setLoad(watched.id, undefined);
    }
  }

  /** What is longest overdue comes first, so that servers which hang keep nobody out for ever. */
  #askDue(backends: readonly Backend[], nowMs: number): void {
    const due = backends.flatMap((backend) => {
      const watched = this.#watched.get(backend.id);
      const isDue = watched !== undefined && !watched.isAsked && watched.dueAt <= nowMs;
      return isDue && isRead(backend) ? [{ watched, backend }] : [];
    });
    due.sort((a, b) => compareNumbers(a.watched.dueAt, b.watched.dueAt));
    const places = Math.max(0, this.#concurrency - this.#outstanding.size);
    for (const { watched, backend } of due.slice(0, places)) this.#ask(watched, backend);
  }

  #ask(watched: Watched, backend: Backend): void {
    watched.isAsked = true;
    const asking: Promise<void> = this.#read(watched, backend).finally(() => {
      const wasFull = this.#outstanding.size >= this.#concurrency;
      this.#outstanding.delete(asking);
      watched.isAsked = false;
      // The rest waited for a place.
      if (wasFull) this.#turn();
    });
    this.#outstanding.add(asking);
  }

  async #read(watched: Watched, backend: Backend): Promise<void> {
    let scrape: Scrape;
    try {
      scrape = await this.#options.scrape(backend, this.#stopping.signal);
    } catch (error) {
      this.#options.onReaderError?.(watched.id, error);
      scrape = { kind: 'failed' };
    }
    if (this.#stopping.signal.aborted) return;
    const nowMs = this.#options.clock.monotonicMs();
    const waitMs = scrape.kind === 'absent' ? absentMs : this.#options.intervalMs;
    watched.dueAt = nowMs + Math.trunc(waitMs * (0.9 + this.#options.random.nextUnit() * 0.2));
    if (scrape.kind === 'reading' && this.#isStill(watched)) {
      watched.goodAt = nowMs;
      this.#options.setLoad(watched.id, { ...scrape.load, readAt: this.#options.clock.now() });
    }
  }

  /** L3. */
  #isStill(watched: Watched): boolean {
    const present = this.#options.listBackends().find(({ id }) => id === watched.id);
    if (present === undefined || this.#watched.get(watched.id) !== watched) return false;
    return isRead(present) && isSame(watched, present);
  }

  #setTimer(nowMs: number): void {
    this.#cancelTimer?.();
    const { intervalMs, clock } = this.#options;
    const soonest = nowMs + Math.ceil(intervalMs / turnsPerInterval);
    let next = nowMs + intervalMs;
    for (const { dueAt, isAsked } of this.#watched.values()) {
      // Those that are due and were not asked wait for a place or for their health.
      if (!isAsked && dueAt > nowMs) next = Math.min(next, dueAt);
    }
    this.#cancelTimer = clock.after(Math.max(soonest, next) - nowMs, () => {
      this.#cancelTimer = undefined;
      this.#turn();
    });
  }
}
