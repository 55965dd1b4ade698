// Copies of answered requests (platform specification D.4): what of one gateway thread is copied, waits,
// is under way, and what the two answers came to. Nothing here is on the path of a request but the
// question whether there is a rule.
//
//   ticket --the client has its whole answer--> waiting --a place is free--> under way --> reported
//      +--- any other ending: let go of            +--- no room: dropped, counted
//
// A copy leaves after the client's answer has ended, not beside it: then the two never compete for the
// engine, only answers that succeeded are compared, and nobody can wait for it.
//
//   Z1  At most `queueSize` copies wait, `inFlight` are under way, and what they hold is within
//       `heldBytesMax`; what does not fit is dropped and counted, never the client's request.
//   Z2  A copy goes to nothing that the rules of the client's model forbid.
//   Z3  What copies cost is charged to the installation, and to no key and no group.

import { textHash } from '../../base/text-hash.ts';
import { type ShadowRule, shadowFor } from '../../core/routing/shadow-rule.ts';
import type { Target } from '../../core/routing/snapshot.ts';
import { textDistance } from '../../core/statistics/text-distance.ts';
import type { UpstreamPool } from '../../io/http/upstream/upstream.ts';
import type { ShadowComparisonRow } from '../../io/postgres/shadow-store.ts';
import { AnswerRecord } from './answer-record.ts';
import type { GatewayContext } from './context.ts';
import { type CopyOutcome, ShadowCopy } from './shadow-copy.ts';
import { type CopyPorts, copyRequestOf } from './shadow-request.ts';
import type {
  PrimaryEnd,
  ShadowDesk,
  ShadowedRequest,
  ShadowReport,
  ShadowTicket,
  UncomparedOutcome,
} from './shadow-ticket.ts';

type Waiting = { readonly ticket: ShadowTicket; readonly primary: PrimaryEnd };

export type ShadowPorts = CopyPorts &
  Pick<
    GatewayContext,
    'credentialOf' | 'journal' | 'metrics' | 'monotonicMs' | 'settings' | 'usage'
  > & {
    /** Connections of their own. */
    openPool(target: Target): UpstreamPool;
    /** Calls back once what runs now is over. */
    later(act: () => void): void;
  };

/** A larger request is not copied. */
export const copiedBytesMax = 262_144;
const heldBytesMax = 32 * 1024 * 1024;
const comparisonsMax = 1000;
/** Who is charged, in the place of a key and a group. */
const payer = '(shadow)';
const poolSweepEvery = 10;

export class Shadows implements ShadowDesk {
  readonly #ports: ShadowPorts;
  readonly #context;
  readonly #waiting: Waiting[] = [];
  readonly #running = new Map<ShadowCopy, Waiting>();
  readonly #pools = new Map<string, { readonly url: string; readonly pool: UpstreamPool }>();
  #heldBytes = 0;
  #comparisons: ShadowComparisonRow[] = [];
  readonly #uncompared = new Map<string, [string, UncomparedOutcome, number]>();
  #isPumping = false;
  #isClosed = false;
  #sweeps = 0;

  constructor(ports: ShadowPorts) {
    this.#ports = ports;
    const { credentialOf, metrics, monotonicMs, settings, wallMs } = ports;
    this.#context = {
      credentialOf,
      metrics,
      monotonicMs,
      settings,
      wallMs,
      poolOf: (target: Target) => this.#poolOf(target),
      // Health and the waiting room hear nothing of copies.
      connectFailed: () => {},
      waiting: { released: () => {} },
    };
  }

  /** Copies that wait or are under way. */
  get size(): number {
    return this.#waiting.length + this.#running.size;
  }

  ticket(of: ShadowedRequest, rules: readonly ShadowRule[]): ShadowTicket | undefined {
    const about = { model: of.route.resolvedModel, groupName: of.groupName };
    const rule = shadowFor(rules, about, textHash(of.requestId));
    if (rule === undefined || this.#isClosed) return undefined;
    const heldBytes = of.body.length;
    if (heldBytes > copiedBytesMax || this.#heldBytes + heldBytes > heldBytesMax) {
      this.#skip(rule, 'dropped');
      return undefined;
    }
    this.#heldBytes += heldBytes;
    return { rule, of, answer: new AnswerRecord(), heldBytes };
  }

  ended(ticket: ShadowTicket, primary: PrimaryEnd | undefined): void {
    const { queueSize } = this.#ports.snapshot().settings.shadow;
    const isWanted = primary !== undefined && !this.#isClosed;
    if (!isWanted || this.#waiting.length >= queueSize) {
      if (isWanted) this.#skip(ticket.rule, 'dropped');
      this.#heldBytes -= ticket.heldBytes;
      return;
    }
    this.#waiting.push({ ticket, primary });
    this.#pumpLater();
  }

  /** Called every 100 ms; `nowMs` is monotonic. */
  sweep(nowMs: number): void {
    for (const copy of [...this.#running.keys()]) copy.sweep(nowMs);
    this.#sweeps++;
    if (this.#sweeps % poolSweepEvery !== 0) return;
    for (const { pool } of this.#pools.values()) pool.sweep(nowMs);
  }

  /** What there is to tell since the last call; undefined where nothing happened. */
  report(): ShadowReport | undefined {
    if (this.#comparisons.length === 0 && this.#uncompared.size === 0) return undefined;
    const report = {
      comparisons: this.#comparisons,
      uncompared: [...this.#uncompared.values()],
    };
    this.#comparisons = [];
    this.#uncompared.clear();
    return report;
  }

  /** A backend that is gone, or another one now. */
  forget(backendId: string): void {
    this.#pools.get(backendId)?.pool.close();
    this.#pools.delete(backendId);
  }

  /** Lets go of every copy; none is made any more. */
  close(): void {
    this.#isClosed = true;
    for (const { ticket } of this.#waiting) this.#skip(ticket.rule, 'dropped');
    for (const copy of this.#running.keys()) copy.abandon();
    this.#waiting.length = 0;
    this.#running.clear();
    for (const { pool } of this.#pools.values()) pool.close();
  }

  #poolOf(target: Target): UpstreamPool {
    const known = this.#pools.get(target.id);
    if (known?.url === target.url) return known.pool;
    known?.pool.close();
    const pool = this.#ports.openPool(target);
    this.#pools.set(target.id, { url: target.url, pool });
    return pool;
  }

  // ---- starting ----------------------------------------------------------------------------

  #pumpLater(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    this.#ports.later(() => {
      this.#isPumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    const { inFlight } = this.#ports.snapshot().settings.shadow;
    while (this.#running.size < inFlight) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const refused = this.#start(next);
      if (refused === undefined) continue;
      this.#skip(next.ticket.rule, refused);
      this.#heldBytes -= next.ticket.heldBytes;
    }
  }

  /** Undefined when it is under way. */
  #start(waiting: Waiting): UncomparedOutcome | undefined {
    const request = copyRequestOf(this.#ports, waiting.ticket, waiting.primary);
    if (typeof request === 'string') return request;
    const copy = new ShadowCopy(this.#context, request, this.#onEnded);
    this.#running.set(copy, waiting);
    copy.send();
    return undefined;
  }

  // ---- ending ------------------------------------------------------------------------------

  #skip({ name }: ShadowRule, outcome: UncomparedOutcome): void {
    const key = `${outcome} ${name}`;
    const entry = this.#uncompared.get(key);
    if (entry === undefined) this.#uncompared.set(key, [name, outcome, 1]);
    else entry[2]++;
    this.#count(name, outcome);
  }

  #count(shadow: string, outcome: string): void {
    const labels = `shadow="${shadow}",outcome="${outcome}"`;
    this.#ports.metrics.count(`tensorforge_shadow_requests_total{${labels}}`);
  }

  readonly #onEnded = (copy: ShadowCopy, outcome: CopyOutcome): void => {
    const waiting = this.#running.get(copy);
    if (waiting === undefined) return;
    this.#running.delete(copy);
    this.#heldBytes -= waiting.ticket.heldBytes;
    this.#report(copy, outcome, waiting);
    if (this.#waiting.length > 0) this.#pumpLater();
  };

  #report(copy: ShadowCopy, outcome: CopyOutcome, { ticket, primary }: Waiting): void {
    const at = this.#ports.wallMs();
    const { status, target, model } = copy;
    const use = copy.settle();
    const charged = { at, keyId: payer, groupName: payer, backendId: target.id, status };
    this.#ports.usage.add({ ...charged, servedModel: model }, use);
    this.#count(ticket.rule.name, outcome);
    const compared = {
      shadow: ticket.rule.name,
      requestId: ticket.of.requestId,
      outcome,
      model,
      status,
      primaryStatus: primary.status,
      totalMs: copy.totalMs,
      primaryTotalMs: primary.totalMs,
      distance: distanceOf(copy, outcome, ticket),
    };
    if (ticket.of.isKept) {
      this.#ports.journal.later({
        kind: 'shadowed',
        at,
        backendId: target.id,
        completionTokens: use.completionTokens,
        primaryCompletionTokens: primary.completionTokens,
        ...compared,
      });
    }
    if (this.#comparisons.length >= comparisonsMax) return;
    this.#comparisons.push({
      ...compared,
      atMs: at,
      primaryModel: primary.model,
      primaryBackend: primary.backendId,
      backend: target.id,
      tokens: use.completionTokens,
      primaryTokens: primary.completionTokens,
      firstByteMs: wholeMs(copy.firstByteMs),
      primaryFirstByteMs: wholeMs(primary.firstByteMs),
      totalMs: Math.round(compared.totalMs),
      primaryTotalMs: Math.round(compared.primaryTotalMs),
    });
  }
}

function wholeMs(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.max(0, Math.round(ms));
}

/** Basis points; undefined where there are no two texts. */
function distanceOf(
  copy: ShadowCopy,
  outcome: CopyOutcome,
  { answer, of }: ShadowTicket,
): number | undefined {
  const [primary, shadow] = [answer.take(), copy.answer.take()];
  if (outcome !== 'compared' || of.features.kind === 'embeddings') return undefined;
  return primary === undefined || shadow === undefined ? undefined : textDistance(primary, shadow);
}
