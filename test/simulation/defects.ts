// Planted defects: a part of the nodes broken on purpose, and the checker that must say so. They
// prove that the checkers can fail, and that each fails for its own reason. `seeds` is how many seeds
// it may take, from 1 on; a defect that needs a rare fault to show gets more.

import { err, ok } from '../../src/base/result.ts';
import type { LadderStep } from '../../src/core/policy/ladder.ts';
import { movedTo } from '../../src/core/policy/ladder-state.ts';
import type { ServingMode } from '../../src/core/policy/serving-mode.ts';
import type { ReplayEvent } from '../../src/core/resilience/replay-event.ts';
import type { Decision } from '../../src/core/routing/decide.ts';
import type { Reading } from '../../src/core/routing/decision-input.ts';
import { TokenStore } from '../../src/core/security/token-store.ts';
import { refusal } from '../../src/errors/tensorforge-error.ts';
import { nodeCrypto } from '../../src/io/credentials/crypto.ts';
import type { CheckerName } from './checkers/violation.ts';
import {
  type Conduct,
  type NoticeDesk,
  type Parts,
  productionParts as sound,
  type TokenKeeper,
} from './parts.ts';

export type Defect = {
  readonly name: string;
  readonly finder: CheckerName;
  readonly seeds: number;
  /** The first seed to try: in one before it another checker sees a consequence first. */
  readonly from: number;
  readonly plant: () => {
    readonly parts?: Partial<Parts>;
    readonly conduct?: Partial<Conduct>;
  };
};

function defect(
  name: string,
  finder: CheckerName,
  plant: Defect['plant'],
  seeds = 3,
  from = 1,
): Defect {
  return { name, finder, seeds, from, plant };
}

const parts = (broken: Partial<Parts>) => () => ({ parts: broken });
const conduct = (broken: Partial<Conduct>) => () => ({ conduct: broken });

// ---- broken parts --------------------------------------------------------------------------

/** A token store that asks its question one second early or late. */
function shiftedTokens(validateShift: number, cleanupShift: number): TokenKeeper {
  const store = new TokenStore(nodeCrypto);
  return {
    store: (id, token, issuedAt, ttl) => store.store(id, token, issuedAt, ttl),
    validate: (id, token, now) => store.validate(id, token, now + validateShift),
    revoke: (id) => store.revoke(id),
    cleanup: (now) => store.cleanup(now + cleanupShift),
    get count() {
      return store.count;
    },
  };
}

/** A desk that drops the most urgent notice. */
function losesOne(threads: number, nowMs: number): NoticeDesk {
  const desk = sound.newDesk(threads, nowMs);
  return {
    parts: desk.parts,
    takeUnreachable: () => desk.takeUnreachable().slice(1),
    release: (thread) => desk.release(thread),
  };
}

/** Per id the event with the lowest sequence: the wrong keep rule. */
function keepsLowest(events: readonly ReplayEvent[]) {
  const oldest = new Map<string, ReplayEvent>();
  for (const event of sound.orderBySequence(events)) {
    if (!oldest.has(event.id)) oldest.set(event.id, event);
  }
  return ok([...oldest.values()]);
}

const countsTwice: Parts['replay'] = (events) => {
  const places = new Set(events.map(({ sequence }) => sequence));
  return places.size < events.length ? ok(sound.orderBySequence(events)) : sound.replay(events);
};

function withMode(step: LadderStep, to: ServingMode): LadderStep {
  return { ...step, state: { ...step.state, mode: to } };
}

const skipsMode: Parts['stepLadder'] = (settings, state, tick) => {
  const step = sound.stepLadder(settings, state, tick);
  return step.effects.some(({ kind }) => kind === 'mode_escalated')
    ? withMode(step, 'halted')
    : step;
};

const ignoresCooldown: Parts['stepLadder'] = (settings, state, tick) =>
  sound.stepLadder({ ...settings, minCooldownMs: 0 }, state, tick);

const oscillates: Parts['stepLadder'] = (settings, state, tick) => {
  const step = sound.stepLadder(settings, state, tick);
  const isUp = step.effects.some(({ kind }) => kind === 'mode_escalated');
  if (!isUp) return step;
  return { ...step, state: { ...step.state, runs: { failureBurst: 0, successStreak: 9 } } };
};

const wrapsAround: Parts['stepLadder'] = (settings, state, tick) => {
  if (state.mode !== 'restricted' || tick.trips.length === 0) {
    return sound.stepLadder(settings, state, tick);
  }
  return { state: movedTo(state, 'normal', tick.at, 'wrapped', state.runs), effects: [] };
};

const misjudgesRisk: Parts['stepLadder'] = (settings, state, tick) => {
  const step = sound.stepLadder(settings, state, tick);
  const effects = step.effects.map((effect) => ({
    ...effect,
    evidence: { ...effect.evidence, risk: effect.evidence.risk / 2 },
  }));
  return { ...step, effects };
};

const neverStepsDown: Parts['stepLadder'] = (settings, state, tick) =>
  sound.stepLadder({ ...settings, holdMs: Number.MAX_SAFE_INTEGER }, state, tick);

/** A decision that a hidden counter has a part in: not a function of what it was given. */
function moodyDecide(): Parts['decide'] {
  let calls = 0;
  return (snapshot, counters, features, input) => {
    const cursor = input.cursor + (calls++ % 2);
    return sound.decide(snapshot, counters, features, {
      ...input,
      cursor,
      seed: input.seed + calls,
    });
  };
}

/** Decides on other readings than there are. */
function deciding(change: (reading: Reading) => Reading): Parts['decide'] {
  return (snapshot, counters, features, input) =>
    sound.decide(
      snapshot,
      { read: (offer, reads) => change(counters.read(offer, reads)) },
      features,
      input,
    );
}

const blindToHealth = deciding((reading) => ({ ...reading, statusCode: 1 }));
const blindToLoad = deciding((reading) => ({ ...reading, pending: 0 }));

function recordsAnother(decision: Decision): Decision {
  if (decision.kind !== 'route') return decision;
  const chosen = decision.considered.findIndex(
    ({ target, stage }) => stage === undefined && target.id !== decision.target.id,
  );
  const other = decision.considered[chosen];
  return other === undefined ? decision : { ...decision, target: other.target, chosen };
}

/** Turns one bit of every seventh write, behind whoever computed the checksum. */
function flipsBits(): Conduct['writesBytes'] {
  let writes = 0;
  return (bytes) => {
    if (++writes % 7 !== 0) return bytes;
    const flipped = Uint8Array.from(bytes);
    const middle = Math.floor(flipped.length / 2);
    flipped[middle] = (flipped[middle] ?? 0) ^ 16;
    return flipped;
  };
}

function everyOther(): (endings: number) => boolean {
  let calls = 0;
  return () => calls++ % 50 !== 49;
}

const unchained: Parts['chainEvents'] = (head, events, digest) =>
  sound.chainEvents({ sequence: head.sequence, hash: '0'.repeat(64) }, events, digest);

const skipsSequence: Parts['chainEvents'] = (head, events, digest) =>
  sound.chainEvents({ ...head, sequence: head.sequence === 3 ? 4 : head.sequence }, events, digest);

export const defects: readonly Defect[] = [
  // traffic
  defect('a lease is not returned', 'pending', () => ({
    conduct: { givesLeaseBack: everyOther() },
  })),
  defect('a notice is lost in the queue', 'queue', parts({ newDesk: losesOne })),
  defect('a request settles twice', 'one-ending', conduct({ settlesTimes: 2 })),
  defect('a request settles never', 'one-ending', conduct({ settlesTimes: 0 }), 3, 2),
  defect('a dead thread keeps its leases', 'calm', conduct({ reclaimsThreads: false })),
  defect('a backend is tried twice', 'one-attempt', conduct({ remembersTried: false })),
  defect(
    'an attempt follows the first byte',
    'first-byte',
    conduct({ retriesAfterFirstByte: true }),
    3,
  ),
  defect('load is not looked at', 'capacity', parts({ decide: blindToLoad })),
  defect('a stale snapshot is used', 'copies', conduct({ takesNewestSnapshot: false })),
  // replay
  defect(
    'a replay depends on the order of arrival',
    'RD1',
    parts({ replay: (events) => ok(events) }),
  ),
  defect('a replay keeps the lowest sequence', 'RD1', parts({ replay: keepsLowest })),
  defect('an event delivered twice counts twice', 'RD2', parts({ replay: countsTwice })),
  defect('copies apply what comes as it comes', 'RD3', conduct({ appliesInOrder: false }), 4, 2),
  defect('a copy never asks for what it misses', 'calm', conduct({ asksForMissing: false }), 8),
  defect('histories never converge', 'RD3', parts({ replayConverges: () => false })),
  defect(
    'order is turned round',
    'RD4',
    parts({
      orderBySequence: (events) => sound.orderBySequence(events).toReversed(),
    }),
  ),
  defect(
    'a window is open at its end',
    'RD5',
    parts({
      inSequenceWindow: (events, min, max) => sound.inSequenceWindow(events, min, max - 1),
    }),
    4,
  ),
  defect('compaction keeps the lowest', 'RD6', parts({ compact: keepsLowest })),
  defect(
    'what was applied is pending again',
    'RD6',
    parts({
      pendingEvents: (events, applied) =>
        applied.size > 0 ? [] : sound.pendingEvents(events, applied),
    }),
  ),
  defect(
    'delivery keeps the last arrival',
    'RD7',
    parts({
      dedupeFirst: (events) => sound.dedupeFirst(events.toReversed()).toReversed(),
    }),
  ),
  defect(
    'the audit keeps the latest',
    'RD7',
    parts({
      dedupeKeepEarliest: (events) => {
        const newest = new Map(sound.causalOrder(events).map((event) => [event.id, event]));
        return sound.causalOrder([...newest.values()]);
      },
    }),
  ),
  defect(
    'a merge prefers the second stream',
    'RD7',
    parts({
      mergeDedupe: (a, b) => sound.mergeDedupe(b, a),
    }),
  ),
  defect('a report counts whenever it arrives', 'RD7', conduct({ countsReportsOnce: false })),
  defect('a decision has a mood', 'RD8', () => ({ parts: { decide: moodyDecide() } }), 4),
  defect('another decision is recorded', 'RD9', conduct({ recordsDecision: recordsAnother })),
  defect(
    'members are not sorted',
    'RD10',
    parts({ canonicalJson: (value) => JSON.stringify(value) }),
  ),
  // log
  defect('blocks name a codec that is not theirs', 'RD11', conduct({ codec: 99 })),
  defect('a block is lost at rotation', 'gapless', conduct({ keepsAtRotation: false })),
  defect('a disk turns bits', 'gapless', () => ({ conduct: { writesBytes: flipsBits() } })),
  // policy
  defect('a mode is skipped', 'RP1', parts({ stepLadder: skipsMode }), 3),
  defect('a mode wraps around', 'RP1', parts({ stepLadder: wrapsAround }), 8),
  defect(
    'halted admits everyone',
    'RP2',
    parts({
      judgeAdmission: (priorityClass, reading) =>
        sound.judgeAdmission(priorityClass, { ...reading, mode: 'normal' }),
    }),
    12,
  ),
  defect(
    'every mode retries as normal does',
    'RP2',
    parts({
      admitsRetry: (_mode, done) => sound.admitsRetry('normal', done),
    }),
  ),
  defect('the cooldown is ignored', 'RP3', parts({ stepLadder: ignoresCooldown }), 4),
  defect('the mode oscillates', 'RP4', parts({ stepLadder: oscillates })),
  defect('an unhealthy backend is chosen', 'RP5', parts({ decide: blindToHealth })),
  defect(
    'one failed probe heals',
    'RP5',
    parts({
      stepHealth: (run, seen, event, now, config) => {
        const step = sound.stepHealth(run, seen, event, now, config);
        if (event.type !== 'ProbeFailed') return step;
        const effects = step.effects.map((effect) => ({
          ...effect,
          outcome: { ...effect.outcome, status: 'healthy' as const },
        }));
        return { ...step, effects };
      },
    }),
  ),
  defect('risk leaves out half', 'RP6', parts({ stepLadder: misjudgesRisk })),
  defect(
    'an evaluation depends on more than its input',
    'RP7',
    parts({ stepLadder: neverStepsDown }),
    4,
  ),
  // security
  defect('anybody may change anything', 'SO1', conduct({ checksPrincipal: false })),
  defect(
    'one permission is enough',
    'SO1',
    parts({
      hasPermissions: (required, granted) => required.length === 0 || granted.size > 0,
    }),
  ),
  defect(
    'a blank token passes',
    'SO1',
    parts({
      isTokenWellFormed: () => true,
      newTokenStore: () => ({ ...shiftedTokens(0, 0), validate: () => true }),
    }),
  ),
  defect('requests of a revoked key go on', 'SO1', conduct({ endsRevoked: false }), 4),
  defect(
    'a signature may be cut',
    'SO2',
    parts({
      verifyManifest: (payload, key, signature, crypto) => {
        const signed = sound.signManifest(payload, key, crypto);
        return signed.ok && signature.length > 60 && signed.value.includes(signature);
      },
    }),
  ),
  defect('promotion trusts the placement', 'SO2', conduct({ verifiesAgain: false })),
  defect('half a deployment is placed', 'SO3', conduct({ placesAllOrNothing: false }), 4),
  defect('a change acts before it is written', 'SO4', conduct({ writesBeforeActing: false })),
  defect('a hash is not chained', 'SO4', parts({ chainEvents: unchained })),
  defect('the trail has a gap', 'SO4', parts({ chainEvents: skipsSequence })),
  defect(
    'a clock set back is not told',
    'SO4',
    parts({
      takeEvents: (check, events, digest) => ({
        ...sound.takeEvents(check, events, digest),
        reversal: undefined,
      }),
    }),
    20,
  ),
  defect('an edit is not found', 'SO4', parts({ findChainFault: () => undefined })),
  defect('a log shows tokens', 'SO5', parts({ maskSensitive: (value) => value })),
  defect(
    'parent segments survive',
    'SO6',
    parts({
      sanitisePath: (path) =>
        path.includes('\0') || path.includes('%00')
          ? err(refusal('invalid_path', 'NUL'))
          : ok(path.replace('../', '')),
    }),
  ),
  defect('line ends survive in headers', 'SO6', parts({ sanitizeHeader: (value) => value })),
  defect(
    'rates are counted for everybody together',
    'SO6',
    parts({
      rateLimitKey: (_ip, path) => `ratelimit::${path}`,
    }),
  ),
  defect('isolated ones stand anywhere', 'SO7', conduct({ honoursIsolation: false })),
  defect('isolation is free', 'SO7', parts({ isolationSurcharge: (base) => base })),
  defect(
    'a token is accepted at its end',
    'SO8',
    parts({ newTokenStore: () => shiftedTokens(-1, 0) }),
  ),
  defect('cleaning is a second late', 'SO8', parts({ newTokenStore: () => shiftedTokens(0, -5) })),
  defect(
    'a refresh is offered too early',
    'SO8',
    parts({
      tokenNeedsRefresh: (issuedAt, now, ttl, window) => now >= issuedAt + ttl - window * 10,
    }),
  ),
  defect(
    'an address matches by its beginning',
    'SO9',
    parts({
      ipAllowed: (address, list) => list.some((entry) => address.startsWith(entry)),
    }),
  ),
  defect(
    'an origin matches by its beginning',
    'SO9',
    parts({
      isAllowedOrigin: (origin) => origin.startsWith('https://tensorforge.internal'),
    }),
  ),
  defect('a gateway without keys lets in', 'SO10', conduct({ failsClosed: false })),
];
