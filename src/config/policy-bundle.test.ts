// Goal: a candidate is whole or refused with every fault at once. Method: small files, and the same as
// JSON, which is YAML too.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleRefusal, readPolicyBundle } from './policy-bundle.ts';

function faultsOf(text: string): readonly (readonly [string, string])[] {
  const outcome = readPolicyBundle(text, 'candidate.yaml');
  assert.ok(!outcome.ok, 'refused');
  return outcome.error.map(({ path, expected }) => [path, expected] as const);
}

test('only what the candidate names is in the bundle', () => {
  const text = `routing:
  max_retries: 0
  weights: {priority: 10, load: 80, latency: 10}
policy:
  failure_percent: 20
`;
  const outcome = readPolicyBundle(text, 'candidate.yaml');
  assert.ok(outcome.ok);
  assert.deepEqual(outcome.value.routing, {
    maxRetries: 0,
    weights: { priority: 10, load: 80, latency: 10 },
  });
  assert.deepEqual(outcome.value.policy, { failurePercent: 20 });
  assert.equal(
    outcome.value.text,
    '{"policy.failure_percent":20,"routing.max_retries":0,"routing.weights.latency":10,"routing.weights.load":80,"routing.weights.priority":10}',
  );
});

test('a candidate means the same as YAML and as JSON, whatever the order of its keys', () => {
  const yaml = readPolicyBundle('policy: {cooldown_seconds: 5}\nrouting: {strategy: RANDOM}', 'a');
  const json = readPolicyBundle(
    JSON.stringify({ routing: { strategy: 'random' }, policy: { cooldown_seconds: 5 } }),
    'b',
  );
  assert.ok(yaml.ok && json.ok);
  assert.deepEqual(yaml.value, json.value);
});

test('every fault is named at once, with the nearest key and its line', () => {
  const text = `routing:
  stratgy: smart
  max_retries: 99
polcy:
  x: 1
server:
  port: 1
policy:
  objective: 2
`;
  const outcome = readPolicyBundle(text, 'candidate.yaml');
  assert.ok(!outcome.ok);
  const refused = bundleRefusal(outcome.error);
  assert.equal(refused.code, 'policy_invalid');
  assert.match(refused.message, /5 faults; nothing was replayed/);
  assert.match(refused.message, /max_retries is 99 \(candidate\.yaml line 3\)/);
  assert.match(refused.message, /did you mean routing\.strategy\?/);
  assert.match(refused.message, /polcy.*sections routing, policy; did you mean policy\?/);
  assert.match(refused.message, /server .*sections routing, policy\./);
  assert.match(refused.message, /policy\.objective is 2 .*line 9/);
});

test('weights come all three or not at all, and sum to 100', () => {
  assert.deepEqual(faultsOf('routing: {weights: {latency: 20}}'), [
    ['routing.weights', 'all three weights or none of them; they sum to 100'],
  ]);
  assert.deepEqual(faultsOf('routing: {weights: {priority: 1, load: 2, latency: 3}}'), [
    ['routing.weights', 'three weights that sum to 100'],
  ]);
});

test('alias cycles, sections that are no mappings, broken text and nothing at all are refused', () => {
  assert.match(faultsOf('routing: {aliases: {a: b, b: a}}')[0]?.[1] ?? '', /no cycle/);
  assert.deepEqual(faultsOf('routing: 5'), [['routing', 'a mapping of options']]);
  assert.match(faultsOf('routing: {')[0]?.[1] ?? '', /readable YAML/);
  assert.match(faultsOf('')[0]?.[1] ?? '', /something to change/);
  assert.match(faultsOf('[1]')[0]?.[1] ?? '', /a mapping of sections/);
  assert.deepEqual(faultsOf('__proto__: {x: 1}').length, 1);
});
