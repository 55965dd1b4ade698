// Goal: a recorded decision made again is the same, and whatever was changed in a record is found and
// named (RD9). Method: seeded traffic through encoder and decoder; single members changed by hand.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { present } from '../../base/assert.ts';
import type { Json } from '../../base/canonical.ts';
import { ok } from '../../base/result.ts';
import { strategies } from '../../base/routing-words.ts';
import { stages } from '../routing/decide.ts';

import { currentBehaviour } from './behaviour.ts';
import type {
  AdmissionRecord,
  ControlRecord,
  DecisionRecord,
  QueuedRecord,
  RoutingRecord,
} from './decision-record.ts';
import { decodeBlock } from './record-decoder.ts';
import { currentCodec, RecordEncoder } from './record-encoder.ts';
import { blockOf } from './records.test-support.ts';
import { decides, Redecider } from './redecide.ts';
import { snapshotOfDocument } from './snapshot-document.ts';
import { Traffic } from './traffic.test-support.ts';

type Log = {
  readonly payload: Uint8Array;
  readonly records: readonly DecisionRecord[];
  readonly traffic: Traffic;
};

function logOf(seed: number, requests: number): Log {
  const encoder = new RecordEncoder();
  const traffic = new Traffic(seed, { extras: true });
  for (let i = 0; i < requests; i++) traffic.request(encoder);
  const { payload } = present(encoder.take(), 'a block of traffic');
  const read = decodeBlock(currentCodec, payload);
  return { payload, records: read.ok ? read.value : [], traffic };
}

/** Decides on the snapshots as they are stored, not on those that were decided on. */
function redeciderOf({ traffic }: Log): Redecider {
  const pageOf = (digest: string) => ok(JSON.parse(traffic.documents.get(digest) ?? 'null'));
  const stored = new Map(
    [...traffic.snapshots.keys()].map((digest) => {
      const read = snapshotOfDocument(pageOf(digest).value, pageOf);
      return [digest, read.ok ? read.value : undefined];
    }),
  );
  return new Redecider({ snapshotOf: (digest) => stored.get(digest), behaviour: currentBehaviour });
}

const log = logOf(20_261_122, 1600);
const redecider = redeciderOf(log);
const isRouting = (one: DecisionRecord): one is RoutingRecord =>
  one.kind === 'routed' || one.kind === 'failed_over';
const isAdmission = (one: DecisionRecord): one is AdmissionRecord =>
  one.kind === 'admitted' || one.kind === 'refused' || one.kind === 'shed';

const routings = log.records.filter(isRouting);

/** Of a request that is admitted without it. */
function withoutLimit({ reading }: AdmissionRecord): AdmissionRecord['reading'] {
  const { limit: _, ...rest } = reading;
  return { ...rest, mode: 'normal', inFlight: 1, keyInFlight: 1 };
}

function firstOf<T extends DecisionRecord>(
  records: readonly DecisionRecord[],
  is: (record: DecisionRecord) => record is T,
  also: (record: T) => boolean = () => true,
): T {
  return present(
    records.find((one): one is T => is(one) && also(one)),
    'such a record in the traffic',
  );
}

describe('seeded traffic', () => {
  it('meets every stage, strategy, route reason, refusal and verdict', () => {
    const met = new Set<string>();
    for (const record of log.records) {
      met.add(record.kind);
      if (isAdmission(record)) met.add(record.code ?? 'admitted');
      if (!isRouting(record)) continue;
      for (const { stage } of record.candidates) met.add(stage ?? 'candidate');
      const { outcome } = record;
      met.add(outcome.kind === 'route' ? outcome.routeReason : outcome.code);
    }
    for (const [, { settings }] of log.traffic.snapshots) met.add(settings.strategy);
    for (const wanted of [
      ...stages,
      ...strategies,
      ...['capability-match', 'capacity-overflow', 'privacy-requirement', 'failover'],
      ...['capability_mismatch', 'context_length_exceeded', 'at_capacity', 'no_healthy_backend'],
      ...[
        'models_loading',
        'privacy_requirement',
        'tier_unavailable',
        'budget_exhausted',
        'remote_media_refused',
        'rate_limit_exceeded',
        'mode_restricted',
        'overloaded',
      ],
      ...['admitted', 'refused', 'shed', 'routed', 'failed_over', 'settled'],
      ...['queued', 'annotated', 'batched', 'degraded_served', 'shadowed'],
    ]) {
      assert.ok(met.has(wanted), `the traffic has no ${wanted}`);
    }
  });

  it('is decided again without a difference, record by record', () => {
    for (const record of log.records)
      assert.deepEqual(redecider.redecide(record), { kind: 'same' });
  });

  it('and block by block, with every decision counted (D2)', () => {
    const done = redecider.redecideBlock({ codec: currentCodec, payload: log.payload });
    assert.ok(done.ok);
    const { records, decisions, byKind, differing, undecidable } = done.value;
    assert.deepEqual([records, differing, undecidable.size], [log.records.length, [], 0]);
    assert.equal(decisions, log.records.filter(decides).length);
    for (const [kind, count] of byKind) {
      assert.equal(count, log.records.filter((one) => one.kind === kind).length, kind);
    }
    assert.equal(byKind.has('settled'), false);
  });

  it('is decided within a window with both ends', () => {
    const times = log.records.filter(decides).map((one) => one.at);
    const [fromMs, toMs] = [present(times[100], 'a time'), present(times[900], 'a time')];
    const window = { fromMs, toMs };
    const done = redecider.redecideBlock({ codec: currentCodec, payload: log.payload }, window);
    const inside = times.filter((at) => at >= fromMs && at <= toMs).length;
    assert.equal(done.ok && done.value.decisions, inside);
  });
});

describe('a changed record is found, and the member named', () => {
  const route = firstOf(
    log.records,
    isRouting,
    (one) =>
      one.outcome.kind === 'route' &&
      one.candidates.filter((c) => c.score !== undefined).length > 1,
  );
  const chosen = route.outcome.kind === 'route' ? route.outcome.chosen : 0;
  const other = route.candidates.findIndex((one, i) => one.score !== undefined && i !== chosen);
  const refused = firstOf(log.records, isRouting, (one) => one.outcome.kind === 'refuse');
  const shed = firstOf(log.records, isAdmission, (one) => one.kind === 'shed');

  const split = firstOf(log.records, isRouting, (one) => one.features.split?.arm === 'now');
  const limited = firstOf(log.records, isAdmission, (one) => one.reading.limit !== undefined);
  const queued = firstOf(
    log.records,
    (one): one is QueuedRecord => one.kind === 'queued',
    (one) => one.ended === 'full',
  );

  const changedCandidate = (
    change: Partial<RoutingRecord['candidates'][number]>,
  ): RoutingRecord => ({
    ...route,
    candidates: route.candidates.map((one, i) => (i === other ? { ...one, ...change } : one)),
  });
  const cases: readonly (readonly [string, DecisionRecord, RegExp])[] = [
    ['a verdict', { ...shed, kind: 'admitted', code: undefined }, /^verdict$/],
    ['another code of a verdict', { ...shed, code: 'mode_restricted' }, /^verdict$/],
    [
      'another backend',
      { ...route, outcome: { kind: 'route', chosen: other, routeReason: 'capability-match' } },
      /^chosen$/,
    ],
    [
      'a refusal that was none',
      { ...route, outcome: { kind: 'refuse', code: 'at_capacity' } },
      /^chosen$/,
    ],
    [
      'a route that was none',
      { ...refused, outcome: { kind: 'route', chosen: 0, routeReason: 'failover' } },
      /^chosen$/,
    ],
    [
      'another refusal',
      { ...refused, outcome: { kind: 'refuse', code: 'quota_exceeded' } },
      /^code$/,
    ],
    [
      'another reason',
      { ...route, outcome: { kind: 'route', chosen, routeReason: 'privacy-requirement' } },
      /^route_reason$/,
    ],
    [
      'an arm that was not drawn',
      {
        ...split,
        features: {
          ...split.features,
          split: { ...present(split.features.split, 'a split'), arm: 'next' },
        },
      },
      /^split$/,
    ],
    ['a limit that was not read', { ...limited, reading: withoutLimit(limited) }, /^verdict$/],
    ['a place that was not there', { ...queued, ended: 'placed' }, /^ended$/],
    ['another score', changedCandidate({ score: 12_345 }), /^score of /],
    ['another stage', changedCandidate({ stage: 'approval', score: undefined }), /^stage of /],
    [
      'one candidate fewer',
      {
        ...route,
        candidates: route.candidates.slice(1),
        outcome: { kind: 'route', chosen: 0, routeReason: 'capability-match' },
      },
      /^candidates$/,
    ],
  ];
  for (const [name, record, member] of cases) {
    it(name, () => {
      const redecision = redecider.redecide(record);
      assert.equal(redecision.kind, 'differs');
      assert.match(redecision.kind === 'differs' ? redecision.member : '', member);
      const block = blockOf([shed, record]);
      const done = redecider.redecideBlock({ codec: currentCodec, payload: block.payload });
      assert.deepEqual(done.ok && done.value.differing, [
        { index: 1, record, difference: redecision },
      ]);
    });
  }

  it('a changed reading mostly, with what was recorded and what comes out', () => {
    let found = 0;
    for (const record of routings) {
      const candidates = record.candidates.map((one) =>
        one.stage === undefined ? { ...one, reading: { ...one.reading, statusCode: 2 } } : one,
      );
      if (redecider.redecide({ ...record, candidates }).kind === 'differs') found += 1;
    }
    const routable = routings.filter((one) => one.candidates.some((c) => c.score !== undefined));
    assert.equal(found, routable.length);
  });
});

describe('what cannot be decided says why', () => {
  const nowhere = new Redecider({ snapshotOf: () => undefined, behaviour: currentBehaviour });
  const route = firstOf(log.records, isRouting);

  it('when the snapshot is missing', () => {
    assert.deepEqual(nowhere.redecide(route), { kind: 'undecidable', reason: 'snapshot_missing' });
    const done = nowhere.redecideBlock({ codec: currentCodec, payload: log.payload });
    assert.equal(done.ok && done.value.undecidable.get('snapshot_missing'), routings.length);
    assert.equal(nowhere.explain(route), undefined);
  });

  it('when the snapshot does not list the model', () => {
    const features = { ...route.features, resolvedModel: 'another' };
    const redecision = redecider.redecide({ ...route, features });
    assert.deepEqual(redecision, { kind: 'undecidable', reason: 'model_missing' });
  });

  it('and a behaviour that is not known is a bug of whoever did not ask', () => {
    const make = () => new Redecider({ snapshotOf: () => undefined, behaviour: 99 });
    assert.throws(make, /behaviour 99 is not known/);
  });

  it('a damaged block is refused with the place', () => {
    const payload = log.payload.subarray(0, log.payload.length - 1);
    const done = redecider.redecideBlock({ codec: currentCodec, payload });
    assert.equal(done.ok || done.error.code, 'corrupt');
    const foreign = redecider.redecideBlock({ codec: 77, payload, writtenBy: '9.0' });
    assert.match(foreign.ok ? '' : foreign.error.message, /codec 77 by TensorForge 9\.0 or newer/);
  });
});

describe('control decisions', () => {
  const record = (output: Json, more: Partial<ControlRecord> = {}): ControlRecord => ({
    kind: 'control',
    at: 1_763_700_000_000,
    name: 'doubled',
    version: 1,
    input: 21,
    output,
    ...more,
  });
  const doubling = new Redecider({
    snapshotOf: () => undefined,
    behaviour: currentBehaviour,
    control: new Map([
      [
        'doubled',
        (input: Json, version: number) =>
          version === 1 ? { twice: 2 * Number(input), words: ['x'] } : undefined,
      ],
    ]),
  });

  it('are made again by the rule of their name', () => {
    assert.deepEqual(doubling.redecide(record({ words: ['x'], twice: 42 })), { kind: 'same' });
    assert.deepEqual(doubling.redecide(record({ words: [], twice: 41 })), {
      kind: 'differs',
      member: 'twice',
      recorded: '41',
      again: '42',
    });
    assert.deepEqual(doubling.redecide(record({ twice: 42 })), {
      kind: 'differs',
      member: 'words',
      recorded: 'none',
      again: '["x"]',
    });
    assert.equal(doubling.redecide(record([])).kind, 'differs');
  });

  it('of another name or version are nothing that can be decided', () => {
    const unknown = { kind: 'undecidable', reason: 'unknown_control' };
    assert.deepEqual(doubling.redecide(record(1, { name: 'halved' })), unknown);
    assert.deepEqual(doubling.redecide(record(1, { version: 2 })), unknown);
  });

  it('are counted by name, and the opening of a log is none', () => {
    const good = record({ words: ['x'], twice: 42 });
    const opened = record({}, { name: 'log_opened', input: { program: '0.1.0' } });
    const { payload } = blockOf([opened, good, good]);
    const done = doubling.redecideBlock({ codec: currentCodec, payload });
    assert.deepEqual(done.ok && [...done.value.byKind], [['doubled', 2]]);
    assert.deepEqual([opened, good].map(decides), [false, true]);
  });
});

describe('a candidate', () => {
  it('decides on the recorded readings under its own settings', () => {
    const lowest = (record: RoutingRecord) =>
      redecider.redecideWith(record, (snapshot) => ({
        ...snapshot,
        settings: { ...snapshot.settings, strategy: 'priority_only' },
      }));
    let changed = 0;
    for (const record of routings) {
      const decision = present(lowest(record), 'a decision');
      if (decision.kind === 'refuse') {
        assert.equal(
          record.outcome.kind,
          'refuse',
          'who may take it does not depend on a strategy',
        );
        continue;
      }
      const scores = decision.considered.map((one) => one.score).filter((one) => one !== undefined);
      assert.equal(decision.score, Math.max(...scores));
      const before = record.outcome.kind === 'route' ? record.outcome.chosen : -1;
      if (decision.considered[before]?.target !== decision.target) changed += 1;
    }
    assert.ok(changed > 100, `${changed} of ${routings.length} changed`);
  });

  it('without as many offers decides nothing', () => {
    const route = firstOf(log.records, isRouting);
    const none = redecider.redecideWith(route, (snapshot) => ({ ...snapshot, byModel: new Map() }));
    assert.equal(none, undefined);
  });

  it('explain is the decision with its words', () => {
    const route = firstOf(log.records, isRouting, (one) =>
      one.candidates.some(({ stage }) => stage === 'capacity'),
    );
    const decision = present(redecider.explain(route), 'a decision');
    const place = route.candidates.findIndex(({ stage }) => stage === 'capacity');
    assert.match(decision.considered[place]?.reason ?? '', /^at_capacity: \d+ of \d+ in flight$/);
    assert.deepEqual(
      decision.considered.map(({ reading }) => reading),
      route.candidates.map(({ reading }) => reading),
    );
  });
});
