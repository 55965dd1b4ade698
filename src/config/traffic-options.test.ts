// Goal: experiments and copies are read into the shape in which they are used, and every fault of them
// is told with its place. Method: files through the production loader.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadConfiguration } from './load.ts';

function read(routing: object) {
  return loadConfiguration({ env: {}, flags: {}, fileText: JSON.stringify({ routing }) });
}

function faultsOf(routing: object): readonly (readonly [string, string])[] {
  const outcome = read(routing);
  assert.equal(outcome.ok, false, 'the configuration was accepted');
  return outcome.ok ? [] : outcome.error.map(({ path, expected }) => [path, expected] as const);
}

const arm = (model: string, points: unknown, more: object = {}) => ({
  model,
  basis_points: points,
  ...more,
});
const split = { name: 'tone', model_pattern: 'chat*', arms: [arm('a', 9000), arm('b', 1000)] };
const shadow = { name: 'next', model_pattern: '*', to_backend: 'box-2', percent: 2.5 };

describe('experiments and copies in the configuration', () => {
  it('are read with names and salts where none are given', () => {
    const outcome = read({ splits: [split], shadows: [shadow] });
    assert.ok(outcome.ok);
    const { splits, shadows } = outcome.value.config.routing;
    const arms = [
      { name: 'a', model: 'a', basisPoints: 9000 },
      { name: 'b', model: 'b', basisPoints: 1000 },
    ];
    assert.deepEqual(splits, [{ name: 'tone', model: 'chat*', salt: 'tone', arms }]);
    assert.deepEqual(shadows, [
      {
        name: 'next',
        model: '*',
        toBackend: 'box-2',
        toModel: undefined,
        basisPoints: 250,
        exceptGroups: [],
      },
    ]);
  });

  it('are refused with every fault of their members', () => {
    const told = faultsOf({
      splits: [
        { ...split, name: 'no name', model_pattern: 'a[b]', arms: [arm('a', 0.5), arm('b', -1)] },
        { ...split, arms: [arm('a', 10_000)] },
      ],
      shadows: [
        { name: 'x', model_pattern: '*', percent: 101 },
        { ...shadow, to_backend: 'A' },
      ],
    });
    assert.deepEqual(told.map(([path]) => path).sort(), [
      'routing.shadows[0].percent',
      'routing.shadows[0].to_backend',
      'routing.shadows[1].to_backend',
      'routing.splits[0].arms[0].basis_points',
      'routing.splits[0].arms[1].basis_points',
      'routing.splits[0].model_pattern',
      'routing.splits[0].name',
      'routing.splits[1].arms',
    ]);
    const expected = new Map(told);
    assert.match(expected.get('routing.splits[1].arms') ?? '', /at least two arms/);
    assert.match(expected.get('routing.shadows[0].to_backend') ?? '', /where the copies go/);
  });

  it('are refused where shares do not sum and where names stand twice', () => {
    const twice = [arm('a', 5000), arm('a', 4000)];
    const told = faultsOf({
      splits: [{ ...split, arms: twice }, split],
      shadows: [shadow, shadow],
    });
    assert.deepEqual(told, [
      ['routing.splits[0].arms', 'basis points of experiment “tone” that sum to 10000'],
      ['routing.splits[1].name', 'a name of its own; experiment 0 has this one'],
      ['routing.shadows[1].name', 'a name of its own; rule 0 has this one'],
      ['routing.splits[0].arms[1].name', 'a name of its own; arm 0 has this one'],
    ]);
  });
});
