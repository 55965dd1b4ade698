// Counters of backends in memory that every thread shares. This is the one file that touches
// Atomics on it; all accesses are sequentially consistent.
//
// A handle carries (slot, generation). A slot is live while its generation is odd; freeing makes it
// even, so a request that ends after its backend was removed and its slot given to another writes
// nothing (the ABA fault). A freed slot rests until every thread has acknowledged a registry
// version without it.
//
// A1  pending never goes below zero: a decrement at zero is counted as a clamp instead.
// A2  an average lies between the smallest and the largest of its samples.
// A3  the sum of all ledger rows of a slot is its pending count, clamps aside: what a dead thread
//     still held is subtracted by the owner.

import { assert } from '../../base/assert.ts';
import {
  defaultCapacity,
  header,
  headerWords,
  layoutVersion,
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
};

/** What is posted to a thread so that it can attach. */
export type ArenaParts = {
  readonly words: SharedArrayBuffer;
  /** A row per thread: what it holds in each slot, its requests in flight, its connections. */
  readonly ledger: SharedArrayBuffer;
  readonly capacity: number;
  readonly threads: number;
};

/** Words of one thread's row: a slot each, then requests in flight and open connections. */
function ledgerRow(capacity: number): number {
  return capacity + 2;
}

const maxSampleMs = 4294967295;

export class Arena {
  readonly parts: ArenaParts;
  readonly #u32: Uint32Array;
  readonly #u64: BigUint64Array;
  readonly #ledger: Uint32Array;

  constructor(parts: ArenaParts) {
    this.parts = parts;
    this.#u32 = new Uint32Array(parts.words);
    this.#u64 = new BigUint64Array(parts.words);
    this.#ledger = new Uint32Array(parts.ledger);
    assert(
      Atomics.load(this.#u32, header.layoutVersion) === layoutVersion,
      'the arena has another layout version',
    );
  }

  static create(options: { readonly capacity?: number; readonly threads: number }): Arena {
    const capacity = options.capacity ?? defaultCapacity;
    const words = new SharedArrayBuffer((headerWords + capacity * slotWords) * 4);
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
    Atomics.store(this.#u32, generationAt, generation + 1);
    return { slot: index, generation: generation + 1 };
  }

  /** Ends the life of the slot: counter calls with this handle do nothing from now on. */
  close(handle: ArenaHandle): void {
    assert(this.#live(handle), `arena slot ${handle.slot} is not live`);
    Atomics.store(this.#u32, this.#at(handle.slot, slotWord.generation), handle.generation + 1);
  }

  /** What closed or live slot `index` still counts as pending. */
  pendingOf(index: number): number {
    return Atomics.load(this.#u32, this.#at(index, slotWord.pending));
  }

  setStatus(handle: ArenaHandle, status: keyof typeof statusCodes): void {
    if (!this.#live(handle)) return;
    Atomics.store(this.#u32, this.#at(handle.slot, slotWord.status), statusCodes[status]);
  }

  setCapacity(handle: ArenaHandle, capacity: number): void {
    if (!this.#live(handle)) return;
    Atomics.store(this.#u32, this.#at(handle.slot, slotWord.capacity), capacity);
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
    let reclaimed = 0;
    for (let index = 0; index < this.parts.capacity; index++) {
      const row = this.#row(thread) + index;
      const held = Atomics.exchange(this.#ledger, row, 0);
      if (held > 0) {
        this.#subtract(this.#at(index, slotWord.pending), held);
        reclaimed += held;
      }
    }
    const { capacity } = this.parts;
    const inFlight = Atomics.exchange(this.#ledger, this.#row(thread) + capacity, 0);
    this.#subtract(header.requestsInFlight, inFlight);
    const connections = Atomics.exchange(this.#ledger, this.#row(thread) + capacity + 1, 0);
    this.#subtract(header.openConnections, connections);
    return reclaimed;
  }

  #row(thread: number): number {
    return thread * ledgerRow(this.parts.capacity);
  }

  #subtract(at: number, amount: number): number {
    for (;;) {
      const current = Atomics.load(this.#u32, at);
      const next = Math.max(0, current - amount);
      if (Atomics.compareExchange(this.#u32, at, current, next) === current) return next;
    }
  }

  // ---- every thread ------------------------------------------------------------------------

  /** Counts one more request in flight; the value after, or undefined for a dead handle. */
  increment(handle: ArenaHandle, thread: number): number | undefined {
    if (!this.#live(handle)) return undefined;
    const at = this.#at(handle.slot, slotWord.pending);
    Atomics.add(this.#ledger, this.#row(thread) + handle.slot, 1);
    return Atomics.add(this.#u32, at, 1) + 1;
  }

  /**
   * Counts one less; the value after. At zero it stays zero, counts a clamp and returns -1 so that
   * the caller warns. Undefined for a dead handle.
   */
  decrement(handle: ArenaHandle, thread: number): number | undefined {
    const row = this.#row(thread) + handle.slot;
    if (Atomics.load(this.#ledger, row) > 0) Atomics.sub(this.#ledger, row, 1);
    if (!this.#live(handle)) return undefined;
    const at = this.#at(handle.slot, slotWord.pending);
    for (;;) {
      const current = Atomics.load(this.#u32, at);
      if (current === 0) {
        Atomics.add(this.#u32, this.#at(handle.slot, slotWord.clampEvents), 1);
        return -1;
      }
      if (Atomics.compareExchange(this.#u32, at, current, current - 1) === current) {
        return current - 1;
      }
    }
  }

  addTotal(handle: ArenaHandle): void {
    if (!this.#live(handle)) return;
    Atomics.add(this.#u64, this.#at(handle.slot, slotWord.totalRequests) / 2, 1n);
  }

  /** Blends a probe latency in; `ms` is truncated. Throws TypeError on NaN, negative, infinite. */
  recordProbeLatency(handle: ArenaHandle, ms: number): void {
    this.#blend(handle, slotWord.probeLatencyMs, slotWord.probeSamples, ms);
  }

  /** Blends an inference first-byte latency in; as {@link recordProbeLatency}. */
  recordFirstByte(handle: ArenaHandle, ms: number): void {
    this.#blend(handle, slotWord.firstByteMs, slotWord.firstByteSamples, ms);
  }

  /** Integer EMA, alpha 0.2: floor((sample + 4 old) / 5); an average of 0 is replaced. */
  #blend(handle: ArenaHandle, word: number, samplesWord: number, ms: number): void {
    if (!Number.isFinite(ms) || ms < 0) throw new TypeError(`not a latency: ${ms}`);
    if (!this.#live(handle)) return;
    const sample = Math.min(Math.trunc(ms), maxSampleMs);
    const at = this.#at(handle.slot, word);
    for (;;) {
      const old = Atomics.load(this.#u32, at);
      const next = old === 0 ? sample : Math.floor((sample + 4 * old) / 5);
      if (Atomics.compareExchange(this.#u32, at, old, next) === old) break;
    }
    const samplesAt = this.#at(handle.slot, samplesWord);
    if (Atomics.load(this.#u32, samplesAt) < maxSampleMs) Atomics.add(this.#u32, samplesAt, 1);
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
    };
  }

  /** The next value of the cursor that all threads share. */
  nextCursor(): number {
    return Atomics.add(this.#u32, header.roundRobinCursor, 1);
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

  inFlight(): number {
    return Atomics.load(this.#u32, header.requestsInFlight);
  }

  openConnections(): number {
    return Atomics.load(this.#u32, header.openConnections);
  }
}
