// Goal: memory is never overdrawn, who waits for a model hears exactly once, and a keep-alive ends
// when it says. Method: random commands on a mocked clock; examples for the edges.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { modelBytesOf } from './model-size.ts';
import { type LoadEnd, ModelStore } from './model-store.ts';

const names = ['a:1b', 'b:8b', 'c:13b', 'd:70b'];
const loadMs = 100;

function storeAt(now: () => number, vramTotalBytes = 10e9): ModelStore {
  const loadMsOf = (): number => loadMs;
  return new ModelStore({
    ...{ names, bytesDefault: 4e9, vramTotalBytes, loadMsOf, isAlwaysLoaded: false, now },
  });
}

const command = fc.oneof(
  fc.record({
    kind: fc.constantFrom('use', 'load', 'unload'),
    name: fc.constantFrom(...names, 'nobody'),
  }),
  fc.record({ kind: fc.constant('wait'), ms: fc.integer({ min: 1, max: 400_000 }) }),
);

holds(
  'models in memory never take more than there is, and every waiter hears once (I1, I2)',
  fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    let now = 0;
    const store = storeAt(() => now);
    const heard: LoadEnd[][] = [];
    const step = (one: (typeof commands)[number]): void => {
      if ('ms' in one) {
        now += one.ms;
        mock.timers.tick(one.ms);
      } else if (one.kind === 'unload') {
        store.unload(one.name);
      } else {
        const ends: LoadEnd[] = [];
        heard.push(ends);
        store[one.kind === 'use' ? 'use' : 'load'](one.name, (end) => ends.push(end));
      }
    };
    try {
      for (const one of commands) {
        step(one);
        const used = store.list().reduce((sum, { vramBytes }) => sum + vramBytes, 0);
        assert.ok(used <= store.vramTotalBytes, `${used}`);
        assert.ok(heard.every((ends) => ends.length <= 1));
      }
      mock.timers.tick(loadMs);
      assert.ok(heard.every((ends) => ends.length === 1));
    } finally {
      mock.timers.reset();
    }
  }),
);

test('a model goes when its keep-alive is over, each use begins it anew', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  const store = storeAt(() => now);
  const state = (): string | undefined => store.get('b:8b')?.state;
  store.load('b:8b', () => {}, 1000);
  assert.equal(state(), 'loading');
  mock.timers.tick(loadMs);
  now = 900;
  store.use('b:8b', () => {});
  now = 1900;
  assert.equal(state(), 'loaded');
  now = 1901;
  assert.equal(state(), 'unloaded');
  store.load('b:8b', () => {}, Infinity);
  mock.timers.tick(loadMs);
  now = 1e12;
  assert.equal(state(), 'loaded');
  assert.deepEqual([store.wakes, store.loads, store.unloads], [0, 2, 1]);
  mock.timers.reset();
});

test('what is larger than the memory takes all of it, as a server that spills to the CPU', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const store = storeAt(() => 0);
  store.load('b:8b', () => {});
  store.load('d:70b', () => {});
  mock.timers.tick(loadMs);
  assert.equal(store.get('d:70b')?.vramBytes, 10e9);
  assert.equal(store.get('b:8b')?.state, 'unloaded');
  mock.timers.reset();
});

test('the size of a model is read from its name, or is the default', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['llama3:8b', 4.5e9],
    ['qwen2.5-0.5b-instruct', 281_250_000],
    ['phi:1.5B', 843_750_000],
    ['nomic-embed', 7],
    ['model4bit', 7],
    ['a0b', 7],
  ];
  for (const [name, bytes] of cases) assert.equal(modelBytesOf(name, 7), bytes, name);
});
