// Goal: a copy is drawn for the share of a rule, and never for a group that is left out.
// Method: one rule over many draws; the shares at both ends exactly.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ShadowRule, shadowFor } from './shadow-rule.ts';

const rule: ShadowRule = {
  name: 'next-engine',
  model: 'chat*',
  toBackend: 'next',
  toModel: undefined,
  basisPoints: 2500,
  exceptGroups: ['clinic'],
};
const of = { model: 'chat-8b', groupName: 'dev' };

function drawn(rules: readonly ShadowRule[], about = of): number {
  return Array.from({ length: 20_000 }, (_, draw) => shadowFor(rules, about, draw)).filter(
    (found) => found !== undefined,
  ).length;
}

describe('a shadow rule', () => {
  it('copies its share of the requests', () => {
    assert.ok(Math.abs(drawn([rule]) / 20_000 - 0.25) < 0.01);
    assert.equal(drawn([{ ...rule, basisPoints: 0 }]), 0);
    assert.equal(drawn([{ ...rule, basisPoints: 10_000 }]), 20_000);
  });

  it('copies nothing of a group that is left out, nor of another model', () => {
    const all = [{ ...rule, basisPoints: 10_000 }];
    assert.equal(drawn(all, { ...of, groupName: 'clinic' }), 0);
    assert.equal(drawn(all, { ...of, model: 'embed' }), 0);
    assert.equal(drawn([]), 0);
  });
});
