// Goal: an experiment sends a client where its arm says, the same way each time, and never where its key
// may not go. Method: small fleets, admitted by the production function.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fleetOf, model, target } from '../../core/routing/fleet.test-support.ts';
import type { RoutingSettings } from '../../core/routing/snapshot.ts';
import type { KeyRecord } from '../../io/credentials/key-table.ts';
import { defaultJsonLimits } from '../../protocol/openai/json-scan.ts';
import { readRequestBody } from '../../protocol/openai/request-body.ts';
import { admit } from './admission.ts';
import { AffinityKeys } from './affinity-key.ts';

const key: KeyRecord = {
  keyId: 'key_a',
  groupName: 'g',
  owner: undefined,
  permissions: [],
  models: [],
  secretHash: '',
  issuedAt: 0,
  expiresAt: undefined,
};
const affinity = new AffinityKeys('secret');
const arms = (points: number) => [
  { name: 'base', model: 'chat', basisPoints: 10_000 - points },
  { name: 'next', model: 'latest', basisPoints: points },
];
const splitOf = (points: number) => ({
  name: 'tone',
  model: 'chat',
  salt: 's',
  arms: arms(points),
});
const fleet = ['chat', 'chat-2', 'other'].map((id) => target(id, { models: [model(id)] }));

function admitted(
  settings: Partial<RoutingSettings>,
  how: { affinity?: string; requestId?: string; models?: string[]; body?: object } = {},
) {
  const { snapshot } = fleetOf(fleet, { aliases: { latest: 'chat-2' }, ...settings });
  const text = JSON.stringify({
    model: 'chat',
    messages: [{ role: 'user', content: 'x' }],
    ...how.body,
  });
  const features = readRequestBody('chat', Buffer.from(text), defaultJsonLimits, { prefixMax: 0 });
  assert.ok(features.ok);
  const hints = {
    affinity: how.affinity,
    region: undefined,
    mayUseLowerTier: false,
    mayShadow: true,
    annotations: undefined,
  };
  const head = {
    key: { ...key, models: how.models ?? [] },
    hints,
    requestId: how.requestId ?? 'r',
  };
  const result = admit(snapshot, head, features.value, affinity);
  assert.ok(result.ok);
  return result.value;
}

describe('an experiment at admission', () => {
  it('names the arm, whose model is asked for, with the model it was taken from behind it', () => {
    const { route, fallbacks } = admitted({ splits: [splitOf(10_000)] });
    assert.equal(route.model, 'chat');
    assert.equal(route.resolvedModel, 'chat-2');
    assert.equal(route.isFallback, false);
    assert.equal(route.split?.arm, 'next');
    assert.deepEqual(fallbacks, ['chat']);
    const policies = [
      { model: 'chat-2', privacy: 'unrestricted', minTier: undefined, fallbackAllowed: false },
    ] as const;
    assert.deepEqual(admitted({ splits: [splitOf(10_000)], policies }).fallbacks, []);
  });

  it('keeps a session, else a user, and draws anew for each request that names neither', () => {
    const settings = { splits: [splitOf(5000)] };
    const armsOf = (how: (i: number) => Parameters<typeof admitted>[1]) =>
      new Set(
        Array.from({ length: 40 }, (_, i) => {
          return admitted(settings, { requestId: `r-${i}`, ...how(i) }).route.split?.arm;
        }),
      );
    assert.equal(armsOf(() => ({ affinity: 'session' })).size, 1);
    assert.equal(armsOf(() => ({ body: { user: 'ana' } })).size, 1);
    assert.equal(armsOf((i) => ({ affinity: 'session', body: { user: `u-${i}` } })).size, 1);
    assert.equal(armsOf(() => ({})).size, 2);
  });

  it('leaves out other models, and a key that may not use the model of the arm', () => {
    const settings = { splits: [splitOf(10_000)] };
    const other = admitted(settings, { body: { model: 'other' } });
    assert.equal(other.route.split, undefined);
    const { route } = admitted(settings, { models: ['chat'] });
    assert.equal(route.resolvedModel, 'chat');
    assert.equal(route.split, undefined);
  });

  it('goes on with the model it was taken from where nobody lists that of the arm', () => {
    const { route } = admitted({ splits: [splitOf(10_000)], aliases: { latest: 'nowhere' } });
    assert.equal(route.resolvedModel, 'chat');
    assert.equal(route.isFallback, true);
    assert.equal(route.split?.arm, 'next');
  });
});
