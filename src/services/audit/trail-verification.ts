// Verification of the audit trail, or of a part of it, in three passes that each hold one page:
//
//   1  every stream from its beginning: the chain, and that it ends where its head row says
//   2  every seal: the chain of seals, signatures, and that the sealed heads are the events there
//   3  beside it the anchors file, line by seal; and what the decision log says of itself
//
// The first pass finds whoever changed a row, the second whoever computed all hashes of a stream anew
// or cut its end off, the third whoever put an old copy back. What was written less than a minute and
// a thousand events ago may not be sealed yet: of that, only the chain speaks.
//
// Writers go on meanwhile. What is looked at is bounded by the heads at the start; an anchor is noted
// after its seal, so the anchors are taken before the seals are read.

import { genesisHash } from '../../core/events/control-event.ts';
import { sealStream } from '../../core/events/sealed-digest.ts';
import {
  endFault,
  type StreamCheck,
  sealedHeadFault,
  sealFault,
  sealReversal,
  sealTable,
  startOfStream,
  type TrailFault,
  takeEvents,
} from '../../core/events/trail-check.ts';
import type { StoredEvent, StoredHead } from '../../io/postgres/control-events.ts';
import type { StoredSeal } from '../../io/postgres/event-digests.ts';
import { AnchorComparison } from './anchor-comparison.ts';
import { FaultList } from './fault-list.ts';
import type { AuditFault, DecisionCheck, TrailSource } from './trail-source.ts';

export type VerificationScope = {
  readonly anchors: boolean;
  /** Only these streams, each to this sequence, and no decisions; everything without it. */
  readonly until?: ReadonlyMap<string, number>;
  /** What this seal covers is taken as proven once the seal itself is. */
  readonly since?: StoredSeal | undefined;
};

export type Verified = {
  /** The last event of each stream that was looked at. */
  readonly heads: readonly StoredHead[];
  readonly events: number;
  readonly digests: number;
  readonly decisions: DecisionCheck;
  readonly faults: readonly AuditFault[];
  /** The newest seal that covers nothing beyond what was looked at. */
  readonly seal: StoredSeal | undefined;
};

type StreamEnd = StoredHead & { readonly lastSequence: number };

function located(fault: TrailFault): AuditFault {
  return { ...fault, offset: null };
}

/** Highest seal that an event of the trail tells of. */
function toldSeal(events: readonly StoredEvent[], before: number): number {
  let highest = before;
  for (const { kind, data } of events) {
    const seal = data['seal'];
    if (kind === 'digest_sealed' && typeof seal === 'number') highest = Math.max(highest, seal);
  }
  return highest;
}

class TrailVerification {
  readonly #source: TrailSource;
  readonly #scope: VerificationScope;
  readonly #faults = new FaultList();
  readonly #checks = new Map<string, StreamCheck>();
  readonly #ends = new Map<string, StreamEnd>();
  #toldSeal = 0;
  #events = 0;
  #digests = 0;
  #lastSeal: StoredSeal | undefined;
  #covering: StoredSeal | undefined;

  constructor(source: TrailSource, scope: VerificationScope) {
    this.#source = source;
    this.#scope = scope;
  }

  async run(): Promise<Verified> {
    const isWhole = this.#scope.until === undefined;
    const decisions = isWhole
      ? await this.#source.decisions()
      : { segments: 0, records: 0, faults: [] };
    for (const end of await this.#source.streamEnds()) this.#ends.set(end.stream, end);
    for (const end of this.#ends.values()) {
      if (isWhole || this.#scope.until?.has(end.stream) === true) await this.#checkStream(end);
    }
    await this.#checkSeals();
    const heads = [...this.#checks.values()].map(({ stream, head }) => ({ stream, ...head }));
    return {
      heads,
      events: this.#events,
      digests: this.#digests,
      decisions,
      faults: [...this.#faults.all(), ...decisions.faults],
      seal: this.#covering,
    };
  }

  // ---- streams -----------------------------------------------------------------------------

  async #checkStream(end: StreamEnd): Promise<void> {
    const { stream } = end;
    const start = this.#scope.since?.heads.find((head) => head.stream === stream);
    const until = Math.min(this.#scope.until?.get(stream) ?? end.sequence, end.sequence);
    let check = startOfStream(stream, start ?? { sequence: 0, hash: genesisHash });
    while (check.fault === undefined && check.head.sequence < until) {
      const page = await this.#source.events(stream, check.head.sequence);
      const events = page.filter(({ sequence }) => sequence <= until);
      // Beyond the last event there may be rows of a higher sequence: those are a gap.
      if (events.length === 0 && page.length === 0) break;
      check = takeEvents(check, events.length === 0 ? page : events, this.#source.sha256Hex);
      if (stream === sealStream) this.#toldSeal = toldSeal(events, this.#toldSeal);
    }
    this.#events += check.events;
    this.#checks.set(stream, check);
    const fault = until === end.sequence ? endFault(check, end) : check.fault;
    if (fault !== undefined) this.#faults.add(located(fault));
    if (check.reversal !== undefined) this.#faults.add(located(check.reversal));
  }

  // ---- seals -------------------------------------------------------------------------------

  async #checkSeals(): Promise<void> {
    const tell = (fault: AuditFault): void => this.#faults.add(fault);
    const comparison = this.#scope.anchors
      ? new AnchorComparison(await this.#source.anchors(), tell)
      : undefined;
    try {
      let after = (this.#scope.since?.sequence ?? 1) - 1;
      for (;;) {
        const page = await this.#source.seals(after);
        for (const seal of page) {
          this.#checkSeal(seal);
          await comparison?.compare(seal);
        }
        await this.#checkSealedHeads(page);
        const last = page.at(-1);
        if (last === undefined || this.#isBeyond(last)) break;
        after = last.sequence;
      }
      if (this.#scope.until === undefined) this.#checkLastSeal();
      if (this.#scope.until === undefined) await comparison?.end(this.#lastSeal?.sequence ?? 0);
    } finally {
      await comparison?.close();
    }
  }

  /** Does this seal cover everything that was asked for, so that none after it matters? */
  #isBeyond(seal: StoredSeal): boolean {
    const { until } = this.#scope;
    if (until === undefined) return false;
    const sealed = new Map(seal.heads.map(({ stream, sequence }) => [stream, sequence]));
    return [...until].every(([stream, sequence]) => (sealed.get(stream) ?? 0) >= sequence);
  }

  #checkSeal(seal: StoredSeal): void {
    this.#digests += 1;
    const first = this.#scope.since;
    // The seal that a part begins with is not compared with the one before it.
    const before =
      this.#lastSeal ??
      (first === undefined
        ? { sequence: 0, digest: genesisHash }
        : { sequence: first.sequence - 1, digest: seal.prevDigest });
    const fault = sealFault(before, seal, this.#source.sha256Hex);
    if (fault !== undefined) this.#faults.add(located(fault));
    else if (!this.#source.isOurs(seal)) this.#badSignature(seal);
    const reversal = sealReversal(this.#lastSeal, seal);
    if (reversal !== undefined) this.#faults.add(located(reversal));
    this.#lastSeal = seal;
  }

  #badSignature(seal: StoredSeal): void {
    this.#faults.add({
      where: 'digests',
      name: sealTable,
      sequence: seal.sequence,
      offset: null,
      reason: 'wrong_signature',
      expected: 'a signature of a key of this installation',
      found: `${seal.signature} of the key ${seal.publicKey}`,
    });
  }

  /** The heads of these seals against the events there, but for heads that an earlier seal had. */
  async #checkSealedHeads(seals: readonly StoredSeal[]): Promise<void> {
    const places = new Map<string, StoredHead>();
    for (const seal of seals) {
      for (const head of seal.heads) {
        if (this.#scope.until?.has(head.stream) === false) continue;
        places.set(`${head.stream} ${head.sequence} ${head.hash}`, head);
      }
    }
    const stored = new Map<string, string>();
    for (const { stream, sequence, hash } of await this.#source.hashesAt([...places.values()])) {
      stored.set(`${stream} ${sequence}`, hash);
    }
    for (const head of places.values()) {
      const hash = stored.get(`${head.stream} ${head.sequence}`);
      const lastSequence = this.#ends.get(head.stream)?.lastSequence ?? 0;
      const fault = sealedHeadFault(head, hash, lastSequence);
      if (fault !== undefined) this.#faults.add(located(fault));
    }
    for (const seal of seals) if (this.#isWithin(seal)) this.#covering = seal;
  }

  #isWithin(seal: StoredSeal): boolean {
    return seal.heads.every(({ stream, sequence }) => {
      const check = this.#checks.get(stream);
      return check === undefined || sequence <= check.head.sequence;
    });
  }

  /** A seal that an event tells of, and that is not in the table any more. */
  #checkLastSeal(): void {
    const last = this.#lastSeal?.sequence ?? 0;
    if (this.#toldSeal <= last) return;
    this.#faults.add({
      where: 'digests',
      name: sealTable,
      sequence: last + 1,
      offset: null,
      reason: 'seal_missing',
      expected: `seals to ${this.#toldSeal}, as the stream ${sealStream} tells`,
      found: `nothing after ${last}`,
    });
  }
}

/** Verifies the trail, or the part that `scope` names. Rejects only when it cannot be read. */
export function verifyTrail(source: TrailSource, scope: VerificationScope): Promise<Verified> {
  return new TrailVerification(source, scope).run();
}
