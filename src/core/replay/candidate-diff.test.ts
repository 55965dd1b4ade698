// Goal: under a candidate each decision counts once on both sides, and the reason names what did it.
// Method: records made by the production decision, with the candidate's mode set by hand.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import type {
  AdmissionRecord,
  RoutingRecord,
  SettledRecord,
} from '../decisions/decision-record.ts';
import { Redecider } from '../decisions/redecide.ts';
import { judgeAdmission } from '../policy/admission.ts';
import type { ServingMode } from '../policy/serving-mode.ts';
import { decide } from '../routing/decide.ts';
import { features, fleetOf, type TestTarget, target } from '../routing/fleet.test-support.ts';
import type { RoutingSettings } from '../routing/snapshot.ts';
import { CandidateDiff } from './candidate-diff.ts';
import { ModeTimeline } from './mode-timeline.ts';

const digest = 'a'.repeat(64);

type Asked = {
  readonly id: string;
  readonly attempt?: number;
  readonly mode?: ServingMode;
  readonly at?: number;
  readonly model?: string;
};

function logOf(targets: readonly TestTarget[], more: Partial<RoutingSettings> = {}) {
  const { snapshot, counters } = fleetOf(targets, more);
  const redecider = new Redecider({ snapshotOf: () => snapshot, behaviour: 1 });
  const routed = ({
    id,
    attempt = 1,
    mode = 'normal',
    at = 0,
    model = 'm',
  }: Asked): RoutingRecord => {
    const asked = features({ model });
    const tried = targets.slice(0, attempt - 1).map((each) => each.id);
    const input = { tried, cursor: 0, seed: 1, budget: 'Normal' as const };
    const decision = decide(snapshot, counters, asked, input);
    const { considered } = decision;
    const chosen =
      decision.kind === 'route' ? considered.findIndex((c) => c.target === decision.target) : 0;
    return {
      kind: attempt === 1 ? 'routed' : 'failed_over',
      requestId: id,
      at,
      attempt,
      mode,
      snapshotDigest: digest,
      features: asked,
      tried: tried.map((_, index) => index),
      cursor: 0,
      seed: 1,
      budget: 'Normal',
      candidates: considered.map(({ reading, stage, score }) => ({ reading, stage, score })),
      outcome:
        decision.kind === 'route'
          ? { kind: 'route', chosen, routeReason: decision.routeReason }
          : { kind: 'refuse', code: decision.refusal.code },
    };
  };
  const diffOf = (routing: Partial<RoutingSettings>, modes = new ModeTimeline()): CandidateDiff =>
    new CandidateDiff(routing, modes, {
      snapshotOf: () => snapshot,
      redecideWith: (record, transform) => redecider.redecideWith(record, transform),
    });
  return { routed, diffOf };
}

function admission(id: string, mode: ServingMode, at = 0): AdmissionRecord {
  const reading = { mode, inFlight: 1, inFlightMax: 10, keyInFlight: 1, keyInFlightMax: 0 };
  const verdict = judgeAdmission(3, reading);
  return {
    kind: verdict === 'admitted' ? 'admitted' : 'refused',
    requestId: id,
    at,
    keyId: 'k',
    groupName: 'g',
    path: '/',
    priorityClass: 3,
    reading,
    code: verdict === 'admitted' ? undefined : 'mode_restricted',
  };
}

function settled(id: string, more: Partial<SettledRecord> = {}): SettledRecord {
  return {
    kind: 'settled',
    requestId: id,
    at: 1,
    status: 200,
    code: undefined,
    attempts: 1,
    backendId: 'a',
    stream: true,
    firstByteMs: 10,
    totalMs: 20,
    overheadMs: 0,
    promptTokens: 1,
    completionTokens: 1,
    ...more,
  };
}

/** `a` is preferred and slow, `b` is quick. */
const pair = [
  target('a', { priority: 10 }, { latencyMs: 900 }),
  target('b', { priority: 40 }, { latencyMs: 50 }),
];

test('the reason names the weight that did it and the scores before and after', () => {
  const { routed, diffOf } = logOf(pair, { weights: { priority: 80, load: 10, latency: 10 } });
  const diff = diffOf({ weights: { priority: 10, load: 10, latency: 80 } });
  diff.add(routed({ id: 'r' }));
  assert.deepEqual(diff.changes, [
    {
      decisionId: 'r.1',
      at: 0,
      model: 'm',
      was: 'a',
      wouldBe: 'b',
      because: 'latency weight 10 -> 80: score of a 83.0 -> 27.0, of b 67.5 -> 92.0',
    },
  ]);
  assert.deepEqual(diff.shifts(), [
    { to: 'a', recorded: 1, candidate: 0 },
    { to: 'b', recorded: 0, candidate: 1 },
  ]);
});

test('a stricter mode of the candidate keeps a request out, with all its attempts', () => {
  const { routed, diffOf } = logOf(pair);
  const modes = new ModeTimeline();
  modes.add({ at: 0, recorded: 'normal', candidate: 'halted' });
  const diff = diffOf({}, modes);
  diff.add(admission('r', 'normal', 5));
  diff.add(routed({ id: 'r', at: 5 }));
  diff.add(settled('r'));
  assert.equal(diff.changes[0]?.because, 'mode halted refuses its class');
  assert.deepEqual(
    diff.shifts().map(({ to, recorded, candidate }) => [to, recorded, candidate]),
    [
      ['a', 0, 0],
      ['b', 1, 0],
      ['refused', 0, 1],
    ].filter(([to]) => diff.shifts().some((shift) => shift.to === to)),
  );
});

test('a milder mode lets a refused request in, and where to is not decided', () => {
  const { diffOf } = logOf(pair);
  const modes = new ModeTimeline();
  modes.add({ at: 0, recorded: 'halted', candidate: 'normal' });
  const diff = diffOf({}, modes);
  diff.add(admission('r', 'halted', 5));
  assert.deepEqual(diff.shifts(), [
    { to: 'refused', recorded: 1, candidate: 0 },
    { to: 'undecided', recorded: 0, candidate: 1 },
  ]);
  assert.equal(diff.changes[0]?.decisionId, 'r.0');
});

test('a second attempt falls away with the retries, by setting or by mode', () => {
  const { routed, diffOf } = logOf(pair);
  const bySetting = diffOf({ maxRetries: 0 });
  bySetting.add(routed({ id: 'r', attempt: 2 }));
  assert.equal(bySetting.changes[0]?.because, 'max_retries 2 -> 0: no second attempt');
  const modes = new ModeTimeline();
  modes.add({ at: 0, recorded: 'normal', candidate: 'halted' });
  const byMode = diffOf({}, modes);
  byMode.add(routed({ id: 'r', attempt: 2 }));
  assert.equal(byMode.changes[0]?.because, 'mode normal -> halted: 0 retries');
});

test('an alias that means another model is not decided: nothing was read of that model', () => {
  const targets = [
    target('a', {}),
    target('b', { models: [{ ...pair[0]?.models[0], id: 'n' } as never] }),
  ];
  const { snapshot } = fleetOf(targets);
  assert.ok(snapshot.byModel.has('n'));
  const { routed, diffOf } = logOf(targets, { aliases: { chat: 'm' } });
  const record = {
    ...routed({ id: 'r' }),
    features: features({ model: 'chat', resolvedModel: 'm' }),
  };
  const diff = diffOf({ aliases: { chat: 'n' } });
  diff.add(record);
  assert.equal(diff.changes[0]?.because, 'aliases: chat means n, not m');
  assert.equal(diff.changes[0]?.wouldBe, 'undecided');
});

test('tier 2 takes uncongested requests of one attempt with an outcome, and counts the others', () => {
  const busy = [target('a', {}, { pending: 4 }), target('b', {}, { pending: 0 })];
  const calm = logOf(pair);
  const full = logOf(busy);
  const diff = calm.diffOf({});
  const of = (log: typeof calm, id: string, more: Partial<SettledRecord> = {}): void => {
    const own = log === calm ? diff : congested;
    own.add(log.routed({ id }));
    own.add(settled(id, more));
  };
  const congested = full.diffOf({});
  of(calm, 'good');
  of(calm, 'failed', { code: 'bad_gateway', status: 502 });
  of(calm, 'twice', { attempts: 2 });
  of(calm, 'silent', { firstByteMs: undefined });
  of(full, 'busy');
  const [slice] = diff.estimate.slices();
  assert.deepEqual([slice?.decisions, slice?.uncongested], [4, 1]);
  assert.deepEqual(
    congested.estimate.slices().map((each) => [each.decisions, each.uncongested]),
    [[1, 0]],
  );
});

test('a mode is what the last evaluation before left; moves are where the two differ', () => {
  const modes = new ModeTimeline();
  modes.add({ at: 10, recorded: 'normal', candidate: 'normal' });
  modes.add({ at: 20, recorded: 'watch', candidate: 'normal' });
  modes.add({ at: 30, recorded: 'watch', candidate: 'normal' });
  modes.add({ at: 40, recorded: 'normal', candidate: 'normal' });
  assert.equal(modes.at(9), undefined);
  assert.equal(modes.at(10)?.recorded, 'normal');
  assert.equal(modes.at(39)?.recorded, 'watch');
  assert.deepEqual(
    modes.moves().map(({ at }) => at),
    [20, 40],
  );
});

const oneTarget = fc.record({
  priority: fc.nat({ max: 100 }),
  pending: fc.nat({ max: 20 }),
  capacity: fc.constantFrom(0, 4, 16),
  latencyMs: fc.nat({ max: 1200 }),
});

holds(
  'for any fleet, both columns of the shifts have one sum, and the same settings change nothing',
  fc.property(
    fc.array(oneTarget, { minLength: 1, maxLength: 5 }),
    fc.nat({ max: 100 }),
    fc.nat({ max: 100 }),
    (facts, a, b) => {
      const targets = facts.map(({ priority, ...figures }, index) =>
        target(`b${index}`, { priority }, figures),
      );
      const { routed, diffOf } = logOf(targets);
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      const weights = { priority: low, load: high - low, latency: 100 - high };
      const other = diffOf({ weights });
      const same = diffOf({});
      for (const attempt of [1, 2]) {
        const record = routed({ id: `r${attempt}`, attempt });
        other.add(record);
        same.add(record);
      }
      const sum = (side: 'recorded' | 'candidate'): number =>
        other.shifts().reduce((total, shift) => total + shift[side], 0);
      assert.equal(sum('recorded'), 2);
      assert.equal(sum('candidate'), 2);
      assert.equal(same.changed, 0);
      assert.equal(other.changes.length, other.changed);
    },
  ),
  { runs: 300 },
);

test('a strategy that goes by what the log does not hold is told so, and decides nothing', () => {
  const { routed, diffOf } = logOf(pair, {});
  const cases: readonly (readonly [RoutingSettings['strategy'], RegExp])[] = [
    ['latency', /^strategy latency: a log of smart does not hold the figures that it goes by$/],
    ['prefix_affinity', /the beginnings of prompts$/],
    ['sticky', /the sessions$/],
    ['model_affinity', /the figures that it goes by$/],
    ['cost', /does not hold the prices$/],
  ];
  for (const [strategy, words] of cases) {
    const diff = diffOf({ strategy });
    diff.add(routed({ id: 'r' }));
    assert.equal(diff.changes[0]?.wouldBe, 'undecided');
    assert.match(diff.changes[0]?.because ?? '', words);
  }
  const known = diffOf({ strategy: 'power_of_two' });
  known.add(routed({ id: 'r' }));
  assert.ok(known.changes.every(({ wouldBe }) => wouldBe !== 'undecided'));
});
