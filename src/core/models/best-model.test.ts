// Goal: the choice of the best model (C.1). Method: a table in which each line is decided by the
// next key; and any order of the same candidates gives the same choice.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { type ModelCandidate, selectBestModel } from './best-model.ts';
import { version } from './registry.test-support.ts';
import { type VersionState, versionStates } from './version-state.ts';

type Line = readonly [id: string, state: VersionState, accuracy: number, p99: number, v?: string];

function candidate([
  modelId,
  state,
  accuracyScore,
  latencyP99Ms,
  text = '1.0.0',
]: Line): ModelCandidate {
  const metadata = { modelId, version: version(text), state };
  return { metadata, result: { accuracyScore, latencyP99Ms } };
}

function bestOf(...lines: readonly Line[]): string | undefined {
  return selectBestModel(lines.map(candidate));
}

const candidates = fc
  .tuple(
    fc.constantFrom('a', 'b', 'c', 'd'),
    fc.constantFrom(...versionStates, 'production' as const, 'canary' as const),
    fc.constantFrom(0.5, 0.9, Number.NaN),
    fc.constantFrom(10, 20, Number.NaN),
    fc.constantFrom('1.0.0', '1.10.0', '1.9.0'),
  )
  .map(candidate);

describe('registry', () => {
  it('the highest accuracy wins, whatever its latency', () => {
    assert.equal(bestOf(['a', 'production', 0.9, 1], ['b', 'production', 0.95, 900]), 'b');
  });

  it('equal accuracy is decided by the lower p99', () => {
    assert.equal(bestOf(['a', 'production', 0.9, 30], ['b', 'canary', 0.9, 20]), 'b');
  });

  it('then by the higher version, then by the model id', () => {
    const older: Line = ['a', 'production', 0.9, 20, '1.9.0'];
    assert.equal(bestOf(older, ['b', 'production', 0.9, 20, '1.10.0']), 'b');
    assert.equal(bestOf(['b', 'production', 0.9, 20], ['a', 'canary', 0.9, 20]), 'a');
  });

  it('only production and canary are eligible', () => {
    for (const state of versionStates) {
      const serves = state === 'production' || state === 'canary';
      assert.equal(bestOf([state, state, 0.9, 10]), serves ? state : undefined, state);
    }
    assert.equal(bestOf(['a', 'staging', 0.99, 1], ['b', 'canary', 0.5, 100]), 'b');
  });

  it('none eligible is no choice', () => {
    assert.equal(bestOf(), undefined);
    assert.equal(bestOf(['a', 'archived', 1, 1]), undefined);
  });

  it('NaN never wins, not even alone', () => {
    assert.equal(bestOf(['a', 'production', Number.NaN, 1], ['b', 'production', 0, 900]), 'b');
    assert.equal(bestOf(['a', 'production', Number.NaN, 1]), undefined);
    assert.equal(bestOf(['a', 'production', 0.9, Number.NaN], ['b', 'canary', 0.1, 9]), 'b');
  });

  holds(
    'the choice does not depend on the order of the candidates',
    fc.property(fc.array(candidates, { maxLength: 8 }), fc.nat(), (list, turn) => {
      const at = list.length === 0 ? 0 : turn % list.length;
      const turned = [...list.slice(at), ...list.slice(0, at)].reverse();
      assert.equal(selectBestModel(turned), selectBestModel(list));
    }),
  );
});
