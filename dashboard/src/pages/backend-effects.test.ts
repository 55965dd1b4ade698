// Goal: the numbers in a dialog are those of the fleet on show, and only what is final is hard.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackendViewWire } from '../api/wire.ts';
import { drainWords, removalNeedsName, removeWords, splitModels } from './backend-effects.ts';

function backend(
  id: string,
  models: readonly string[],
  more: Partial<BackendViewWire> = {},
): BackendViewWire {
  return {
    id,
    name: id,
    url: `http://${id}:8000`,
    backend_type: 'vllm',
    status: 'healthy',
    status_reason: null,
    status_since: '2026-11-12T12:00:00.000Z',
    status_words: '',
    routable: true,
    last_health_check: '2026-11-12T12:00:00.000Z',
    last_error: null,
    models: models.map((model) => ({
      id: model,
      name: model,
      context_length: 8192,
      supports_vision: false,
      supports_tools: false,
      supports_json_mode: false,
      max_output_tokens: null,
    })),
    priority: 50,
    pending_requests: 0,
    total_requests: 0,
    avg_latency_ms: 0,
    first_byte_ms: null,
    discovery_source: 'static',
    metadata: {},
    zone: 'restricted',
    tier: 3,
    capacity: 0,
    approved: true,
    simulated: false,
    current_operation: null,
    ...more,
  };
}

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
