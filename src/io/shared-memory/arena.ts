// Counters of backends in memory that every thread shares. This is the one file that touches
// Atomics on it; all accesses are sequentially consistent, but those of a thread to its own row of the
// ledger. What takes several steps stands in counter-steps.ts.
//
// A handle carries (slot, generation). A slot is live while its generation is odd; freeing makes it
// even, so a request that ends after its backend was removed and its slot given to another writes
// nothing (the ABA fault). A freed slot rests until every thread has acknowledged a registry
// version without it and nobody holds a lease of it.
//
// A1  pending never goes below zero: a decrement at zero is counted as a clamp instead.
// A2  an average lies between the smallest and the largest of its samples.
// A3  the sum of all ledger rows of a live slot is what the threads added to its pending, clamps
//     aside: what a dead thread still held is subtracted by the owner. A slot opens with empty rows.

import { assert } from '../../base/assert.ts';
import { textHash } from '../../base/text-hash.ts';
import {
  blend,
  type Cells,
  decayed,
  giveLease,
  type OwnCells,
  peakAfter,
  takeLease,
  takeOff,
} from './counter-steps.ts';
import {
  defaultCapacity,
  header,
  headerWords,
  layoutVersion,
  missing,
  slot as slotWord,
  slotWords,
  statusCodes,
} from './layout.ts';

/** Index of a slot, with the generation that makes it one backend's. */
export type ArenaHandle = { readonly slot: number; readonly generation: number };

/** Live figures of one backend. */
export type ArenaCounters = {
  readonly pendingRequests: number;
  readonly totalRequests: number;
  /** Probe latency EMA, ms. */
  readonly avgLatencyMs: number;
  readonly latencySamples: number;
  /** First-byte latency EMA of inference requests, ms. */
  readonly firstByteMs: number;
  readonly firstByteSamples: number;
  /** What the engine says of itself; left out where it tells nothing. */
  readonly engine?: EngineFigures;
};

/** How busy an engine says it is; undefined is not told, or told too long ago. */
export type EngineFigures = {
  readonly running: number | undefined;
  readonly waiting: number | undefined;
  /** Share of the key-value cache in use, 0 to 1, kept to 1e-6. */
  readonly kvUse: number | undefined;
};

/** What every decision reads of a slot. */
type Glance = {
  generation: number;
  statusCode: number;
  pending: number;
  capacity: number;
  /** First-byte EMA where measured, else the probe EMA; ms. */
  latencyMs: number;
};

/** What is posted to a thread so that it can attach. */
export type ArenaParts = {
  readonly words: SharedArrayBuffer;
  /** A row per thread: requests and tokens that it holds in each slot, then sums of its own. */
  readonly ledger: SharedArrayBuffer;
  readonly capacity: number;
  readonly threads: number;
};

/**
 * Words of one thread's row: requests of each slot, requests in flight, open connections, places of
 * the queue, tokens of each slot.
 */
function ledgerRow(capacity: number): number {
  return 2 * capacity + 3;
}

/** Cursors of turns, behind the slots; a power of two. */
const cursorLanes = 256;

function cursorsAt(capacity: number): number {
  return headerWords + capacity * slotWords;
}

const kvUnit = 1e6;

/** A figure of an engine as its word. */
function wordOf(figure: number | undefined, unit = 1): number {
  if (figure === undefined || !(figure >= 0)) return missing;
  return Math.min(Math.round(figure * unit), missing - 1);
}

function figureOf(word: number, unit = 1): number | undefined {
  return word === missing ? undefined : word / unit;
}

/** The words of a view, stepwise. A class, so that the compiler sees one `load` and not many. */
class AtomicCells implements Cells {
  readonly #view: Uint32Array;

  constructor(view: Uint32Array) {
    this.#view = view;
  }

  load(index: number): number {
    return Atomics.load(this.#view, index);
  }

  add(index: number, amount: number): number {
    return Atomics.add(this.#view, index, amount);
  }

  compareExchange(index: number, expected: number, next: number): boolean {
    return Atomics.compareExchange(this.#view, index, expected, next) === expected;
  }
}

/** A thread's own row, and of another thread's only what is settled. */
class PlainCells implements OwnCells {
  readonly #view: Uint32Array;

  constructor(view: Uint32Array) {
    this.#view = view;
  }

  get(index: number): number {
    return this.#view[index] ?? 0;
  }

  set(index: number, value: number): void {
    this.#view[index] = value;
  }
}

export class Arena {
  readonly parts: ArenaParts;
  readonly #u32: Uint32Array;
  readonly #u64: BigUint64Array;
  readonly #ledger: Uint32Array;
  readonly #cells: AtomicCells;
  readonly #ledgerCells: PlainCells;
  readonly #glance: Glance = {
    generation: 0,
    statusCode: 0,
    pending: 0,
    capacity: 0,
    latencyMs: 0,
  };

  constructor(parts: ArenaParts) {
    this.parts = parts;
    this.#u32 = new Uint32Array(parts.words);
    this.#u64 = new BigUint64Array(parts.words);
    this.#ledger = new Uint32Array(parts.ledger);
    this.#cells = new AtomicCells(this.#u32);
    this.#ledgerCells = new PlainCells(this.#ledger);
    assert(
      Atomics.load(this.#u32, header.layoutVersion) === layoutVersion,
      'the arena has another layout version',
    );
  }

  static create(options: { readonly capacity?: number; readonly threads: number }): Arena {
    const capacity = options.capacity ?? defaultCapacity;
    const words = new SharedArrayBuffer((cursorsAt(capacity) + cursorLanes) * 4);
    new Uint32Array(words)[header.layoutVersion] = layoutVersion;
    const ledger = new SharedArrayBuffer(ledgerRow(capacity) * options.threads * 4);
    return new Arena({ words, ledger, capacity, threads: options.threads });
  }

  #at(index: number, word: number): number {
    return headerWords + index * slotWords + word;
  }

  #live(handle: ArenaHandle): boolean {
    return (
      Atomics.load(this.#u32, this.#at(handle.slot, slotWord.generation)) === handle.generation
    );
  }

  // ---- owner -------------------------------------------------------------------------------

  /** Makes slot `index` live for a new backend. The caller knows that it is free. */
  open(index: number, capacity: number): ArenaHandle {
    assert(index >= 0 && index < this.parts.capacity, `arena slot ${index}`);
    const generationAt = this.#at(index, slotWord.generation);
    const generation = Atomics.load(this.#u32, generationAt);
    assert(generation % 2 === 0, `arena slot ${index} is live`);
    for (let word = 1; word < slotWords; word++) Atomics.store(this.#u32, this.#at(index, word), 0);
    Atomics.store(this.#u32, this.#at(index, slotWord.capacity), capacity);
    this.#storeEngine(index, undefined);
    for (const thread of this.#threads()) {
      Atomics.store(this.#ledger, this.#row(thread) + index, 0);
      Atomics.store(this.#ledger, this.#tokensAt(thread, index), 0);
    }
    Atomics.store(this.#u32, generationAt, generation + 1);
    return { slot: index, generation: generation + 1 };
  }

  /** Ends the life of the slot: counter calls with this handle do nothing from now on. */
  close(handle: ArenaHandle): void {
    assert(this.#live(handle), `arena slot ${handle.slot} is not live`);
    Atomics.store(this.#u32, this.#at(handle.slot, slotWord.generation), handle.generation + 1);
  }

  /** Leases that threads hold of slot `index`, which may be closed: a dead handle frees those too. */
  pendingOf(index: number): number {
    let held = 0;
    for (const thread of this.#threads()) {
      held += Atomics.load(this.#ledger, this.#row(thread) + index);
    }
    return held;
  }

  *#threads(): Generator<number> {
    for (let thread = 0; thread < this.parts.threads; thread++) yield thread;
  }

  setStatus(handle: ArenaHandle, status: keyof typeof statusCodes): void {
    if (!this.#live(handle)) return;
    Atomics.store(this.#u32, this.#at(handle.slot, slotWord.status), statusCodes[status]);
  }

  setCapacity(handle: ArenaHandle, capacity: number): void {
    if (!this.#live(handle)) return;
    Atomics.store(this.#u32, this.#at(handle.slot, slotWord.capacity), capacity);
  }

  /** What the engine says now; undefined when it has told nothing for too long. */
  setEngineLoad(handle: ArenaHandle, load: EngineFigures | undefined): void {
    if (this.#live(handle)) this.#storeEngine(handle.slot, load);
  }

  #storeEngine(index: number, load: EngineFigures | undefined): void {
    const store = (word: number, value: number): void => {
      Atomics.store(this.#u32, this.#at(index, word), value);
    };
    store(slotWord.engineRunning, wordOf(load?.running));
    store(slotWord.engineWaiting, wordOf(load?.waiting));
    store(slotWord.engineKvUse, wordOf(load?.kvUse, kvUnit));
  }

  setRegistryVersion(version: number): void {
    Atomics.store(this.#u32, header.registryVersion, version);
  }

  registryVersion(): number {
    return Atomics.load(this.#u32, header.registryVersion);
  }

  /** `index` 0 for normal to 3 for halted; the end of its cooldown in unix seconds. */
  setServingMode(index: number, cooldownEnd: number): void {
    Atomics.store(this.#u32, header.modeCooldownEnd, cooldownEnd);
    Atomics.store(this.#u32, header.servingMode, index);
  }

  servingModeIndex(): number {
    return Atomics.load(this.#u32, header.servingMode);
  }

  modeCooldownEnd(): number {
    return Atomics.load(this.#u32, header.modeCooldownEnd);
  }

  beat(unixSeconds: number): void {
    Atomics.store(this.#u32, header.ownerHeartbeatSeconds, unixSeconds);
  }

  heartbeatSeconds(): number {
    return Atomics.load(this.#u32, header.ownerHeartbeatSeconds);
  }

  /** Takes back what a dead thread held; returns how many leases that were. */
  reclaimThread(thread: number): number {
    const { capacity } = this.parts;
    const row = this.#row(thread);
    let reclaimed = 0;
    for (let index = 0; index < capacity; index++) {
      const held = Atomics.exchange(this.#ledger, row + index, 0);
      if (held > 0) takeOff(this.#cells, this.#at(index, slotWord.pending), held);
      const tokens = Atomics.exchange(this.#ledger, this.#tokensAt(thread, index), 0);
      if (tokens > 0) takeOff(this.#cells, this.#at(index, slotWord.tokens), tokens);
      reclaimed += held;
    }
    const inFlight = Atomics.exchange(this.#ledger, row + capacity, 0);
    takeOff(this.#cells, header.requestsInFlight, inFlight);
    const connections = Atomics.exchange(this.#ledger, row + capacity + 1, 0);
    takeOff(this.#cells, header.openConnections, connections);
    const places = Atomics.exchange(this.#ledger, row + capacity + 2, 0);
    takeOff(this.#cells, header.queueDepth, places);
    return reclaimed;
  }

  #row(thread: number): number {
    return thread * ledgerRow(this.parts.capacity);
  }

  #tokensAt(thread: number, index: number): number {
    return this.#row(thread) + this.parts.capacity + 3 + index;
  }

  #held(handle: ArenaHandle, thread: number | undefined): number | undefined {
    return thread === undefined ? undefined : this.#row(thread) + handle.slot;
  }

  // ---- every thread ------------------------------------------------------------------------

  /**
   * Counts one more request in flight; the value after, or undefined for a dead handle. The owner
   * counts without a `thread`.
   */
  increment(handle: ArenaHandle, thread?: number): number | undefined {
    const held = this.#held(handle, thread);
    const slotAt = this.#at(handle.slot, 0);
    return takeLease(this.#cells, slotAt, handle.generation, this.#ledgerCells, held);
  }

  /**
   * Counts one less; the value after. At zero it stays zero, counts a clamp and returns -1 so that
   * the caller warns. Undefined for a dead handle.
   */
  decrement(handle: ArenaHandle, thread?: number): number | undefined {
    const held = this.#held(handle, thread);
    const slotAt = this.#at(handle.slot, 0);
    return giveLease(this.#cells, slotAt, handle.generation, this.#ledgerCells, held);
  }

  addTotal(handle: ArenaHandle): void {
    if (!this.#live(handle)) return;
    Atomics.add(this.#u64, this.#at(handle.slot, slotWord.totalRequests) / 2, 1n);
  }

  /** Requests that slot `index` has ended, since it opened. */
  totalOf(index: number): number {
    return Number(Atomics.load(this.#u64, this.#at(index, slotWord.totalRequests) / 2));
  }

  /** Blends a probe latency in; `ms` is truncated. Throws TypeError on NaN, negative, infinite. */
  recordProbeLatency(handle: ArenaHandle, ms: number): void {
    this.#blend(handle, slotWord.probeLatencyMs, slotWord.probeSamples, ms);
  }

  /** Blends an inference first-byte latency in; as {@link recordProbeLatency}. */
  recordFirstByte(handle: ArenaHandle, ms: number): void {
    this.#blend(handle, slotWord.firstByteMs, slotWord.firstByteSamples, ms);
  }

  /** Takes a first byte into the peak average as of `nowMs`, any clock of this machine; ms. */
  recordPeak(handle: ArenaHandle, ms: number, nowMs: number): void {
    if (!this.#live(handle)) return;
    const at = this.#at(handle.slot, slotWord.peakUs);
    const now = Math.trunc(nowMs) >>> 0;
    const us = Atomics.load(this.#u32, at);
    const ageMs = (now - Atomics.load(this.#u32, at + 1)) | 0;
    // Two threads may write at once: one of two samples is lost, and neither can be wrong.
    Atomics.store(this.#u32, at, peakAfter(us, ageMs, ms * 1000));
    Atomics.store(this.#u32, at + 1, now);
  }

  /** What is left of the peak average at `nowMs`, whole ms, at least 1; 0 when never measured. */
  peakMs(index: number, nowMs: number): number {
    const at = this.#at(index, slotWord.peakUs);
    const us = Atomics.load(this.#u32, at);
    if (us === 0) return 0;
    const ageMs = ((Math.trunc(nowMs) >>> 0) - Atomics.load(this.#u32, at + 1)) | 0;
    return Math.max(1, Math.round(decayed(us, ageMs) / 1000));
  }

  /** Counts tokens of a request in flight in, or with a negative number out again. */
  addTokens(handle: ArenaHandle, tokens: number, thread: number): void {
    if (!this.#live(handle)) return;
    const at = this.#tokensAt(thread, handle.slot);
    const held = Math.max(0, this.#ledgerCells.get(at) + tokens);
    this.#ledgerCells.set(at, held);
    const word = this.#at(handle.slot, slotWord.tokens);
    if (tokens >= 0) Atomics.add(this.#u32, word, tokens);
    else takeOff(this.#cells, word, -tokens);
  }

  /** Tokens of the requests in flight, prompts and expected answers. */
  tokens(index: number): number {
    return Atomics.load(this.#u32, this.#at(index, slotWord.tokens));
  }

  /** Requests that the engine says it runs or holds; -1 when it does not tell. */
  engineRequests(index: number): number {
    const running = Atomics.load(this.#u32, this.#at(index, slotWord.engineRunning));
    const waiting = Atomics.load(this.#u32, this.#at(index, slotWord.engineWaiting));
    if (running === missing && waiting === missing) return -1;
    return (running === missing ? 0 : running) + (waiting === missing ? 0 : waiting);
  }

  /** Share of the key-value cache in use, 0 to 1; -1 when the engine does not tell. */
  kvUse(index: number): number {
    const word = Atomics.load(this.#u32, this.#at(index, slotWord.engineKvUse));
    return word === missing ? -1 : word / kvUnit;
  }

  #blend(handle: ArenaHandle, word: number, samplesWord: number, ms: number): void {
    const { slot, generation } = handle;
    const slotAt = this.#at(slot, 0);
    blend(this.#cells, slotAt, generation, word, samplesWord, ms);
  }

  /**
   * The figures that every decision reads, in an object that the next call writes over. Read without
   * order, which costs a third: a decision may see what was so a moment ago, as it may anyway.
   */
  glance(index: number): Readonly<Glance> {
    const words = this.#u32;
    const at = headerWords + index * slotWords;
    const seen = this.#glance;
    seen.generation = words[at + slotWord.generation] as number;
    seen.statusCode = words[at + slotWord.status] as number;
    seen.pending = words[at + slotWord.pending] as number;
    seen.capacity = words[at + slotWord.capacity] as number;
    const isMeasured = (words[at + slotWord.firstByteSamples] as number) > 0;
    seen.latencyMs = words[
      at + (isMeasured ? slotWord.firstByteMs : slotWord.probeLatencyMs)
    ] as number;
    return seen;
  }

  pending(index: number): number {
    return Atomics.load(this.#u32, this.#at(index, slotWord.pending));
  }

  statusCode(index: number): number {
    return Atomics.load(this.#u32, this.#at(index, slotWord.status));
  }

  capacityOf(index: number): number {
    return Atomics.load(this.#u32, this.#at(index, slotWord.capacity));
  }

  generationOf(index: number): number {
    return Atomics.load(this.#u32, this.#at(index, slotWord.generation));
  }

  /** First-byte EMA where measured, else the probe EMA; ms. */
  latencyMs(index: number): number {
    if (Atomics.load(this.#u32, this.#at(index, slotWord.firstByteSamples)) > 0) {
      return Atomics.load(this.#u32, this.#at(index, slotWord.firstByteMs));
    }
    return Atomics.load(this.#u32, this.#at(index, slotWord.probeLatencyMs));
  }

  /** Point-in-time figures; undefined for a dead handle. */
  read(handle: ArenaHandle): ArenaCounters | undefined {
    if (!this.#live(handle)) return undefined;
    const word = (at: number): number => Atomics.load(this.#u32, this.#at(handle.slot, at));
    const totalAt = this.#at(handle.slot, slotWord.totalRequests) / 2;
    return {
      pendingRequests: word(slotWord.pending),
      totalRequests: Number(Atomics.load(this.#u64, totalAt)),
      avgLatencyMs: word(slotWord.probeLatencyMs),
      latencySamples: word(slotWord.probeSamples),
      firstByteMs: word(slotWord.firstByteMs),
      firstByteSamples: word(slotWord.firstByteSamples),
      ...this.#engineOf(handle.slot),
    };
  }

  #engineOf(index: number): Pick<ArenaCounters, 'engine'> {
    const word = (at: number): number => Atomics.load(this.#u32, this.#at(index, at));
    const running = figureOf(word(slotWord.engineRunning));
    const waiting = figureOf(word(slotWord.engineWaiting));
    const kvUse = figureOf(word(slotWord.engineKvUse), kvUnit);
    if (running === undefined && waiting === undefined && kvUse === undefined) return {};
    return { engine: { running, waiting, kvUse } };
  }

  /**
   * The next value of the cursor that all threads share for this model: of two models that are asked in
   * turn each has its own turns. Models that hash alike share one, which costs evenness and nothing else.
   */
  nextCursor(model: string): number {
    const lane = textHash(model) & (cursorLanes - 1);
    return Atomics.add(this.#u32, cursorsAt(this.parts.capacity) + lane, 1);
  }

  /** Adds to the number of open client connections; the value after. */
  addConnections(delta: 1 | -1, thread: number): number {
    Atomics.add(this.#ledger, this.#row(thread) + this.parts.capacity + 1, delta);
    return Atomics.add(this.#u32, header.openConnections, delta) + delta;
  }

  /** Adds to the number of requests in flight; the value after. */
  addInFlight(delta: 1 | -1, thread: number): number {
    Atomics.add(this.#ledger, this.#row(thread) + this.parts.capacity, delta);
    return Atomics.add(this.#u32, header.requestsInFlight, delta) + delta;
  }

  /**
   * Takes a place of the queue that all threads share, by compare-and-set, so that its depth never
   * exceeds `limit`. The depth after; undefined when `limit` places are taken.
   */
  takeQueuePlace(limit: number, thread: number): number | undefined {
    for (;;) {
      const depth = this.queueDepth();
      if (depth >= limit) return undefined;
      if (!this.#cells.compareExchange(header.queueDepth, depth, depth + 1)) continue;
      Atomics.add(this.#ledger, this.#row(thread) + this.parts.capacity + 2, 1);
      return depth + 1;
    }
  }

  giveQueuePlace(thread: number): void {
    Atomics.sub(this.#ledger, this.#row(thread) + this.parts.capacity + 2, 1);
    takeOff(this.#cells, header.queueDepth, 1);
  }

  /** Requests that wait in the queue, of all threads. */
  queueDepth(): number {
    return Atomics.load(this.#u32, header.queueDepth);
  }

  inFlight(): number {
    return Atomics.load(this.#u32, header.requestsInFlight);
  }

  openConnections(): number {
    return Atomics.load(this.#u32, header.openConnections);
  }
}
