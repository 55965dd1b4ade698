// An exported trail, verified from the file alone: nothing but the file, and the anchors where there
// are any, has to be trusted. It is read line by line and nothing of it is kept.
//
//   {stream, sequence, ..., prev_hash, hash}     one line per event, stream after stream
//   {"manifest": {counts, heads, seal, digest, signature, public_key}}     the last line
//
// The chain of each stream ties its lines together, the heads tie the chains to the manifest, and the
// signature ties the manifest to the installation. A file that was cut has no manifest.
//
// Whose signature it is, only the anchors say: the key in a manifest is what the manifest claims.

import { canonicalJson, type Json } from '../../base/canonical.ts';
import { compareText } from '../../base/compare.ts';
import {
  type AnchorWire,
  anchorSchema,
  exportStatement,
  type Manifest,
  manifestLineSchema,
  type SealWire,
  sealStatement,
} from './schemas.ts';

export type TrailCrypto = {
  sha256Hex(text: string): string;
  isSignedBy(publicKey: string, text: string, signature: string): boolean;
};

export type TrailFileFault = {
  readonly where: 'events' | 'digests';
  /** The stream; `manifest` or `anchors`. */
  readonly name: string;
  /** From 1. */
  readonly line: number | null;
  readonly sequence: number | null;
  readonly reason: string;
  readonly expected: string | null;
  readonly found: string | null;
};

export type TrailFileReport = {
  readonly whole: boolean;
  readonly events: number;
  readonly streams: readonly {
    readonly stream: string;
    readonly first_sequence: number;
    readonly sequence: number;
    readonly hash: string;
  }[];
  /** The key that signed the manifest; null without a manifest. */
  readonly public_key: string | null;
  /** Do the anchors prove the file's events, up to the newest seal? Null without anchors. */
  readonly anchored: boolean | null;
  readonly faults: readonly TrailFileFault[];
};

type Run = {
  readonly stream: string;
  readonly first: number;
  readonly prevHash: string;
  sequence: number;
  hash: string;
  count: number;
  isBroken: boolean;
  /** The hash at the place that the seal names is known only once the manifest was read. */
  readonly hashes: Map<number, string>;
};

/** Hashes kept per stream, so that the sealed one is among them whichever it is: the newest ones. */
const hashesMax = 4096;

type EventLine = { readonly [member: string]: Json | undefined };

function parseLine(text: string): EventLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return Object.fromEntries(Object.entries(value));
  } catch {
    return undefined;
  }
}

class TrailFileCheck {
  readonly #crypto: TrailCrypto;
  readonly #runs = new Map<string, Run>();
  readonly #faults: TrailFileFault[] = [];
  #manifest: Manifest | undefined;
  #line = 0;
  #events = 0;
  /** Streams that the seal proves up to its head, and those whose hash at that place was let go. */
  #proven = 0;
  #unproven = 0;

  constructor(crypto: TrailCrypto) {
    this.#crypto = crypto;
  }

  take(text: string): void {
    this.#line += 1;
    const value = parseLine(text);
    if (this.#manifest !== undefined) this.#fault('after_manifest', null, text.slice(0, 40));
    else if (value === undefined) this.#fault('unreadable', 'one JSON object', text.slice(0, 40));
    else if (Object.hasOwn(value, 'manifest')) this.#takeManifest(value);
    else this.#takeEvent(value);
  }

  report(anchors: readonly AnchorWire[] | undefined): TrailFileReport {
    const manifest = this.#manifest;
    if (manifest === undefined) {
      this.#line += 1;
      this.#fault('no_manifest', 'a last line with the manifest', 'the end of the file');
    } else {
      this.#checkManifest(manifest);
      if (anchors !== undefined) this.#checkAnchors(manifest, anchors);
    }
    const isSound = this.#faults.length === 0;
    return {
      whole: isSound,
      events: this.#events,
      streams: this.#ends().map(({ stream, first, sequence, hash }) => {
        return { stream, first_sequence: first, sequence, hash };
      }),
      public_key: manifest?.public_key ?? null,
      anchored: anchors === undefined ? null : isSound && this.#proven > 0 && this.#unproven === 0,
      faults: this.#faults,
    };
  }

  #ends(): readonly Run[] {
    return [...this.#runs.values()].sort((a, b) => compareText(a.stream, b.stream));
  }

  #fault(
    reason: string,
    expected: string | null,
    found: string | null,
    place: Partial<TrailFileFault> = {},
  ): void {
    const usual = { where: 'digests', name: 'manifest', sequence: null, line: this.#line } as const;
    this.#faults.push({ ...usual, ...place, reason, expected, found });
  }

  #takeEvent(event: EventLine): void {
    const { stream, sequence, hash, prev_hash: prevHash, ...rest } = event;
    const isEvent =
      typeof stream === 'string' &&
      typeof sequence === 'number' &&
      typeof hash === 'string' &&
      typeof prevHash === 'string';
    if (!isEvent) {
      this.#fault('unreadable', 'an event with stream, sequence and hashes', null);
      return;
    }
    this.#events += 1;
    const run = this.#runs.get(stream) ?? this.#begin(stream, sequence, prevHash);
    const computed = this.#crypto.sha256Hex(
      canonicalJson({ ...rest, stream, sequence, prev_hash: prevHash }),
    );
    this.#checkEvent(run, { sequence, prevHash, hash, computed });
    run.sequence = sequence;
    run.hash = hash;
    run.count += 1;
    run.hashes.set(sequence, hash);
    if (run.hashes.size > hashesMax) run.hashes.delete(sequence - hashesMax);
  }

  #begin(stream: string, first: number, prevHash: string): Run {
    const run: Run = {
      stream,
      first,
      prevHash,
      sequence: first - 1,
      hash: prevHash,
      count: 0,
      isBroken: false,
      hashes: new Map(),
    };
    this.#runs.set(stream, run);
    return run;
  }

  /** The first bad place of each stream is told; what follows it is bad for the same reason. */
  #checkEvent(
    run: Run,
    event: {
      readonly sequence: number;
      readonly prevHash: string;
      readonly hash: string;
      readonly computed: string;
    },
  ): void {
    if (run.isBroken) return;
    const expected = run.sequence + 1;
    const place = { where: 'events', name: run.stream, sequence: expected } as const;
    const before = this.#faults.length;
    if (event.sequence !== expected) {
      this.#fault('gap', `sequence ${expected}`, `sequence ${event.sequence}`, place);
    } else if (event.prevHash !== run.hash) {
      this.#fault('wrong_prev_hash', run.hash, event.prevHash, place);
    } else if (event.hash !== event.computed) {
      this.#fault('wrong_hash', event.computed, event.hash, place);
    }
    run.isBroken = this.#faults.length > before;
  }

  #takeManifest(value: EventLine): void {
    const parsed = manifestLineSchema.safeParse(value);
    if (parsed.success) this.#manifest = parsed.data.manifest;
    else this.#fault('unreadable', 'a manifest of version 1', null);
  }

  #checkManifest(manifest: Manifest): void {
    const { digest, signature, public_key, ...body } = manifest;
    const computed = this.#crypto.sha256Hex(canonicalJson(body));
    if (digest !== computed) this.#fault('wrong_digest', computed, digest);
    else if (!this.#crypto.isSignedBy(public_key, exportStatement(digest), signature)) {
      this.#fault('wrong_signature', `a signature of ${public_key}`, signature);
    }
    for (const run of this.#ends()) this.#checkRun(run, manifest);
    for (const head of manifest.heads) {
      if (this.#runs.has(head.stream)) continue;
      const place = { where: 'events', name: head.stream, sequence: head.first_sequence } as const;
      this.#fault('missing', `${head.first_sequence} to ${head.sequence}`, 'no event', place);
    }
    if (manifest.events !== this.#events) {
      this.#fault('wrong_count', `${manifest.events} events`, `${this.#events} events`);
    }
    if (manifest.seal !== null) this.#checkSeal(manifest.seal);
  }

  #checkRun(run: Run, manifest: Manifest): void {
    if (run.isBroken) return;
    const told = manifest.heads.find(({ stream }) => stream === run.stream);
    const place = { where: 'events', name: run.stream, sequence: run.sequence } as const;
    if (told === undefined) {
      this.#fault('not_in_manifest', 'no event of this stream', `${run.count} events`, place);
      return;
    }
    const expected = `${told.first_sequence} to ${told.sequence}, ${told.hash}`;
    const found = `${run.first} to ${run.sequence}, ${run.hash}`;
    const isStart = told.prev_hash === run.prevHash;
    if (expected !== found || !isStart) this.#fault('head_differs', expected, found, place);
  }

  #checkSeal(seal: SealWire): void {
    const { digest, signature, public_key, ...body } = seal;
    const computed = this.#crypto.sha256Hex(canonicalJson(body));
    const place = { name: 'seal', sequence: seal.sequence } as const;
    if (digest !== computed) this.#fault('wrong_digest', computed, digest, place);
    else if (
      !this.#crypto.isSignedBy(public_key, sealStatement(seal.sequence, digest), signature)
    ) {
      this.#fault('wrong_signature', `a signature of ${public_key}`, signature, place);
    }
    for (const { stream, sequence, hash } of seal.heads) {
      const run = this.#runs.get(stream);
      if (run === undefined || run.isBroken || sequence < run.first) continue;
      const found = run.hashes.get(sequence);
      if (found === undefined) this.#unproven += 1;
      else if (found === hash) this.#proven += 1;
      else {
        const at = { where: 'events', name: stream, sequence } as const;
        this.#fault('sealed_differently', hash, found, at);
      }
    }
  }

  #checkAnchors(manifest: Manifest, anchors: readonly AnchorWire[]): void {
    const name = 'anchors';
    const key = manifest.public_key;
    if (!anchors.some(({ public_key }) => public_key === key)) {
      this.#fault('unknown_key', 'a key that signed an anchor', key, { name });
    }
    const { seal } = manifest;
    if (seal === null) return;
    const anchor = anchors.find(({ sequence }) => sequence === seal.sequence);
    const place = { name, sequence: seal.sequence } as const;
    if (anchor === undefined) this.#fault('anchor_missing', seal.digest, null, place);
    else if (anchor.digest !== seal.digest) {
      this.#fault('seal_differs', anchor.digest, seal.digest, place);
    }
  }
}

/** The anchors in the text of an anchors file; a line that is none is told by its number from 1. */
export function parseAnchors(text: string): {
  readonly anchors: readonly AnchorWire[];
  readonly badLine: number | undefined;
} {
  const anchors: AnchorWire[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const parsed = anchorSchema.safeParse(parseLine(line));
    if (!parsed.success) return { anchors, badLine: index + 1 };
    anchors.push(parsed.data);
  }
  return { anchors, badLine: undefined };
}

/** Verifies an exported trail, given line by line without line ends. */
export async function checkTrailFile(
  lines: AsyncIterable<string> | Iterable<string>,
  crypto: TrailCrypto,
  anchors?: readonly AnchorWire[],
): Promise<TrailFileReport> {
  const check = new TrailFileCheck(crypto);
  for await (const line of lines) check.take(line);
  return check.report(anchors);
}
