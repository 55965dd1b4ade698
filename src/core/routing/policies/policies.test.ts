// Goal: each policy chooses whom its name says, and none ever chooses somebody who was excluded.
// Method: small fleets with figures, decided by the production function; properties over random ones.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../../test/support/properties.ts';
import { type Strategy, strategies } from '../../../base/routing-words.ts';
import { decide } from '../decide.ts';
import type { DecideInput, RouteFeatures } from '../decision-input.ts';
import {
  type Figures,
  features,
  fleetOf,
  model,
  type TestTarget,
  target,
} from '../fleet.test-support.ts';
import { drawOf } from '../rendezvous.ts';
import type { RoutingSettings } from '../snapshot.ts';
import { distanceKm } from './geographic.ts';
import { turnOf } from './turns.ts';

const plain: DecideInput = { tried: [], cursor: 0, seed: 1, budget: 'Normal' };

function chosen(
  targets: readonly TestTarget[],
  settings: Partial<RoutingSettings>,
  wants: Partial<RouteFeatures> = {},
  input: Partial<DecideInput> = {},
): string {
  const { snapshot, counters } = fleetOf(targets, settings);
  const decision = decide(snapshot, counters, features(wants), { ...plain, ...input });
  assert.equal(decision.kind, 'route');
  return decision.kind === 'route' ? decision.target.id : '';
}

const three = (figures: readonly Partial<Figures>[]): TestTarget[] =>
  figures.map((own, i) => target(`b${i}`, {}, own));

/** How often each was chosen over these cursors, which also seed. */
function shares(
  targets: readonly TestTarget[],
  settings: Partial<RoutingSettings>,
  turns: number,
  wants: Partial<RouteFeatures> = {},
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (let cursor = 0; cursor < turns; cursor++) {
    const id = chosen(targets, settings, wants, { cursor, seed: cursor * 7919 });
    counts.set(id, 1 + (counts.get(id) ?? 0));
  }
  return counts;
}

describe('latency', () => {
  const strategy: Strategy = 'latency';

  it('takes the lowest expected wait: the peak average times what is in flight', () => {
    const fleet = three([{ peakMs: 300 }, { peakMs: 100, pending: 1 }, { peakMs: 90, pending: 3 }]);
    assert.equal(chosen(fleet, { strategy }), 'b1');
  });

  it('gives one that was never measured the median of the others, or 100 ms', () => {
    const between = three([{ peakMs: 50, pending: 4 }, {}, { peakMs: 400 }, { peakMs: 200 }]);
    assert.equal(chosen(between, { strategy }), 'b1', '250, 200, 400 and 200: equal ones by name');
    assert.equal(chosen(three([{ pending: 2 }, { pending: 1 }]), { strategy }), 'b1');
  });

  it('breaks ties by the name, as selectRoute does', () => {
    const fleet = three([{ peakMs: 10 }, { peakMs: 10 }]);
    assert.equal(chosen(fleet, { strategy }, {}, { cursor: 1 }), 'b0');
  });
});

describe('weighted', () => {
  const strategy: Strategy = 'weighted';

  it('gives turns in proportion, and a weight of 0 none', () => {
    const fleet = three([{}, {}, {}]);
    const settings = { strategy, backendWeights: { b0: 5, b1: 2, b2: 0 } } as const;
    assert.deepEqual([...shares(fleet, settings, 70)].sort(), [
      ['b0', 50],
      ['b1', 20],
    ]);
  });

  it('renormalises over those that are left', () => {
    const fleet = [target('b0', {}, { status: 2 }), target('b1'), target('b2')];
    const settings = { strategy, backendWeights: { b0: 90, b1: 3, b2: 1 } } as const;
    const counts = shares(fleet, settings, 40);
    assert.deepEqual([counts.get('b1'), counts.get('b2')], [30, 10]);
  });

  it('says so when nobody has a weight', () => {
    const { snapshot, counters } = fleetOf([target('b0')], { strategy, backendWeights: { b0: 0 } });
    const decision = decide(snapshot, counters, features(), plain);
    assert.equal(decision.kind === 'refuse' && decision.refusal.code, 'no_healthy_backend');
    assert.equal(decision.considered[0]?.stage, 'weight');
  });

  const weights = fc
    .array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 8 })
    .filter((all) => all.some((weight) => weight > 0));

  holds(
    'in one round each has exactly its turns, and at every moment its share within one and a half',
    fc.property(weights, (all) => {
      const sum = all.reduce((total, weight) => total + weight, 0);
      const counts = all.map(() => 0);
      for (let turn = 0; turn < sum; turn++) {
        const owner = turnOf(all, turn);
        counts[owner] = (counts[owner] ?? 0) + 1;
        for (const [i, weight] of all.entries()) {
          const share = ((turn + 1) * weight) / sum;
          const off = Math.abs((counts[i] ?? 0) - share);
          assert.ok(off <= 1.5, `turn ${turn}: ${counts} of ${all}, ${i} is off by ${off}`);
        }
      }
      assert.deepEqual(counts, all);
    }),
  );
});

describe('least in flight and least tokens', () => {
  it('count requests, of a known capacity its share', () => {
    const strategy: Strategy = 'least_in_flight';
    assert.equal(chosen(three([{ pending: 3 }, { pending: 1 }]), { strategy }), 'b1');
    const sized = three([
      { pending: 8, capacity: 32 },
      { pending: 2, capacity: 4 },
    ]);
    assert.equal(chosen(sized, { strategy }), 'b0');
  });

  it('believe an engine that says it has more than we sent', () => {
    const strategy: Strategy = 'least_in_flight';
    const fleet = three([{ pending: 0, engineRequests: 9 }, { pending: 2 }]);
    assert.equal(chosen(fleet, { strategy }), 'b1');
  });

  it('count tokens rather than requests, and what a full cache adds', () => {
    const strategy: Strategy = 'least_tokens';
    const fleet = three([
      { pending: 1, tokens: 9000 },
      { pending: 6, tokens: 600 },
    ]);
    assert.equal(chosen(fleet, { strategy }), 'b1');
    const full = three([
      { tokens: 1000, kvUse: 0.97 },
      { tokens: 1500, kvUse: 0.1 },
    ]);
    assert.equal(chosen(full, { strategy }), 'b1');
  });
});

describe('power of two choices', () => {
  const strategy: Strategy = 'power_of_two';

  it('never takes the most loaded of three, and takes both others', () => {
    const fleet = three([{ pending: 9 }, { pending: 1 }, { pending: 2 }]);
    const counts = shares(fleet, { strategy }, 200);
    assert.equal(counts.get('b0'), undefined);
    assert.ok((counts.get('b1') ?? 0) > (counts.get('b2') ?? 0));
    assert.ok((counts.get('b2') ?? 0) > 30);
  });

  it('draws the same two from the same seed', () => {
    const fleet = three([{}, {}, {}, {}, {}]);
    const again = [1, 2, 3].map(() => chosen(fleet, { strategy }, {}, { seed: 99 }));
    assert.equal(new Set(again).size, 1);
  });
});

describe('prefix affinity', () => {
  const strategy: Strategy = 'prefix_affinity';
  const keeps = { strategy, affinity: { ...usual(), explorePercent: 0 } };

  function usual() {
    return { gateRequests: 32, gateRatio: 1.1, loadFactor: 1.25, explorePercent: 1, swapMs: 1000 };
  }

  it('sends one beginning to one backend, and many beginnings to all', () => {
    const fleet = three([{}, {}, {}, {}]);
    const homes = new Map<number, string>();
    for (let prefixKey = 0; prefixKey < 400; prefixKey++) {
      const ids = [1, 2, 3].map((seed) => chosen(fleet, keeps, { prefixKey }, { seed }));
      assert.equal(new Set(ids).size, 1);
      homes.set(prefixKey, ids[0] ?? '');
    }
    for (const id of ['b0', 'b1', 'b2', 'b3']) {
      const share = [...homes.values()].filter((home) => home === id).length;
      assert.ok(share > 60 && share < 140, `${id} has ${share} of 400`);
    }
  });

  it('moves only the beginnings of a backend that goes', () => {
    const fleet = three([{}, {}, {}, {}]);
    const smaller = fleet.map((one) =>
      one.id === 'b2' ? { ...one, figures: { ...one.figures, status: 2 } } : one,
    );
    for (let prefixKey = 0; prefixKey < 200; prefixKey++) {
      const before = chosen(fleet, keeps, { prefixKey });
      const after = chosen(smaller, keeps, { prefixKey });
      if (before !== 'b2') assert.equal(after, before);
    }
  });

  it('stays within its bound of the average load', () => {
    const prefixKey = [...Array(100).keys()].find((key) => {
      return chosen(three([{}, {}, {}]), keeps, { prefixKey: key }) === 'b1';
    });
    assert.ok(prefixKey !== undefined);
    const loaded = three([{ pending: 4 }, { pending: 10 }, { pending: 4 }]);
    assert.notEqual(chosen(loaded, keeps, { prefixKey }), 'b1');
  });

  /** Backends in the order in which they would be home to a beginning. */
  function homesOf(prefixKey: number, count: number): readonly string[] {
    const gone = new Set<string>();
    return Array.from({ length: count }, () => {
      const facts = [...Array(count).keys()].map((i) => ({ status: gone.has(`b${i}`) ? 2 : 1 }));
      const home = chosen(three(facts), keeps, { prefixKey });
      gone.add(home);
      return home;
    });
  }

  /** A fleet of four in which these have so many requests in flight, the others two. */
  const busy = (pending: Readonly<Record<string, number>>) =>
    three([0, 1, 2, 3].map((i) => ({ pending: pending[`b${i}`] ?? 2 })));

  it('has one other home for a beginning whose first is full, before load decides', () => {
    for (let prefixKey = 0; prefixKey < 50; prefixKey++) {
      const [first = '', second = '', third = ''] = homesOf(prefixKey, 4);
      assert.equal(chosen(busy({ [first]: 2 }), keeps, { prefixKey }), first);
      assert.equal(chosen(busy({ [first]: 9 }), keeps, { prefixKey }), second);
      // 15 requests with this one: 1.25 times their mean is under 5, 1.25 times that under 6.
      assert.equal(chosen(busy({ [first]: 5, [second]: 5 }), keeps, { prefixKey }), first);
      // 18 with this one: the bounds are six and eight.
      assert.equal(chosen(busy({ [first]: 7, [second]: 6 }), keeps, { prefixKey }), second);
      assert.equal(chosen(busy({ [first]: 9, [second]: 9 }), keeps, { prefixKey }), third);
    }
  });

  it('decides an old record by the rule of its day, without a second home', () => {
    const { snapshot, counters } = fleetOf(busy({}), keeps);
    for (let prefixKey = 0; prefixKey < 50; prefixKey++) {
      const [first = '', second = '', third = ''] = homesOf(prefixKey, 4);
      const fleet = fleetOf(busy({ [first]: 5, [second]: 5 }), keeps);
      const was = decide(fleet.snapshot, fleet.counters, features({ prefixKey }), plain, 1);
      assert.equal(was.kind === 'route' ? was.target.id : '', third);
      const alike = decide(snapshot, counters, features({ prefixKey }), plain, 1);
      assert.equal(alike.kind === 'route' ? alike.target.id : '', first);
    }
  });

  it('goes by load when the fleet is uneven, and without a prompt', () => {
    const uneven = three([{ pending: 50 }, { pending: 60 }, { pending: 2 }]);
    for (let prefixKey = 0; prefixKey < 20; prefixKey++) {
      assert.equal(chosen(uneven, keeps, { prefixKey }), 'b2');
    }
    assert.equal(chosen(three([{ pending: 2 }, { pending: 1 }]), keeps), 'b1');
  });

  it('explores with about one request in a hundred', () => {
    const fleet = three([{}, {}, {}, {}, {}, {}, {}, {}, {}, {}]);
    const counts = shares(fleet, { strategy, affinity: usual() }, 5000, { prefixKey: 7 });
    const home = Math.max(...counts.values());
    assert.ok(5000 - home > 20 && 5000 - home < 90, `${5000 - home} of 5000 went elsewhere`);
  });
});

describe('stickiness, residency and place', () => {
  it('keep a session on its backend, whatever the cursor', () => {
    const fleet = three([{}, {}, {}]);
    const counts = shares(fleet, { strategy: 'sticky' }, 50, { affinityKey: 4711 });
    assert.equal(counts.size, 1);
    assert.ok(shares(fleet, { strategy: 'sticky' }, 50).size === 3, 'without one, by load');
  });

  it('prefer a loaded model until waiting there costs more than loading it', () => {
    const settings = { strategy: 'model_affinity' } as const;
    const fleet = (pending: number) => [
      target('cold', { loadedModels: [] }, { peakMs: 500 }),
      target('warm', { loadedModels: ['m'] }, { peakMs: 500, pending }),
    ];
    assert.equal(chosen(fleet(5), settings), 'warm');
    assert.equal(chosen(fleet(40), settings), 'cold');
  });

  it('go to the own region, then to the nearest, then by load', () => {
    const regions = {
      frankfurt: { latitude: 50.1, longitude: 8.7 },
      dublin: { latitude: 53.3, longitude: -6.3 },
      oregon: { latitude: 45.5, longitude: -122.7 },
    };
    const fleet = [
      target('us'),
      target('ie'),
      target('de-a', {}, { pending: 3 }),
      target('de-b', {}, { pending: 1 }),
    ];
    const backendRegions = {
      us: 'oregon',
      ie: 'dublin',
      'de-a': 'frankfurt',
      'de-b': 'frankfurt',
    };
    const settings = { strategy: 'geographic', regions, backendRegions } as const;
    assert.equal(chosen(fleet, settings, { region: 'frankfurt' }), 'de-b');
    assert.equal(chosen(fleet.slice(0, 2), settings, { region: 'frankfurt' }), 'ie');
    assert.equal(chosen(fleet, settings, { region: 'dublin' }), 'ie');
  });

  it('measure great circles: Frankfurt to Sydney is some 16 480 km', () => {
    const frankfurt = { latitude: 50.11, longitude: 8.68 };
    const sydney = { latitude: -33.87, longitude: 151.21 };
    assert.ok(Math.abs(distanceKm(frankfurt, sydney) - 16_480) < 30);
    assert.equal(distanceKm(sydney, sydney), 0);
  });
});

describe('cost', () => {
  const strategy: Strategy = 'cost';
  const price = (backend: string | undefined, input: number, output: number, gpu = 0) => ({
    model: 'm*',
    backend,
    inputPerMillion: input,
    cachedInputPerMillion: input,
    outputPerMillion: output,
    perGpuSecond: gpu,
  });
  const cloud = { backendType: 'openai' } as const;

  it('takes what prompt and expected answer cost least, by the first rule that fits', () => {
    const prices = [price('b0', 9_000_000, 1_000_000), price('b1', 1_000_000, 9_000_000)];
    const fleet = three([{}, {}]);
    const long = { estimatedTokens: 5000, maxOutputTokens: 10 };
    assert.equal(chosen(fleet, { strategy, prices }, long), 'b1');
    const wordy = { estimatedTokens: 10, maxOutputTokens: 5000 };
    assert.equal(chosen(fleet, { strategy, prices }, wordy), 'b0');
    const embeddings = { ...wordy, operation: 'embeddings' as const };
    assert.equal(chosen(fleet, { strategy, prices }, embeddings), 'b1');
  });

  it('puts self-hosted backends without a price first, and cloud ones without a price last', () => {
    const own = target('own', {});
    const priced = target('priced', cloud);
    const unknown = target('unknown', { ...cloud, models: [model('x'), model('m')] });
    const prices = [price('priced', 1_000_000, 1_000_000)];
    assert.equal(chosen([unknown, priced, own], { strategy, prices }), 'own');
    assert.equal(chosen([unknown, priced], { strategy, prices }), 'priced');
  });

  it('goes by seconds of work where they have a price, and by load among equals', () => {
    const prices = [price('b*', 0, 0, 800)];
    assert.equal(
      chosen(three([{ latencyMs: 900 }, { latencyMs: 200 }]), { strategy, prices }),
      'b1',
    );
    assert.equal(chosen(three([{ pending: 3 }, { pending: 1 }]), { strategy, prices }), 'b1');
  });
});

describe('every policy', () => {
  const figures: fc.Arbitrary<Partial<Figures>> = fc.record({
    pending: fc.nat({ max: 60 }),
    capacity: fc.constantFrom(0, 0, 8, 64),
    latencyMs: fc.nat({ max: 5000 }),
    status: fc.constantFrom(1, 1, 1, 2, 3),
    gates: fc.nat({ max: 7 }),
    peakMs: fc.nat({ max: 5000 }),
    tokens: fc.nat({ max: 50_000 }),
    engineRequests: fc.integer({ min: -1, max: 40 }),
    kvUse: fc.constantFrom(-1, 0, 0.5, 1),
  });
  const wants = fc.record({
    prefixKey: fc.option(fc.nat(), { nil: undefined }),
    affinityKey: fc.option(fc.nat(), { nil: undefined }),
  });

  holds(
    'chooses one that no stage excluded, with a score that is a number, the same each time',
    fc.property(
      fc.constantFrom(...strategies),
      fc.array(figures, { minLength: 1, maxLength: 12 }),
      wants,
      fc.nat(),
      fc.nat(),
      (strategy, all, wish, cursor, seed) => {
        const { snapshot, counters } = fleetOf(three(all), { strategy });
        const input = { ...plain, cursor, seed };
        const decision = decide(snapshot, counters, features(wish), input);
        assert.deepEqual(decide(snapshot, counters, features(wish), input), decision);
        if (decision.kind === 'refuse') return;
        const item = decision.considered.find(({ target: one }) => one === decision.target);
        assert.equal(item?.stage, undefined);
        assert.ok(Number.isFinite(decision.score));
      },
    ),
  );

  it('spreads its draws: of 4000 keys each of eight backends wins an eighth, within a quarter of it', () => {
    const wins = new Map<string, number>();
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `spark-${name}`);
    for (let key = 0; key < 4000; key++) {
      const best = ids.reduce((a, b) => (drawOf(key, b) > drawOf(key, a) ? b : a));
      wins.set(best, 1 + (wins.get(best) ?? 0));
    }
    for (const id of ids) {
      assert.ok(Math.abs((wins.get(id) ?? 0) - 500) < 125, `${id}: ${wins.get(id)}`);
    }
  });
});
