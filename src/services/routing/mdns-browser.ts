// Who announces engines on the local network? A machine without a socket or a clock: packets and the
// time go in, questions to ask and what has changed come out.
//
// An instance is known by three things, which come in one packet or in several: the pointer from its
// service to it, its server record (port and host), and addresses of that host. While one is missing it
// is asked for; when all are there the instance is judged by core/backends/mdns-record.ts.
//
// Invariants
//   B1  At most `instancesMax` instances, `perSourceMax` of one sender, `addressesMax` addresses each.
//   B2  An instance belongs to the sender that announced it first, until it is gone: others can neither
//       change it nor say goodbye for it.
//   B3  `found` and `gone` of one instance alternate, but that a change is another `found`.
//   B4  At most one packet of questions a second, and one warning a minute for each sender.
// Questions for a whole service are repeated with growing distance (RFC 6762, 5.2). What is known is
// asked for again when 80, 90 and 95 % of its time have passed, and is gone when that brings nothing.

import { BoundedMap } from '../../base/bounded-map.ts';
import {
  type AnnouncedText,
  type Candidate,
  candidateOf,
  type MdnsRecord,
  type Origin,
  readRecords,
} from '../../core/backends/mdns-record.ts';

export const instancesMax = 256;
export const perSourceMax = 32;
const addressesMax = 8;
/** More records than this in one packet are no announcement. */
const recordsMax = 1024;
const questionsMax = 32;

const ttlMinS = 10;
/** The time of the records that do not change, RFC 6762, 10. */
const ttlMaxS = 4500;

const browseFirstMs = 1000;
const browseGrowth = 3;
const browseMaxMs = 300_000;
const askEveryMs = 1000;
/** An instance of which something is still missing is given up. */
const completeWithinMs = 5000;
const refreshAt = [0.8, 0.9, 0.95] as const;

const warnEveryMs = 60_000;
const warnedSourcesMax = 64;

export type BrowserQuestion = {
  readonly name: string;
  readonly type: 'PTR' | 'SRV' | 'TXT' | 'A' | 'AAAA';
};

export type BrowserEffect =
  | { readonly kind: 'ask'; readonly questions: readonly BrowserQuestion[] }
  /** New, or at another address or of another type than before. */
  | { readonly kind: 'found'; readonly candidate: Candidate }
  | { readonly kind: 'gone'; readonly instance: string; readonly words: string }
  | { readonly kind: 'warning'; readonly source: string; readonly words: string };

type Lasting<Value> = { readonly value: Value; readonly sinceMs: number; readonly untilMs: number };

type Instance = {
  readonly name: string;
  readonly service: string;
  readonly owner: string;
  readonly origin: Origin;
  readonly bornMs: number;
  pointer: Lasting<true>;
  server: Lasting<{ readonly host: string; readonly port: number }> | undefined;
  text: AnnouncedText | undefined;
  addresses: ReadonlyMap<string, Lasting<true>>;
  askedMissing: boolean;
  refreshes: number;
  told: Candidate | undefined;
};

function keyOf(name: string): string {
  return name.toLowerCase();
}

/** `_llm._tcp.local` for `_LLM._tcp.` and the like. */
function serviceName(text: string): string {
  const name = text.toLowerCase().replace(/\.$/, '');
  return name.endsWith('.local') ? name : `${name}.local`;
}

function lasting<Value>(value: Value, ttlS: number, nowMs: number): Lasting<Value> {
  const lifeMs = Math.min(Math.max(ttlS, ttlMinS), ttlMaxS) * 1000;
  return { value, sinceMs: nowMs, untilMs: nowMs + lifeMs };
}

/** What the instance stands on: all of these must hold, of the addresses one. */
function foundations(one: Instance): readonly Lasting<unknown>[] {
  const longest = [...one.addresses.values()].reduce<Lasting<true> | undefined>(
    (best, next) => (best === undefined || next.untilMs > best.untilMs ? next : best),
    undefined,
  );
  return [one.pointer, one.server, longest].filter((part) => part !== undefined);
}

function expiresAt(one: Instance): number {
  return Math.min(...foundations(one).map(({ untilMs }) => untilMs));
}

function refreshesAt(one: Instance): number {
  const share = refreshAt[one.refreshes];
  if (one.told === undefined || share === undefined) return Number.POSITIVE_INFINITY;
  const times = foundations(one).map(({ sinceMs, untilMs }) => {
    return sinceMs + (untilMs - sinceMs) * share;
  });
  return Math.min(...times);
}

function isSameOffer(a: Candidate, b: Candidate): boolean {
  return a.url === b.url && a.type === b.type;
}

export class MdnsBrowser {
  readonly #services: ReadonlySet<string>;
  readonly #instances = new Map<string, Instance>();
  readonly #wanted = new Map<string, BrowserQuestion>();
  readonly #warnedAt = new BoundedMap<string, number>(warnedSourcesMax);
  #effects: BrowserEffect[] = [];
  #browseAt = Number.NEGATIVE_INFINITY;
  #browseEveryMs = browseFirstMs;
  #askAfter = Number.NEGATIVE_INFINITY;

  constructor(services: readonly string[]) {
    this.#services = new Set(services.map(serviceName));
  }

  get size(): number {
    return this.#instances.size;
  }

  /** When {@link tick} has something to do; in the past before the first one. */
  get nextAt(): number {
    let next = this.#browseAt;
    if (this.#wanted.size > 0) next = Math.min(next, this.#askAfter);
    for (const one of this.#instances.values()) {
      const patience = one.told === undefined ? one.bornMs + completeWithinMs : expiresAt(one);
      next = Math.min(next, patience, refreshesAt(one));
    }
    return next;
  }

  /** `raw` are the records of one decoded answer packet, in their order. */
  receive(raw: readonly unknown[], origin: Origin, nowMs: number): readonly BrowserEffect[] {
    if (raw.length > recordsMax) {
      this.#warn(origin.source, `${raw.length} records in a packet; ${recordsMax} at most`, nowMs);
      return this.#drain(nowMs);
    }
    const owner = origin.isThisMachine ? 'this machine' : origin.source;
    const records = readRecords(raw);
    const touched = new Set<Instance>();
    for (const record of records) this.#point(record, owner, origin, nowMs, touched);
    for (const record of records) this.#describe(record, owner, nowMs, touched);
    this.#address(records, owner, nowMs, touched);
    for (const one of touched) this.#settle(one, nowMs);
    return this.#drain(nowMs);
  }

  tick(nowMs: number): readonly BrowserEffect[] {
    if (nowMs >= this.#browseAt) {
      for (const service of this.#services) this.#want(service, 'PTR');
      this.#browseAt = nowMs + this.#browseEveryMs;
      this.#browseEveryMs = Math.min(this.#browseEveryMs * browseGrowth, browseMaxMs);
    }
    for (const one of [...this.#instances.values()]) this.#age(one, nowMs);
    return this.#drain(nowMs);
  }

  #age(one: Instance, nowMs: number): void {
    if (nowMs >= expiresAt(one)) {
      this.#drop(one, 'its announcement ran out');
    } else if (one.told === undefined && nowMs >= one.bornMs + completeWithinMs) {
      const lacks = one.server === undefined ? 'port' : 'address';
      this.#warn(one.origin.source, `an announced engine tells no ${lacks}`, nowMs);
      this.#drop(one, '');
    } else if (nowMs >= refreshesAt(one)) {
      one.refreshes += 1;
      this.#want(one.service, 'PTR');
      this.#wantDetails(one);
    }
  }

  // ---- records -----------------------------------------------------------------------------

  #point(
    record: MdnsRecord,
    owner: string,
    origin: Origin,
    nowMs: number,
    touched: Set<Instance>,
  ): void {
    const service = keyOf(record.name);
    if (record.kind !== 'pointer' || !this.#services.has(service)) return;
    const known = this.#instances.get(keyOf(record.target));
    if (known !== undefined && known.owner !== owner) return;
    if (record.ttlS === 0) {
      if (known !== undefined) this.#drop(known, 'it withdrew its announcement');
      return;
    }
    const pointer = lasting<true>(true, record.ttlS, nowMs);
    if (known !== undefined) {
      known.pointer = pointer;
      touched.add(known);
      return;
    }
    if (!this.#hasRoom(owner, origin, nowMs)) return;
    const one: Instance = {
      name: record.target,
      service,
      owner,
      origin,
      bornMs: nowMs,
      pointer,
      server: undefined,
      text: undefined,
      addresses: new Map(),
      askedMissing: false,
      refreshes: 0,
      told: undefined,
    };
    this.#instances.set(keyOf(one.name), one);
    touched.add(one);
  }

  #hasRoom(owner: string, origin: Origin, nowMs: number): boolean {
    let ofSender = 0;
    for (const one of this.#instances.values()) if (one.owner === owner) ofSender += 1;
    if (ofSender < perSourceMax && this.#instances.size < instancesMax) return true;
    const words =
      ofSender >= perSourceMax
        ? `more than ${perSourceMax} announced engines of one sender`
        : `more than ${instancesMax} announced engines`;
    this.#warn(origin.source, words, nowMs);
    return false;
  }

  #describe(record: MdnsRecord, owner: string, nowMs: number, touched: Set<Instance>): void {
    if (record.kind !== 'server' && record.kind !== 'text') return;
    const one = this.#instances.get(keyOf(record.name));
    if (one === undefined || one.owner !== owner) return;
    touched.add(one);
    if (record.kind === 'text') {
      one.text = record.text;
    } else if (record.ttlS === 0) {
      this.#drop(one, 'it withdrew its announcement');
    } else {
      const host = keyOf(record.target);
      if (one.server?.value.host !== host) one.addresses = new Map();
      one.server = lasting({ host, port: record.port }, record.ttlS, nowMs);
    }
  }

  #address(
    records: readonly MdnsRecord[],
    owner: string,
    nowMs: number,
    touched: Set<Instance>,
  ): void {
    const byHost = new Map<string, Extract<MdnsRecord, { kind: 'address' }>[]>();
    for (const record of records) {
      if (record.kind !== 'address') continue;
      const host = keyOf(record.name);
      byHost.set(host, [...(byHost.get(host) ?? []), record].slice(-addressesMax));
    }
    if (byHost.size === 0) return;
    for (const one of this.#instances.values()) {
      const told = one.owner === owner ? byHost.get(one.server?.value.host ?? '') : undefined;
      if (told === undefined) continue;
      const kept = told.some(({ flush }) => flush) ? [] : one.addresses;
      const addresses = new Map(kept);
      for (const { address, ttlS } of told) {
        if (ttlS === 0) addresses.delete(address);
        else if (addresses.has(address) || addresses.size < addressesMax) {
          addresses.set(address, lasting<true>(true, ttlS, nowMs));
        }
      }
      one.addresses = addresses;
      touched.add(one);
    }
  }

  // ---- verdicts ----------------------------------------------------------------------------

  #settle(one: Instance, nowMs: number): void {
    if (this.#instances.get(keyOf(one.name)) !== one) return;
    this.#renewed(one, nowMs);
    const addresses = [...one.addresses].filter(([, { untilMs }]) => untilMs > nowMs);
    if (one.server !== undefined && addresses.length > 0) {
      this.#judge(
        one,
        one.server.value.port,
        addresses.map(([address]) => address),
        nowMs,
      );
    } else if (one.told !== undefined) {
      this.#drop(one, 'it has no address any more');
    } else {
      if (!one.askedMissing || one.server !== undefined) this.#wantDetails(one);
      one.askedMissing = true;
    }
  }

  #judge(one: Instance, port: number, addresses: readonly string[], nowMs: number): void {
    const { name: instance, service, text, origin } = one;
    const candidate = candidateOf({ instance, service, port, text, addresses }, origin);
    if (!candidate.ok) {
      this.#warn(origin.source, candidate.error.message, nowMs);
      this.#drop(one, 'its announcement is refused');
      return;
    }
    const before = one.told;
    one.told = candidate.value;
    if (before !== undefined && isSameOffer(before, candidate.value)) return;
    this.#effects.push({ kind: 'found', candidate: candidate.value });
  }

  /** News of it: what is still old is not asked for from the beginning again. */
  #renewed(one: Instance, nowMs: number): void {
    const { refreshes } = one;
    one.refreshes = 0;
    if (refreshesAt(one) <= nowMs) one.refreshes = refreshes;
  }

  #drop(one: Instance, words: string): void {
    this.#instances.delete(keyOf(one.name));
    if (one.told !== undefined) this.#effects.push({ kind: 'gone', instance: one.name, words });
  }

  #warn(source: string, words: string, nowMs: number): void {
    const before = this.#warnedAt.get(source);
    if (before !== undefined && nowMs - before < warnEveryMs) return;
    this.#warnedAt.set(source, nowMs);
    this.#effects.push({ kind: 'warning', source, words });
  }

  // ---- questions ---------------------------------------------------------------------------

  #wantDetails(one: Instance): void {
    if (one.server === undefined || one.told !== undefined) {
      this.#want(one.name, 'SRV');
      this.#want(one.name, 'TXT');
    }
    if (one.server !== undefined) {
      this.#want(one.server.value.host, 'A');
      this.#want(one.server.value.host, 'AAAA');
    }
  }

  #want(name: string, type: BrowserQuestion['type']): void {
    if (this.#wanted.size >= instancesMax) return;
    this.#wanted.set(`${type} ${keyOf(name)}`, { name, type });
  }

  #drain(nowMs: number): readonly BrowserEffect[] {
    if (this.#wanted.size > 0 && nowMs >= this.#askAfter) {
      const asked = [...this.#wanted].slice(0, questionsMax);
      for (const [key] of asked) this.#wanted.delete(key);
      this.#askAfter = nowMs + askEveryMs;
      this.#effects.push({ kind: 'ask', questions: asked.map(([, question]) => question) });
    }
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
