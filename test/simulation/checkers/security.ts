// SO1 to SO10: who may do what, what is signed, what is written where. Expectations are worked out
// here from what the world knows: who holds which token, which manifest was signed, which slot is
// isolated.

import { createHmac } from 'node:crypto';
import {
  type ControlEvent,
  genesisHash,
  hashInput,
} from '../../../src/core/events/control-event.ts';
import { startOfStream } from '../../../src/core/events/trail-check.ts';
import type { DeploymentManifest } from '../../../src/core/jobs/manifest.ts';
import { nodeCrypto } from '../../../src/io/credentials/crypto.ts';
import type { Slot } from '../nodes/deployments.ts';
import type { Credential, KeyFacts } from '../nodes/key-desk.ts';
import type { Outcome } from '../nodes/operators.ts';
import type { Parts } from '../parts.ts';
import { type CheckerName, demand } from './violation.ts';

const signingKey = 'a key of the release desk';
const origins: readonly string[] = [
  'https://tensorforge.internal',
  'https://dispatch.tensorforge.internal',
  'https://admin.tensorforge.internal',
];

type Judged = {
  readonly shown: Credential;
  readonly facts: KeyFacts | undefined;
  readonly isTold: boolean;
  /** Was the token kept until now? */
  readonly isStored: boolean;
  readonly nowSeconds: number;
  readonly status: number;
};

type Expected = { readonly status: number; readonly rule: CheckerName };

function isBadPath(path: string): boolean {
  return /%00|\0/.test(path) || /%(?![0-9a-fA-F]{2})/.test(path);
}

/** What the order of checks of the specification (B.4) answers. */
function expectedOf({ shown, facts, isTold, isStored, nowSeconds }: Judged): Expected {
  if (!isTold) return { status: 503, rule: 'SO10' };
  if (isBadPath(shown.path)) return { status: 400, rule: 'SO6' };
  if (shown.origin !== undefined && !origins.includes(shown.origin)) {
    return { status: 403, rule: 'SO9' };
  }
  if (shown.token.trim() === '') return { status: 401, rule: 'SO1' };
  if (facts === undefined || facts.token !== shown.token) return { status: 401, rule: 'SO1' };
  const isAlive = nowSeconds >= facts.issuedAt && nowSeconds < facts.issuedAt + facts.ttlSeconds;
  if (!isAlive || !isStored) return { status: 401, rule: 'SO8' };
  if (!facts.permissions.includes('inference:write')) return { status: 403, rule: 'SO1' };
  const isHome = facts.addresses.length === 0 || facts.addresses.includes(shown.address);
  return isHome ? { status: 200, rule: 'SO1' } : { status: 403, rule: 'SO9' };
}

/** Sorted members, no space: written out, so that it does not lean on what is watched. */
function plainText(manifest: DeploymentManifest): string {
  const { artifactMb, deploymentId, isolated, name, shardCount } = manifest;
  return JSON.stringify({ artifactMb, deploymentId, isolated, name, shardCount });
}

export class SecurityChecker {
  readonly #parts: Parts;
  readonly #secrets: string[] = [];
  readonly #heads = new Map<string, ControlEvent>();
  /** How often each judgement was made, so that a test can say that it was made at all. */
  readonly judged = new Map<string, number>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Texts that may be written nowhere. */
  keepSecret(secrets: readonly string[]): void {
    this.#secrets.push(...secrets);
  }

  #note(what: string): void {
    this.judged.set(what, (this.judged.get(what) ?? 0) + 1);
  }

  // ---- credentials -------------------------------------------------------------------------

  judgedCredential(judged: Judged): void {
    const { status, rule } = expectedOf(judged);
    this.#note(`credential ${status}`);
    const { shown } = judged;
    demand(rule, judged.status === status, () => {
      const who = `${shown.keyId} from ${shown.address} on ${JSON.stringify(shown.path)}`;
      return `${who} at ${judged.nowSeconds}: answered ${judged.status}, should be ${status}`;
    });
    const { facts, nowSeconds } = judged;
    if (facts === undefined) return;
    const window = 60;
    const opens = facts.issuedAt + facts.ttlSeconds - window;
    const offered = this.#parts.tokenNeedsRefresh(
      facts.issuedAt,
      nowSeconds,
      facts.ttlSeconds,
      window,
    );
    demand('SO8', offered === nowSeconds > opens, () => {
      return `refresh ${offered ? 'offered' : 'not offered'} at ${nowSeconds}, opens after ${opens}`;
    });
  }

  cleanedUp(before: number, removed: number, expected: number): void {
    demand('SO8', removed === expected, () => {
      return `cleaning removes ${removed} of ${before} tokens, ${expected} have expired`;
    });
  }

  /** A key is gone at a gateway: none of its requests goes on. */
  revoked(thread: number, keyId: string, left: number): void {
    this.#note('key revoked');
    demand('SO1', left === 0, () => `${left} requests of ${keyId} go on at thread ${thread}`);
  }

  // ---- what comes from outside -------------------------------------------------------------

  usedPath(raw: string, clean: string): void {
    const segments = clean.split(/[/\\]/);
    const isClean = !segments.includes('..') && !/^[/\\]/.test(clean) && !clean.includes('\0');
    demand('SO6', isClean, () => `${JSON.stringify(raw)} became the path ${JSON.stringify(clean)}`);
  }

  usedHeader(raw: string, clean: string): void {
    demand(
      'SO6',
      !/[\r\n]/.test(clean),
      () => `${JSON.stringify(raw)} became a header with CR or LF`,
    );
  }

  countedUnder(address: string, path: string, key: string): void {
    demand('SO6', key === `ratelimit:${address}:${path}`, () => `a rate is counted under ${key}`);
  }

  // ---- changes -----------------------------------------------------------------------------

  askedChange(asked: {
    readonly kind: string;
    readonly isAuthentic: boolean;
    readonly needs: readonly string[];
    readonly granted: readonly string[];
    readonly exists: boolean;
    readonly outcome: Outcome;
  }): void {
    const mayIt = asked.needs.every((need) => asked.granted.includes(need));
    const expected: Outcome = !asked.isAuthentic
      ? 'unauthenticated'
      : !mayIt
        ? 'forbidden'
        : asked.exists
          ? 'done'
          : 'not_found';
    this.#note(`change ${expected}`);
    demand('SO1', asked.outcome === expected, () => {
      return `${asked.kind}: ${asked.outcome}, should be ${expected}`;
    });
  }

  /** Something is acted on: its event was written before. */
  acted(kind: string, eventId: string, isWritten: boolean): void {
    demand('SO4', isWritten, () => `${kind} (${eventId}) is acted on before it is written`);
  }

  /**
   * The trail has grown by one: chained to the one before, and not turned round. The hashes
   * themselves are computed again at the end.
   */
  appended(trail: readonly ControlEvent[]): void {
    const event = trail.at(-1);
    if (event === undefined) return;
    const { stream, sequence, prevHash, kind } = event;
    const head = this.#heads.get(stream);
    const place = `${stream} ${sequence} (${kind})`;
    demand('SO4', sequence === (head?.sequence ?? 0) + 1, () => `${place} after ${head?.sequence}`);
    demand('SO4', prevHash === (head?.hash ?? genesisHash), () => `${place} is not chained`);
    this.#heads.set(stream, event);
  }

  // ---- deployments -------------------------------------------------------------------------

  judgedManifest(
    where: string,
    parcel: { readonly manifest: DeploymentManifest; readonly signature: string },
    isSigned: boolean,
  ): void {
    const text = plainText(parcel.manifest);
    const signature = createHmac('sha256', signingKey).update(text).digest('hex');
    const expected = parcel.signature === signature;
    this.#note(`manifest ${where} ${expected ? 'good' : 'bad'}`);
    demand('SO2', isSigned === expected, () => {
      const verdict = isSigned ? 'is taken for signed' : 'is refused';
      return `at ${where} ${text} with ${parcel.signature} ${verdict}`;
    });
  }

  placed(placing: {
    readonly manifest: DeploymentManifest;
    readonly wanted: number;
    readonly slots: readonly Slot[];
    readonly cost: number;
    readonly baseCost: number;
    readonly warmupHours: number;
  }): void {
    const { manifest, wanted, slots, cost, baseCost } = placing;
    const id = manifest.deploymentId;
    this.#note(manifest.isolated ? 'placed isolated' : 'placed');
    const held = new Set(slots.filter(({ holder }) => holder === id)).size;
    demand('SO3', held === wanted, () => `${id} wanted ${wanted} slots and holds ${held}`);
    const isApart = !manifest.isolated || slots.every(({ isolated }) => isolated);
    demand('SO7', isApart, () => `${id} is isolated and stands on ${slots.map((s) => s.id)}`);
    const expected = manifest.isolated ? baseCost * 2.5 : baseCost;
    demand('SO7', cost === expected, () => `${id} pays ${cost}, not ${expected}`);
    const hours = Math.max(1, Math.ceil(manifest.shardCount / 500));
    const warm = manifest.isolated ? hours * 1.5 : hours;
    demand('SO7', placing.warmupHours === warm, () => {
      return `${id} warms up for ${placing.warmupHours} h, not ${warm}`;
    });
  }

  promoted(from: string, to: string, isAllowed: boolean): void {
    demand('SO3', isAllowed, () => `a deployment goes from ${from} to ${to}`);
  }

  vacated(id: string, left: number): void {
    demand('SO3', left === 0, () => `${id} is gone and holds ${left} slots`);
  }

  // ---- secrets -----------------------------------------------------------------------------

  logged(words: string): void {
    for (const secret of this.#secrets) {
      demand('SO5', !words.includes(secret), () => `a log line holds a token: ${words}`);
    }
  }

  // ---- the end -----------------------------------------------------------------------------

  atEnd(trail: readonly ControlEvent[], disks: readonly Buffer[]): void {
    for (const secret of this.#secrets) {
      const isWritten = disks.some((bytes) => bytes.includes(secret));
      demand('SO5', !isWritten, () => 'a file of the decision log holds a token');
      const isTold = trail.some(({ data }) => JSON.stringify(data).includes(secret));
      demand('SO5', !isTold, () => 'the trail holds a token');
    }
    const times = trail.map(({ occurredAt }) => occurredAt);
    const isTurned = times.some((time, index) => time < (times[index - 1] ?? time));
    demand('SO4', this.#parts.isMonotonic(times) !== isTurned, () => 'a reversal is not noticed');
    for (const stream of new Set(trail.map((event) => event.stream))) {
      this.#checkStream(trail.filter((event) => event.stream === stream));
    }
  }

  /** A clock set back by more than a minute is told, at the first event that is dated so. */
  #checkReversals(events: readonly ControlEvent[]): void {
    const stream = events[0]?.stream ?? '';
    const start = startOfStream(stream, { sequence: 0, hash: '' });
    const { fault, reversal } = this.#parts.takeEvents(start, events, nodeCrypto.sha256Hex);
    demand('SO4', fault === undefined, () => `${stream}: ${fault?.reason} at ${fault?.sequence}`);
    let newest = Number.NEGATIVE_INFINITY;
    const turned = events.find(({ occurredAt }) => {
      newest = Math.max(newest, occurredAt);
      return occurredAt < newest - 60_000;
    });
    const words = () =>
      `${stream}: a reversal at ${turned?.sequence} is told at ${reversal?.sequence}`;
    demand('SO4', reversal?.sequence === turned?.sequence, words);
  }

  /** Verifies whole, and damaged in three ways: each damage is found where it is. */
  #checkStream(events: readonly ControlEvent[]): void {
    this.#checkReversals(events);
    const start = { sequence: 0, hash: '' };
    const find = (some: readonly ControlEvent[]) =>
      this.#parts.findChainFault(start, some, nodeCrypto.sha256Hex)?.sequence;
    for (const event of events) {
      const expected = nodeCrypto.sha256Hex(hashInput(event.prevHash, event));
      const words = () => `event ${event.sequence} has the hash ${event.hash}, not ${expected}`;
      demand('SO4', event.hash === expected, words);
    }
    demand('SO4', find(events) === undefined, () => `a fault at ${find(events)} of a whole trail`);
    const middle = Math.floor(events.length / 2);
    const edited = events.map((event, index) =>
      index === middle ? { ...event, actor: 'user:mallory' } : event,
    );
    demand(
      'SO4',
      find(edited) === middle + 1,
      () => `an edit at ${middle + 1} is found at ${find(edited)}`,
    );
    if (events.length < 3) return;
    const gap = events.filter((_, index) => index !== 1);
    demand('SO4', find(gap) === 2, () => `a gap at 2 is found at ${find(gap)}`);
  }
}
