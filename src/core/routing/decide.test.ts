// Goal: which backend is chosen, why each other one is not, and which refusal an empty set becomes
// (BR 11, 12.3). Method: small fleets by hand, then random ones against what must always hold.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { apiOperations } from '../../base/api-operation.ts';
import { backendTypes } from '../../base/backend-type.ts';
import { strategies } from '../../base/routing-words.ts';
import { type Decision, decide, stages, suggestedAction } from './decide.ts';
import type { DecideInput } from './decision-input.ts';
import { features, fleetOf, model, type TestTarget, target } from './fleet.test-support.ts';
import type { RoutingSettings, Target } from './snapshot.ts';

const plain: DecideInput = { tried: [], cursor: 0, seed: 1, budget: 'Normal' };

function decided(
  targets: readonly TestTarget[],
  more: {
    readonly needs?: Parameters<typeof features>[0];
    readonly input?: Partial<DecideInput>;
    readonly settings?: Partial<RoutingSettings>;
  } = {},
): Decision {
  const { snapshot, counters } = fleetOf(targets, more.settings);
  return decide(snapshot, counters, features(more.needs), { ...plain, ...more.input });
}

function chosen(decision: Decision): string {
  assert.equal(decision.kind, 'route');
  return decision.kind === 'route' ? decision.target.id : '';
}

function refusedAs(decision: Decision): string {
  assert.equal(decision.kind, 'refuse');
  return decision.kind === 'refuse' ? decision.refusal.code : '';
}

function reasonFor(decision: Decision, id: string): string {
  const item = decision.considered.find((one) => one.target.id === id);
  return `${item?.stage}: ${item?.reason}`;
}

/** One model takes no requests for now. */
function closed(modelId: string, reason: 'loading' | 'unloading' = 'loading'): Partial<Target> {
  return { closures: [{ modelId, reason }] };
}

describe('smart', () => {
  it('takes the highest score and says by how much', () => {
    const decision = decided([target('far', { priority: 60 }), target('near', { priority: 10 })]);
    assert.equal(chosen(decision), 'near');
    assert.equal(decision.kind === 'route' && decision.reason, 'highest_score:near:95.00');
    assert.equal(decision.kind === 'route' && decision.routeReason, 'capability-match');
  });

  it('says so when there was only one', () => {
    const decision = decided([target('one'), target('off', {}, { status: 2 })]);
    assert.equal(decision.kind === 'route' && decision.reason, 'only_healthy_backend');
  });

  it('prefers fewer pending among equals, and then turns by the shared cursor', () => {
    const busy = target('a', { priority: 0 }, { pending: 2, capacity: 4 });
    const calm = target('b', { priority: 0 }, { pending: 1, capacity: 2 });
    assert.equal(chosen(decided([busy, calm])), 'b');
    const equals = [target('a'), target('b'), target('worse', { priority: 99 }), target('c')];
    const turns = [0, 1, 2, 3, 4].map((cursor) => chosen(decided(equals, { input: { cursor } })));
    assert.deepEqual(turns, ['a', 'b', 'c', 'a', 'b']);
  });

  it('spreads the first burst, since each choice adds to what is pending', () => {
    const pending = [0, 0, 0];
    for (let i = 0; i < 30; i++) {
      const targets = ['a', 'b', 'c'].map((id, at) =>
        target(id, {}, { pending: pending[at] ?? 0 }),
      );
      const at = 'abc'.indexOf(chosen(decided(targets, { input: { cursor: i } })));
      pending[at] = (pending[at] ?? 0) + 1;
    }
    assert.deepEqual(pending, [10, 10, 10]);
  });
});

describe('the other strategies', () => {
  const three = [target('a', { priority: 3 }), target('b', { priority: 1 }), target('c')];

  it('round_robin takes each in turn, over the whole range of the cursor', () => {
    const settings = { strategy: 'round_robin' } as const;
    const turn = (cursor: number) => decided(three, { settings, input: { cursor } });
    assert.deepEqual(
      [0, 1, 2, 3, 4_294_967_295].map((cursor) => chosen(turn(cursor))),
      ['a', 'b', 'c', 'a', 'a'],
    );
    const second = turn(1);
    assert.equal(second.kind === 'route' && second.reason, 'round_robin:index_1');
  });

  it('priority_only takes the lowest number, whatever the load', () => {
    const settings = { strategy: 'priority_only' } as const;
    const targets = [
      target('low', { priority: 9 }),
      target('high', { priority: 1 }, { pending: 99 }),
    ];
    const decision = decided(targets, { settings });
    assert.equal(chosen(decision), 'high');
    assert.equal(decision.kind === 'route' && decision.reason, 'priority:high:1');
  });

  it('random is even over the seeds and the same for the same seed', () => {
    const settings = { strategy: 'random' } as const;
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 900; seed++) {
      const id = chosen(decided(three, { settings, input: { seed } }));
      assert.equal(chosen(decided(three, { settings, input: { seed } })), id);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    for (const [id, count] of counts) assert.ok(count > 225 && count < 405, `${id}: ${count}`);
    assert.equal(counts.size, 3);
  });
});

describe('a backend is passed over', () => {
  const lacking = { supportsVision: false, supportsTools: false, supportsJsonMode: false };
  const poor = target('poor', { models: [model('m', { ...lacking, contextLength: 100 })] });
  const rich = target('rich', { priority: 99 });

  const cases: readonly (readonly [string, TestTarget, Parameters<typeof features>[0], string])[] =
    [
      ['for vision', poor, { needsVision: true }, 'capabilities: vision'],
      ['for tools', poor, { needsTools: true }, 'capabilities: tools'],
      ['for JSON mode', poor, { needsJsonMode: true }, 'capabilities: json_mode'],
      [
        'for a context that output and prompt exceed together',
        poor,
        { estimatedTokens: 90, maxOutputTokens: 11 },
        'context: needs 101 tokens (90 in, 11 out), has 100',
      ],
      [
        'before anybody approved it',
        target('poor', { approved: false }),
        {},
        'approval: discovered, waits for approval',
      ],
      [
        'for an interface that its type has not',
        target('poor', { backendType: 'anthropic' }),
        { operation: 'embeddings' },
        'capabilities: embeddings',
      ],
      ['while it loads the model', target('poor', closed('m')), {}, 'lifecycle: loading'],
      [
        'while it unloads the model, also when it is not well',
        target('poor', closed('m', 'unloading'), { status: 2 }),
        {},
        'lifecycle: unloading',
      ],
      ['before its first probe', target('poor', {}, { status: 0 }), {}, 'health: not probed yet'],
      ['when it is unhealthy', target('poor', {}, { status: 2 }), {}, 'health: unhealthy'],
      ['when it drains', target('poor', {}, { status: 3 }), {}, 'health: draining'],
      [
        'with the reason of its status',
        target('poor', { statusReason: 'config_error' }, { status: 2 }),
        {},
        'health: unhealthy: config_error',
      ],
      [
        'when its slot is another one’s now',
        target('poor', {}, { generation: 3 }),
        {},
        'health: removed',
      ],
      [
        'when it is full',
        target('poor', {}, { pending: 4, capacity: 4 }),
        {},
        'capacity: at_capacity: 4 of 4 in flight',
      ],
    ];
  for (const [why, subject, needs, reason] of cases) {
    it(why, () => {
      const decision = decided([subject, rich], { needs });
      assert.equal(chosen(decision), 'rich');
      assert.equal(reasonFor(decision, 'poor'), reason);
    });
  }

  it('for one model that it loads, and not for its others', () => {
    const loading = target('a', { priority: 0, ...closed('n'), models: [model('m'), model('n')] });
    assert.equal(chosen(decided([loading, rich])), 'a');
  });

  it('for no interface but chat where one is translated, and for none where it is not', () => {
    for (const backendType of backendTypes) {
      const isOther = backendType === 'anthropic' || backendType === 'google';
      for (const operation of apiOperations) {
        const decision = decided([target('a', { backendType })], { needs: { operation } });
        const isRefused = isOther && operation !== 'chat';
        assert.equal(decision.kind, isRefused ? 'refuse' : 'route', `${backendType} ${operation}`);
        if (isRefused) assert.equal(refusedAs(decision), 'capability_mismatch');
      }
    }
  });

  it('for remote media unless it is a cloud one, which fetches nothing of ours', () => {
    const cloud = target('cloud', { backendType: 'openai', priority: 99 });
    const decision = decided([target('local'), cloud], { needs: { remoteMedia: true } });
    assert.equal(chosen(decision), 'cloud');
    assert.match(reasonFor(decision, 'local'), /^media: /);
  });

  it('once this request has tried it, and the rest is failover', () => {
    const decision = decided([target('a', { priority: 0 }), target('b')], {
      input: { tried: ['a'] },
    });
    assert.equal(chosen(decision), 'b');
    assert.equal(decision.kind === 'route' && decision.routeReason, 'failover');
    assert.equal(reasonFor(decision, 'a'), 'attempted: tried by this request');
  });

  it('for its fullness, and then the route is an overflow', () => {
    const full = target('full', { priority: 0 }, { pending: 1, capacity: 1 });
    const decision = decided([full, target('spare')]);
    assert.equal(decision.kind === 'route' && decision.routeReason, 'capacity-overflow');
  });

  it('not at exactly its context', () => {
    const decision = decided([poor], { needs: { estimatedTokens: 60, maxOutputTokens: 40 } });
    assert.equal(chosen(decision), 'poor');
  });

  it('with advice for each stage', () => {
    for (const stage of stages) assert.ok(suggestedAction(stage, 'x').length > 0);
    assert.equal(suggestedAction('approval', 'my-id'), 'tensorforge backends approve my-id');
  });
});

describe('an empty set is refused by the stage that emptied it', () => {
  const blind = target('blind', { models: [model('m', { supportsVision: false })] });
  const off = target('off', {}, { status: 2 });
  const full = target('full', {}, { pending: 1, capacity: 1 });

  it('capability_mismatch names what is missing, and holds also for unhealthy ones', () => {
    const decision = decided([{ ...blind, figures: off.figures }], {
      needs: { needsVision: true },
    });
    assert.equal(refusedAs(decision), 'capability_mismatch');
    assert.match(decision.kind === 'refuse' ? decision.refusal.message : '', /: vision\.$/);
    assert.equal(decision.kind === 'refuse' && decision.refusal.param, 'model');
  });

  it('context_length_exceeded does the sum', () => {
    const decision = decided([target('a')], {
      needs: { estimatedTokens: 8000, maxOutputTokens: 193 },
    });
    assert.equal(refusedAs(decision), 'context_length_exceeded');
    assert.match(
      decision.kind === 'refuse' ? decision.refusal.message : '',
      /193 \+ prompt 8000 = 8193 exceeds 8192/,
    );
  });

  it('remote_media_refused where only self-hosted engines are', () => {
    const decision = decided([target('a')], { needs: { remoteMedia: true } });
    assert.equal(refusedAs(decision), 'remote_media_refused');
  });

  it('no_healthy_backend when able ones exist and none is well, one of them unable notwithstanding', () => {
    assert.equal(refusedAs(decided([off])), 'no_healthy_backend');
    assert.equal(
      refusedAs(decided([off, blind], { needs: { needsVision: true } })),
      'no_healthy_backend',
    );
    assert.equal(refusedAs(decided([target('a', { approved: false })])), 'no_healthy_backend');
  });

  it('models_loading when all able ones load or unload it, and none else', () => {
    const loading = target('loading', closed('m'));
    const unloading = target('unloading', closed('m', 'unloading'));
    const decision = decided([loading, unloading]);
    assert.equal(refusedAs(decision), 'models_loading');
    assert.match(
      decision.kind === 'refuse' ? decision.refusal.message : '',
      /loading or unloading/,
    );
    const needs = { needsVision: true };
    assert.equal(refusedAs(decided([loading, blind], { needs })), 'models_loading');
    assert.equal(refusedAs(decided([loading, off])), 'no_healthy_backend');
    assert.equal(refusedAs(decided([loading, full])), 'at_capacity');
    const unwanted = target('a', { ...closed('m'), approved: false });
    assert.equal(refusedAs(decided([unwanted])), 'no_healthy_backend');
  });

  it('at_capacity when one that is well is full, also beside an unhealthy one', () => {
    assert.equal(refusedAs(decided([full])), 'at_capacity');
    assert.equal(refusedAs(decided([full, off])), 'at_capacity');
  });

  it('no_healthy_backend when some were tried, since waiting does not help this request', () => {
    const decision = decided([full, target('a')], { input: { tried: ['a'] } });
    assert.equal(refusedAs(decision), 'no_healthy_backend');
  });

  it('a model that nobody lists never comes here', () => {
    assert.throws(() => decided([target('a')], { needs: { resolvedModel: 'x' } }), /nobody lists/);
  });
});

describe('in any fleet', () => {
  const flag = fc.boolean();
  const subject = fc.record({
    approved: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
    priority: fc.integer({ min: -5, max: 120 }),
    vision: flag,
    tools: flag,
    json: flag,
    context: fc.constantFrom(50, 100, 200),
    cloud: flag,
    closed: fc.constantFrom(undefined, undefined, undefined, 'm', 'other'),
    pending: fc.nat(4),
    capacity: fc.constantFrom(0, 2, 4),
    latencyMs: fc.constantFrom(0, 5, 100, 2000),
    status: fc.constantFrom(1, 1, 1, 0, 2, 3),
    generation: fc.constantFrom(1, 1, 1, 3),
    tried: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
  });
  const needs = fc.record({
    estimatedTokens: fc.nat(120),
    maxOutputTokens: fc.option(fc.nat(100), { nil: undefined }),
    needsVision: flag,
    needsTools: flag,
    needsJsonMode: flag,
    operation: fc.constantFrom('chat', 'chat', 'chat', 'embeddings'),
    remoteMedia: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  });

  it('the choice depends on nothing else, is able and free, and every backend has its reason', () => {
    fc.assert(
      fc.property(
        fc.array(subject, { minLength: 1, maxLength: 7 }),
        needs,
        fc.constantFrom(...strategies),
        fc.nat(),
        (subjects, needed, strategy, cursor) => {
          const targets = subjects.map((one, i) =>
            target(
              `b${i}`,
              {
                approved: one.approved,
                priority: one.priority,
                backendType: one.cloud ? 'google' : 'vllm',
                closures: one.closed ? [{ modelId: one.closed, reason: 'loading' }] : [],
                models: [
                  model('m', {
                    supportsVision: one.vision,
                    supportsTools: one.tools,
                    supportsJsonMode: one.json,
                    contextLength: one.context,
                  }),
                ],
              },
              one,
            ),
          );
          const tried = targets.filter((_, i) => subjects[i]?.tried).map(({ id }) => id);
          const run = () =>
            decided(targets, { needs: needed, settings: { strategy }, input: { tried, cursor } });
          const decision = run();
          assert.deepEqual(run(), decision);

          const total = needed.estimatedTokens + (needed.maxOutputTokens ?? 0);
          const isAble = (one: (typeof subjects)[number]): boolean =>
            !(needed.remoteMedia && !one.cloud) &&
            !(needed.operation === 'embeddings' && one.cloud) &&
            !(needed.needsVision && !one.vision) &&
            !(needed.needsTools && !one.tools) &&
            !(needed.needsJsonMode && !one.json) &&
            total <= one.context;
          const isFree = (one: (typeof subjects)[number]): boolean =>
            one.approved &&
            one.closed !== 'm' &&
            one.status === 1 &&
            one.generation === 1 &&
            !one.tried &&
            !(one.capacity > 0 && one.pending >= one.capacity);
          const good = targets.filter((_, i) => {
            const one = subjects[i];
            return one !== undefined && isAble(one) && isFree(one);
          });
          assert.deepEqual(
            decision.considered.map((item) => item.target.id),
            targets.map(({ id }) => id),
          );
          for (const item of decision.considered) {
            const isGood = good.some(({ id }) => id === item.target.id);
            assert.equal(item.stage === undefined, isGood);
            assert.equal(item.score !== undefined, isGood);
            assert.equal(item.reason !== '', !isGood);
          }
          assert.equal(decision.kind === 'route', good.length > 0);
          if (decision.kind === 'route') {
            assert.ok(good.some(({ id }) => id === decision.target.id));
            if (strategy === 'smart') {
              const best = Math.max(...decision.considered.map(({ score }) => score ?? -1));
              assert.equal(decision.score, best);
            }
            return;
          }
          const able = subjects.filter(isAble);
          const unavailable = ['no_healthy_backend', 'at_capacity', 'models_loading'];
          const { code } = decision.refusal;
          assert.equal(unavailable.includes(code), able.length > 0);
          const isLoading = able.every((one) => one.approved && one.closed === 'm');
          assert.equal(code === 'models_loading', able.length > 0 && isLoading);
        },
      ),
      { numRuns: 1500, seed: 1103 },
    );
  });
});
