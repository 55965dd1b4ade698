// What the nodes of a world are made of: the production's own functions, by name. A planted defect
// is a set of parts in which one is broken; the checkers have their own and never use these.

import { canonicalJson } from '../../src/base/canonical.ts';
import { maskSensitive } from '../../src/base/secret.ts';
import { warmupHours } from '../../src/core/allocation/warmup.ts';
import { stepHealth } from '../../src/core/backends/health.ts';
import { currentCodec } from '../../src/core/decisions/record-encoder.ts';
import { chainEvents, findChainFault } from '../../src/core/events/control-event.ts';
import { causalOrder } from '../../src/core/events/timeline.ts';
import { dedupeKeepEarliest, mergeDedupe } from '../../src/core/events/timeline-merge.ts';
import { takeEvents } from '../../src/core/events/trail-check.ts';
import { isolationSurcharge } from '../../src/core/jobs/manifest.ts';
import { judgeAdmission } from '../../src/core/policy/admission.ts';
import { stepLadder } from '../../src/core/policy/ladder.ts';
import { admitsRetry } from '../../src/core/policy/mode-gates.ts';
import {
  compact,
  dedupeFirst,
  pendingEvents,
  replay,
  replayConverges,
} from '../../src/core/resilience/replay.ts';
import { inSequenceWindow, orderBySequence } from '../../src/core/resilience/sequence-window.ts';
import { type Decision, decide } from '../../src/core/routing/decide.ts';
import { buildSnapshot } from '../../src/core/routing/snapshot.ts';
import { ipAllowed } from '../../src/core/security/ip-allowed.ts';
import {
  hasPermissions,
  isAllowedOrigin,
  isMonotonic,
  isTokenWellFormed,
  rateLimitKey,
  tokenNeedsRefresh,
} from '../../src/core/security/rules.ts';
import { sanitisePath, sanitizeHeader } from '../../src/core/security/sanitise.ts';
import { signManifest, verifyManifest } from '../../src/core/security/signature.ts';
import { TokenStore } from '../../src/core/security/token-store.ts';
import { nodeCrypto } from '../../src/io/credentials/crypto.ts';
import { Arena } from '../../src/io/shared-memory/arena.ts';
import { ThreadDesk } from '../../src/services/gateway/thread-desk.ts';

/** What a credential is asked; the production's token store, or a broken one. */
export type TokenKeeper = Pick<TokenStore, 'store' | 'validate' | 'revoke' | 'cleanup' | 'count'>;

/** The queue of notices as the control thread holds it. */
export type NoticeDesk = Pick<ThreadDesk, 'parts' | 'takeUnreachable' | 'release'>;

export const productionParts = {
  // traffic
  decide,
  judgeAdmission,
  admitsRetry,
  buildSnapshot,
  newArena: (threads: number): Arena => Arena.create({ capacity: 64, threads }),
  newDesk: (threads: number, nowMs: number): NoticeDesk => ThreadDesk.create(threads, nowMs),
  // policy
  stepLadder,
  // fleet
  stepHealth,
  // copies and histories
  replay,
  compact,
  replayConverges,
  dedupeFirst,
  pendingEvents,
  inSequenceWindow,
  orderBySequence,
  dedupeKeepEarliest,
  mergeDedupe,
  causalOrder,
  canonicalJson,
  crypto: nodeCrypto,
  sha256Hex: nodeCrypto.sha256Hex,
  // audit
  chainEvents,
  findChainFault,
  isMonotonic,
  takeEvents,
  // security
  newTokenStore: (): TokenKeeper => new TokenStore(nodeCrypto),
  hasPermissions,
  ipAllowed,
  isAllowedOrigin,
  isTokenWellFormed,
  tokenNeedsRefresh,
  rateLimitKey,
  sanitisePath,
  sanitizeHeader,
  maskSensitive,
  signManifest,
  verifyManifest,
  isolationSurcharge,
  warmupHours,
};

/** How nodes behave where no function of the production has a name for it. */
export const productionConduct = {
  /** A lease is given back exactly once, by whichever ending comes first. */
  givesLeaseBack: (_endings: number): boolean => true,
  /** How often a request that ends by itself settles. */
  settlesTimes: 1,
  /** Is a backend that this request has tried kept out of its next decision? */
  remembersTried: true,
  /** May an attempt follow a first byte that the client has? */
  retriesAfterFirstByte: false,
  /** Does a thread that died give back what it held? */
  reclaimsThreads: true,
  /** Does a copy apply only what follows what it has? */
  appliesInOrder: true,
  /** Does a copy that misses something ask for it? */
  asksForMissing: true,
  /** Is a change written before it is acted on? */
  writesBeforeActing: true,
  /** Is whoever asks looked at before what was asked? */
  checksPrincipal: true,
  /** Does a gateway without its keys refuse everything? */
  failsClosed: true,
  /** Is a manifest verified again at promotion? */
  verifiesAgain: true,
  /** Are all transitions of a deployment made, or none? */
  placesAllOrNothing: true,
  /** Do isolated deployments go to isolated slots only? */
  honoursIsolation: true,
  /** Does the tick of the mode count each report once? */
  countsReportsOnce: true,
  /** Are requests in flight of a revoked key ended? */
  endsRevoked: true,
  /** Does a request begin with the newest snapshot of its thread? */
  takesNewestSnapshot: true,
  /** Is the first block of a new segment written as every other? */
  keepsAtRotation: true,
  /** Version of the encoding that blocks say they are written in. */
  codec: currentCodec,
  /** What a disk does to the bytes of a write before they lie there. */
  writesBytes: (bytes: Uint8Array): Uint8Array => bytes,
  /** What is written of a decision: the one that was made. */
  recordsDecision: (decision: Decision): Decision => decision,
};

export type Parts = typeof productionParts;
export type Conduct = typeof productionConduct;
