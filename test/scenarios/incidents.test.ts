// Goal: the rules behind the five incidents (platform specification E) hold, row by row. Method: each
// row that is a pure function as a case, and those that speak of any input as properties. What goes
// over the wire is tested end to end; recordings of the same rows are in fixtures/.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../../src/base/canonical.ts';
import { instant } from '../../src/base/time.ts';
import { atOrOverCapacity } from '../../src/core/allocation/capacity.ts';
import { costPerUnit, estimateCost } from '../../src/core/allocation/cost-estimate.ts';
import { normalizeUrgency, priorityPerSlot } from '../../src/core/allocation/figures.ts';
import { type SlotReservation, slotUtilization } from '../../src/core/allocation/reservation.ts';
import { detectGaps } from '../../src/core/events/gaps.ts';
import { countByKind, inTimeWindow, sortByTime } from '../../src/core/events/timeline.ts';
import { dedupeKeepEarliest } from '../../src/core/events/timeline-merge.ts';
import { meetsSlo } from '../../src/core/policy/risk.ts';
import { escalate } from '../../src/core/policy/serving-mode.ts';
import { TokenBucket } from '../../src/core/queue/token-bucket.ts';
import { replay } from '../../src/core/resilience/replay.ts';
import { replayWithGaps } from '../../src/core/resilience/replay-gaps.ts';
import {
  inSequenceWindow,
  orderedSequenceWindow,
} from '../../src/core/resilience/sequence-window.ts';
import { bestRoute, compareRoutes, type Route, selectRoute } from '../../src/core/routing/route.ts';
import {
  isTokenWellFormed,
  passwordStrength,
  rateLimitKey,
} from '../../src/core/security/rules.ts';
import { TokenStore } from '../../src/core/security/token-store.ts';
import {
  alertPriority,
  shouldAlert,
  withinTolerance,
} from '../../src/core/telemetry/alert-level.ts';
import {
  healthAlertAfterMs,
  healthScoreThreshold,
  healthWatchStart,
  stepHealthWatch,
} from '../../src/core/telemetry/health-alert.ts';
import { errorRate, healthScore } from '../../src/core/telemetry/health-score.ts';
import { meanByName } from '../../src/core/telemetry/metric.ts';
import { throughput, uptimePercent } from '../../src/core/telemetry/service-level.ts';
import { nodeCrypto } from '../../src/io/credentials/crypto.ts';
import { holds } from '../support/properties.ts';
import { series, shuffled } from './series.ts';

const east: Route = { endpoint: 'inference-us-east-1', latencyMs: 12 };
const west: Route = { endpoint: 'inference-us-west-2', latencyMs: 847 };
const central: Route = { endpoint: 'inference-eu-central-1', latencyMs: 203 };
const three = [east, west, central];
const budgetMs = 500;

function blocked(...endpoints: readonly string[]): ReadonlySet<string> {
  return new Set(endpoints);
}

describe('E.1: inference routed to the slowest endpoint', () => {
  it('1: the fastest route is selected', () => {
    assert.equal(selectRoute(three, blocked()), east);
  });

  it('2: without it the next fastest', () => {
    assert.equal(selectRoute(three, blocked(east.endpoint)), central);
  });

  it('3: with all blocked none, never a blocked one', () => {
    const all = blocked(...three.map(({ endpoint }) => endpoint));
    assert.equal(selectRoute(three, all), undefined);
  });

  it('4: 12 ms meet a budget of 500 ms; 847 ms are a violation, and two of them a burst', () => {
    assert.ok(meetsSlo(east.latencyMs, budgetMs));
    assert.ok(!meetsSlo(west.latencyMs, budgetMs));
    const violations = [west, west].filter(({ latencyMs }) => !meetsSlo(latencyMs, budgetMs));
    assert.equal(escalate('normal', violations.length), 'watch');
    assert.equal(escalate('normal', 1), 'normal');
  });

  it('5: in every order of the routes the same one', () => {
    for (const [a, b, c] of [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ] as const) {
      const order = [three[a], three[b], three[c]].filter((route) => route !== undefined);
      assert.equal(selectRoute(order, blocked()), east);
    }
  });

  const measured = fc.record({
    endpoint: fc.constantFrom('alpha', 'beta', 'gamma', 'delta', 'epsilon'),
    latencyMs: fc.integer({ min: 1, max: 5 }),
  });

  holds(
    '6: selection, best route and comparator agree where everything is measured and open',
    fc.property(fc.array(measured, { minLength: 1, maxLength: 8 }), (routes) => {
      const chosen = selectRoute(routes, blocked());
      assert.deepEqual(chosen, bestRoute(routes));
      assert.deepEqual(chosen, routes.toSorted(compareRoutes)[0]);
    }),
  );

  holds(
    '7: no decision selects a latency above the lowest that was open',
    fc.property(
      fc.array(measured, { maxLength: 8 }),
      fc.subarray(['alpha', 'beta', 'gamma', 'delta', 'epsilon']),
      (routes, closed) => {
        const chosen = selectRoute(routes, blocked(...closed));
        const open = routes.filter(({ endpoint }) => !closed.includes(endpoint));
        const record = {
          selected: chosen?.latencyMs ?? Number.POSITIVE_INFINITY,
          minimum: Math.min(...open.map(({ latencyMs }) => latencyMs)),
        };
        assert.equal(record.selected, record.minimum);
      },
    ),
  );
});

describe('E.2: empty token accepted', () => {
  it('4: a token has a length of 1 or more and is not blank', () => {
    assert.ok(!isTokenWellFormed(''));
    assert.ok(!isTokenWellFormed(' '));
    assert.ok(isTokenWellFormed('a'));
  });

  it('5: an unknown, a foreign, an expired and a revoked token are not valid', () => {
    const store = new TokenStore(nodeCrypto);
    store.store('key_a', 'tfk_good', 1000, 60);
    assert.ok(store.validate('key_a', 'tfk_good', 1059));
    assert.ok(!store.validate('key_a', 'tfk_good', 1060), 'exactly at issued + ttl');
    assert.ok(!store.validate('key_a', 'tfk_other', 1001));
    assert.ok(!store.validate('key_b', 'tfk_good', 1001));
    assert.ok(store.revoke('key_a'));
    assert.ok(!store.validate('key_a', 'tfk_good', 1001));
  });

  it('6: the sixth attempt inside the window is refused, by address and path', () => {
    const buckets = new Map<string, TokenBucket>();
    const attempt = (address: string, path: string, at: number): boolean => {
      const key = rateLimitKey(address, path);
      const bucket = buckets.get(key) ?? new TokenBucket(5, 5 / 60);
      buckets.set(key, bucket);
      return bucket.tryAcquire(at);
    };
    for (let at = 0; at < 5; at += 1) assert.ok(attempt('203.0.113.7', '/v1/a', at), `${at}`);
    assert.ok(!attempt('203.0.113.7', '/v1/a', 5));
    assert.ok(attempt('203.0.113.70', '/v1/a', 5));
    assert.ok(attempt('203.0.113.7', '/v1/b', 5));
  });

  it('7: a password of 7, 8, 16 and 17 characters is weak, medium, medium and strong', () => {
    const strengths = [7, 8, 16, 17].map((length) => passwordStrength('x'.repeat(length)));
    assert.deepEqual(strengths, ['weak', 'medium', 'medium', 'strong']);
  });
});

function reservation(startHour: number, endHour: number, occupied: boolean): SlotReservation {
  return { slotId: 'gpu-01', startHour, endHour, occupied };
}

describe('E.3: cost estimates a thousand times too high', () => {
  it('1: a total of 2.00 for 1000 units is 0.002 each, and 2.00 together', () => {
    const estimate = estimateCost({ totalCost: 2, quantity: 1000 });
    assert.deepEqual(estimate, {
      ok: true,
      value: { costPerUnit: 0.002, totalEstimate: 2, currency: 'USD' },
    });
  });

  it('2: no units cost nothing each', () => {
    assert.equal(costPerUnit(2, 0), 0);
  });

  it('3: all reservations occupied are a utilization of 1, none of 0', () => {
    const occupied = [reservation(0, 8, true), reservation(8, 24, true)];
    assert.equal(slotUtilization(occupied), 1);
    assert.equal(slotUtilization(occupied.map((each) => ({ ...each, occupied: false }))), 0);
  });

  it('4: an urgency of 150 of at most 100 is exactly 1', () => {
    assert.equal(normalizeUrgency(150, 100), 1);
  });

  holds(
    '4: a normalised urgency is always within 0..1',
    fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (raw, max) => {
      const share = normalizeUrgency(raw, max);
      assert.ok(Number.isNaN(share) || (share >= 0 && share <= 1), `${share}`);
    }),
  );

  it('5: an urgency of 7 over 3 slots is 3 for each', () => {
    assert.equal(priorityPerSlot(7, 3), 3);
  });

  it('6: 10 of 10 is over capacity, 9 of 10 is not', () => {
    assert.ok(atOrOverCapacity(10, 10));
    assert.ok(!atOrOverCapacity(9, 10));
  });

  holds(
    '7: cost per unit times quantity is the total within 1e-9 relative',
    fc.property(
      fc.double({ min: 0.01, max: 1e9, noNaN: true }),
      fc.integer({ min: 1, max: 10_000 }),
      (total, quantity) => {
        const product = costPerUnit(total, quantity) * quantity;
        assert.ok(Math.abs(product - total) <= 1e-9 * total, `${product} for ${total}`);
      },
    ),
  );
});

/** What the standing rule tells about scores that come every half minute. */
function alertsOf(scores: readonly number[]): readonly string[] {
  let watch = healthWatchStart;
  return scores.flatMap((score, at) => {
    const step = stepHealthWatch(watch, 'routing', score, instant(30_000 * at));
    watch = step.watch;
    return step.effect === undefined ? [] : [`${step.effect.kind} at ${at}`];
  });
}

describe('E.4: false health alarms', () => {
  it('1 and 2: 0.734 and 0.708 are above the line of 0.7 and alert nobody', () => {
    for (const [availability, performance, expected] of [
      [0.99, 0.35, 0.734],
      [0.98, 0.3, 0.708],
    ] as const) {
      const score = healthScore(availability, performance);
      assert.ok(Math.abs(score - expected) < 1e-9, `${score}`);
      assert.ok(score >= healthScoreThreshold);
      assert.deepEqual(alertsOf(new Array(40).fill(score)), []);
    }
  });

  it('3: 0.66 for five minutes is one warning, not one for each evaluation', () => {
    const score = healthScore(0.5, 0.9);
    assert.ok(Math.abs(score - 0.66) < 1e-9);
    const fiveMinutes = healthAlertAfterMs / 30_000;
    assert.deepEqual(alertsOf(new Array(40).fill(score)), [`alert_raised at ${fiveMinutes}`]);
    assert.deepEqual(alertsOf(new Array(fiveMinutes).fill(score)), []);
  });

  it('4: 50 errors of 10 000 are a rate of 0.005', () => {
    assert.equal(errorRate(10_000, 50), 0.005);
  });

  it('5: 5 000 requests in 60 000 ms are 83.33 per second', () => {
    assert.ok(Math.abs(throughput(5000, 60_000) - 83.33) < 0.01);
  });

  it('6: 0.95 against 0.80 alerts, 0.80 against 0.80 does not, but is a warning', () => {
    assert.ok(shouldAlert(0.95, 0.8));
    assert.ok(!shouldAlert(0.8, 0.8));
    assert.equal(alertPriority(0.8, 0.8, 0.95), 'warning');
  });

  it('7: an hour down of a day is an uptime of 95.83 %', () => {
    assert.ok(Math.abs(uptimePercent(86_400, 3600) - 95.83) < 0.01);
  });

  it('8: samples of 50 and 70 are 60', () => {
    const samples = [50, 70].map((value) => ({ name: 'latency_ms', value, timestamp: 1 }));
    assert.deepEqual([...meanByName(samples)], [['latency_ms', 60]]);
  });

  it('9: within and at the tolerance is within, beyond it is not', () => {
    assert.deepEqual(
      [10.5, 11, 9, 11.5].map((value) => withinTolerance(value, 10, 1)),
      [true, true, true, false],
    );
  });
});

function at(timestamp: number, id = `event-${timestamp}`, kind = 'routed', payload = '') {
  return { id, timestamp, kind, payload };
}

function sequenced(from: number, to: number) {
  const events = Array.from({ length: to - from + 1 }, (_, place) => from + place);
  return shuffled(events, series(from)).map((sequence) => ({ id: `event-${sequence}`, sequence }));
}

describe('E.5: replay returned newest first', () => {
  it('1: the window [1000, 1050] is 51 events, ascending', () => {
    const window = orderedSequenceWindow(sequenced(1000, 1050), 1000, 1050);
    assert.deepEqual(
      window.map(({ sequence }) => sequence),
      Array.from({ length: 51 }, (_, place) => 1000 + place),
    );
  });

  it('2: 51 events sorted by time begin with the oldest', () => {
    const times = Array.from({ length: 51 }, (_, place) => 1_711_353_600 + 72 * place);
    const sorted = sortByTime(shuffled(times, series(2)).map((time) => at(time)));
    assert.deepEqual(
      sorted.map(({ timestamp }) => timestamp),
      times,
    );
    assert.equal(sorted.at(-1)?.timestamp, 1_711_357_200);
  });

  it('3: of evt-12345 the pending version of 1000 stays, whichever came first', () => {
    const pending = at(1000, 'evt-12345', 'job', 'pending');
    const completed = at(2000, 'evt-12345', 'job', 'completed');
    assert.deepEqual(dedupeKeepEarliest([pending, completed]), [pending]);
    assert.deepEqual(dedupeKeepEarliest([completed, pending]), [pending]);
  });

  it('4: a time window holds both its ends', () => {
    const events = [999, 1000, 1500, 2000, 2001].map((time) => at(time));
    assert.deepEqual(inTimeWindow(events, 1000, 2000), events.slice(1, 4));
  });

  it('5: the window [100, 200] of 1 to 500 is 101 events', () => {
    const window = inSequenceWindow(sequenced(1, 500), 100, 200);
    assert.equal(window.length, 101);
    assert.ok(window.every(({ sequence }) => sequence >= 100 && sequence <= 200));
  });

  it('6: kinds are counted by occurrence, a repeated id again', () => {
    const events = ['1', '2', '1'].map((id, time) => at(time, id, 'inference'));
    assert.deepEqual([...countByKind(events)], [['inference', 3]]);
  });

  const event = fc.record({ id: fc.constantFrom('a', 'b', 'c'), sequence: fc.nat(30) });

  holds(
    '7: the same history delivered twice, shuffled, replays to identical bytes',
    fc.property(
      fc
        .uniqueArray(event, { selector: ({ sequence }) => sequence, maxLength: 20 })
        .chain((history) => {
          const twice = [...history, ...history];
          const delivered = fc.shuffledSubarray(twice, { minLength: twice.length });
          return fc.tuple(fc.constant(history), delivered);
        }),
      ([history, delivered]) => {
        const [once, twice] = [replay(history), replay(delivered)];
        assert.ok(once.ok);
        assert.ok(twice.ok);
        assert.equal(canonicalJson(twice.value), canonicalJson(once.value));
      },
    ),
  );

  it('8: a history with a hole says so, with the hole', () => {
    const whole = sequenced(1, 20);
    const holed = whole.filter(({ sequence }) => sequence < 9 || sequence > 11);
    const state = replayWithGaps(holed, { from: 1, to: 20 });
    assert.ok(state.ok && state.value.kind === 'incomplete');
    assert.deepEqual(state.value.gaps, [{ from: 9, to: 11 }]);
    const complete = replayWithGaps(whole, { from: 1, to: 20 });
    assert.ok(complete.ok && complete.value.kind === 'complete');
  });

  it('8: a silence longer than the threshold is a gap with its interval', () => {
    const gaps = detectGaps([at(0), at(60), at(661), at(1261)], 600);
    assert.deepEqual(
      gaps.map(([before, after]) => [before.timestamp, after.timestamp]),
      [[60, 661]],
    );
  });
});
