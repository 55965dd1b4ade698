// Goal: the numbers in a dialog are those of the fleet on show, and only what is final is hard.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  drainWords,
  effectWords,
  removalNeedsName,
  removeWords,
  splitModels,
} from './backend-effects.ts';
import { backend } from './fleet.test-support.ts';

test('a model counts as held elsewhere only by a backend that takes requests', () => {
  const a = backend('a', ['chat', 'embed']);
  const b = backend('b', ['chat']);
  const c = backend('c', ['embed'], { routable: false });
  assert.deepEqual(splitModels(a, [a, b, c]), { elsewhere: ['chat'], onlyHere: ['embed'] });
});

test('draining says what finishes, what stays served and what does not', () => {
  const a = backend('a', ['chat'], { pending_requests: 18 });
  assert.equal(
    drainWords(a, [a, backend('b', ['chat'])]),
    '18 requests in flight there finish first. Its 1 model is on other backends too. New requests avoid it until you resume it.',
  );
  assert.match(drainWords(a, [a]), /chat is nowhere else: requests for it get 503/);
});

test('removing the only holder wants its name, any other removal does not', () => {
  const a = backend('a', ['chat']);
  assert.equal(removalNeedsName(a, [a]), true);
  assert.equal(removalNeedsName(a, [a, backend('b', ['chat'])]), false);
  assert.equal(removalNeedsName(backend('a', ['chat'], { routable: false }), [a]), false);
});

test('many models are named three at most and the rest counted', () => {
  const a = backend('a', ['m1', 'm2', 'm3', 'm4', 'm5']);
  assert.match(removeWords(a, [a]), /m1, m2, m3 and 2 more are nowhere else/);
});

test('the effect of a backend that is out names what nobody else serves', () => {
  const out = backend('a', ['chat', 'embed'], { routable: false });
  const other = backend('b', ['embed']);
  assert.equal(effectWords(out, [out, other]), 'chat is nowhere else: requests for it get 503.');
  const twin = backend('c', ['chat']);
  assert.match(effectWords(out, [out, other, twin]), /^Its 2 models are on other backends too/);
});

test('the effect of losing a backend that serves is told as what would be', () => {
  const a = backend('a', ['chat']);
  assert.equal(
    effectWords(a, [a]),
    'chat is nowhere else: without this backend requests for it get 503.',
  );
  assert.equal(effectWords(backend('b'), []), 'It offers no model.');
});
