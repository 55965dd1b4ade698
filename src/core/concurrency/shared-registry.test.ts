// Goal: a registry changes entirely or not at all. Method: the rows of A.2; random operations against
// a plain model; interleaved transfers of one value.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { SharedRegistry } from './shared-registry.ts';

function registryOf(entries: Readonly<Record<string, string>>): SharedRegistry<string> {
  const registry = new SharedRegistry<string>();
  for (const [key, value] of Object.entries(entries)) registry.register(key, value);
  return registry;
}

test('registering writes over, looking up finds, removing gives the removed value', () => {
  const registry = registryOf({ a: '1' });
  registry.register('a', '2');
  assert.equal(registry.lookup('a'), '2');
  assert.equal(registry.lookup('b'), undefined);
  assert.equal(registry.count, 1);
  assert.equal(registry.remove('a'), '2');
  assert.equal(registry.remove('a'), undefined);
  assert.equal(registry.count, 0);
});

test('keys ascend by code unit', () => {
  assert.deepEqual(registryOf({ b: '', a: '', B: '', é: '', z: '' }).keys(), [
    'B',
    'a',
    'b',
    'z',
    'é',
  ]);
  assert.deepEqual(registryOf({}).keys(), []);
});

test('a transfer moves the value', () => {
  const registry = registryOf({ from: 'x' });
  assert.equal(registry.transfer('from', 'to'), true);
  assert.deepEqual(registry.keys(), ['to']);
  assert.equal(registry.lookup('to'), 'x');
});

test('a refused transfer changes nothing at all', () => {
  const rows = [
    ['missing', 'to', 'the source is missing'],
    ['a', 'b', 'the target is taken'],
    ['a', 'a', 'both are one key'],
    ['missing', 'missing', 'both are missing'],
  ] as const;
  for (const [from, to, why] of rows) {
    const registry = registryOf({ a: '1', b: '2' });
    assert.equal(registry.transfer(from, to), false, why);
    assert.deepEqual(registry.keys(), ['a', 'b'], why);
    assert.deepEqual([registry.lookup('a'), registry.lookup('b')], ['1', '2'], why);
  }
});

test('a falsy value is a value', () => {
  const registry = new SharedRegistry<number | boolean | string>();
  for (const value of [0, false, '']) {
    registry.register('a', value);
    assert.equal(registry.transfer('a', 'b'), true);
    assert.equal(registry.remove('b'), value);
  }
});

const key = fc.constantFrom('a', 'b', 'c', 'd');
const operation = fc.oneof(
  fc.record({ kind: fc.constant('register' as const), key, value: fc.nat(9) }),
  fc.record({ kind: fc.constant('remove' as const), key }),
  fc.record({ kind: fc.constant('transfer' as const), key, to: key }),
);

holds(
  'the registry answers as a plain list of entries does, and a transfer never changes the count',
  fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
    const registry = new SharedRegistry<number>();
    let model: (readonly [string, number])[] = [];
    const without = (name: string) => model.filter(([known]) => known !== name);
    for (const one of operations) {
      const held = model.find(([known]) => known === one.key)?.[1];
      if (one.kind === 'register') {
        registry.register(one.key, one.value);
        model = [...without(one.key), [one.key, one.value]];
      } else if (one.kind === 'remove') {
        assert.equal(registry.remove(one.key), held);
        model = without(one.key);
      } else {
        const isFree = !model.some(([known]) => known === one.to);
        assert.equal(registry.transfer(one.key, one.to), held !== undefined && isFree);
        if (held !== undefined && isFree) model = [...without(one.key), [one.to, held]];
      }
      assert.equal(registry.count, model.length);
      assert.deepEqual(registry.keys(), model.map(([known]) => known).sort());
      for (const [known, value] of model) assert.equal(registry.lookup(known), value);
    }
  }),
);

test('of many interleaved transfers of one value exactly one succeeds', async () => {
  const registry = registryOf({ source: 'x' });
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, async (_, task) => {
      await Promise.resolve();
      return registry.transfer('source', `target-${task}`);
    }),
  );
  assert.equal(outcomes.filter(Boolean).length, 1);
  assert.equal(registry.count, 1);
});
