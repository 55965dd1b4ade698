// Goal: the filter finds what a person means by it and never breaks on what is typed. Method: one
// small fleet, a table of texts, and any text at all.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backendTypes, isCloudType } from '../../../src/base/backend-type.ts';
import { holds } from '../../../test/support/properties.ts';
import { foundWords, sourceOf } from './backend-source.ts';
import { backend } from './fleet.test-support.ts';
import { byName, filterFleet, isCloud } from './fleet-filter.ts';

const fleet = [
  backend('vllm-a', ['chat', 'llama3:70b']),
  backend('box-2', ['llama3:8b'], {
    backend_type: 'ollama',
    status: 'unhealthy',
    routable: false,
    metadata: { found_by: 'scan' },
    discovery_source: 'mdns',
  }),
  backend('claude', ['claude-4'], { backend_type: 'anthropic', zone: 'open' }),
  backend('sim-a', ['chat'], { simulated: true, status: 'draining', routable: false }),
];

const ids = (text: string) => filterFleet(fleet, { text }).map(({ id }) => id);

test('the four states count what their words say', () => {
  const of = (state: '!ok' | 'draining' | 'cloud' | 'simulated') =>
    filterFleet(fleet, { state }).map(({ id }) => id);
  assert.deepEqual(of('!ok'), ['box-2', 'sim-a']);
  assert.deepEqual(of('draining'), ['sim-a']);
  assert.deepEqual(of('cloud'), ['claude']);
  assert.deepEqual(of('simulated'), ['sim-a']);
});

test('cloud is here what it is on the server', () => {
  for (const type of backendTypes) assert.equal(isCloud({ backend_type: type }), isCloudType(type));
});

test('words are looked for everywhere, with a key in one place, and all must be found', () => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ['', ['vllm-a', 'box-2', 'claude', 'sim-a']],
    ['  LLAMA3 ', ['vllm-a', 'box-2']],
    ['llama3:70b', ['vllm-a']],
    ['model:chat -sim', ['vllm-a']],
    ['type:ollama zone:restricted', ['box-2']],
    ['state:draining', ['sim-a']],
    ['source:scan', ['box-2']],
    ['-type:vllm', ['box-2', 'claude']],
    ['chat claude', []],
    ['type:', ['vllm-a', 'box-2', 'claude', 'sim-a']],
  ];
  for (const [text, wanted] of table) assert.deepEqual(ids(text), wanted, text);
});

holds(
  'whatever is typed, the filter lets through a part of the fleet in its order',
  fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
    const found = filterFleet(fleet, { text });
    assert.deepEqual(
      found,
      fleet.filter((one) => found.includes(one)),
    );
  }),
);

test('rows stand by name whatever their state', () => {
  assert.deepEqual(
    [...fleet].sort(byName).map(({ id }) => id),
    ['box-2', 'claude', 'sim-a', 'vllm-a'],
  );
});

test('a found backend says how it was found, with the name under which it announced itself', () => {
  const announced = backend('den', [], {
    discovery_source: 'mdns',
    metadata: { mdns_instance: '<b>den</b>' },
  });
  assert.equal(sourceOf(announced), 'mdns');
  assert.match(foundWords(announced), /Announced itself .* as “<b>den<\/b>”/);
  assert.match(foundWords(fleet[1] ?? announced), /Answered at http:\/\/box-2:8000/);
  assert.match(foundWords(backend('a')), /Known by static/);
});
