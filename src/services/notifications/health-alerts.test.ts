// Goal: an ailing service becomes one standing alert with one event when it is raised and one when it
// is cleared. Method: scores at instants of our own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '../../base/time.ts';
import type { EventToAppend } from '../../io/postgres/control-events.ts';
import { HealthAlerts } from './health-alerts.ts';

const minute = 60_000;

function watched() {
  const events: EventToAppend[] = [];
  const alerts = new HealthAlerts((event) => events.push(event));
  const at = (minutes: number, scores: Readonly<Record<string, number>>): void =>
    alerts.evaluate(new Map(Object.entries(scores)), instant(minutes * minute));
  return { alerts, events, at };
}

test('five minutes of a low score raise one alert, and recovery clears it', () => {
  const { alerts, events, at } = watched();
  for (let minutes = 0; minutes < 5; minutes++) at(minutes, { routing: 0.66, audit: 1 });
  assert.deepEqual([alerts.standing(), events], [[], []]);
  for (let minutes = 5; minutes < 9; minutes++) at(minutes, { routing: 0.66, audit: 1 });
  const since = '1970-01-01T00:00:00.000Z';
  assert.deepEqual(alerts.standing(), [
    { name: 'routing', level: 'warning', value: 0.66, threshold: 0.7, since },
  ]);
  at(9, { routing: 0.7, audit: 1 });
  assert.deepEqual(alerts.standing(), []);
  assert.deepEqual(
    events.map(({ kind, subject, occurredAt }) => [kind, subject, occurredAt / minute]),
    [
      ['alert_raised', 'service:routing', 5],
      ['alert_cleared', 'service:routing', 9],
    ],
  );
});

test('scores of 0.734 and 0.708 alert nobody, and services are judged apart', () => {
  const { alerts, events, at } = watched();
  for (let minutes = 0; minutes < 20; minutes++) {
    at(minutes, { gateway: 0.734, audit: 0.708, identity: 0.5, security: 0.1 });
  }
  assert.deepEqual(
    alerts.standing().map(({ name }) => name),
    ['identity', 'security'],
  );
  assert.equal(events.length, 2);
});
