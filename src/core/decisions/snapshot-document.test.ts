// Goal: a snapshot read back decides as the original did, says nothing it should not, and is refused
// with every fault. Method: random fleets; members removed or changed by hand.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { backendTypes } from '../../base/backend-type.ts';
import { canonicalJson } from '../../base/canonical.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import { decide } from '../routing/decide.ts';
import {
  type Figures,
  features,
  fleetOf,
  model,
  type TestTarget,
  target,
} from '../routing/fleet.test-support.ts';
import { buildSnapshot, type RoutingSnapshot, strategies } from '../routing/snapshot.ts';
import { SnapshotDigester } from './snapshot-digester.ts';
import { snapshotDocument, snapshotOfDocument, snapshotText } from './snapshot-document.ts';

const digester = () => new SnapshotDigester(nodeCrypto.sha256Hex);

const figures: fc.Arbitrary<Figures> = fc.record({
  pending: fc.nat({ max: 5 }),
  capacity: fc.nat({ max: 5 }),
  latencyMs: fc.nat({ max: 1200 }),
  status: fc.constantFrom(1, 1, 1, 0, 2, 3),
  generation: fc.constantFrom(1, 1, 1, 2),
});

const models = fc
  .tuple(fc.nat({ max: 9000 }), fc.boolean(), fc.boolean(), fc.boolean())
  .map(([contextLength, supportsVision, supportsTools, supportsJsonMode]) =>
    model('m', { contextLength, supportsVision, supportsTools, supportsJsonMode }),
  );

const targets: fc.Arbitrary<readonly TestTarget[]> = fc
  .array(
    fc.tuple(
      fc.constantFrom(...backendTypes),
      fc.integer({ min: -2, max: 120 }),
      fc.boolean(),
      fc.constantFrom(undefined, 'busy'),
      models,
      figures,
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((all) =>
    all.map(([backendType, priority, approved, statusReason, offered, read], i) =>
      target(
        `b${i}`,
        { backendType, priority, approved, statusReason, models: [offered, model('other')] },
        read,
      ),
    ),
  );

function readBack(snapshot: RoutingSnapshot): RoutingSnapshot {
  const read = snapshotOfDocument(JSON.parse(snapshotText(snapshot)));
  assert.ok(read.ok, read.ok ? '' : read.error.message);
  return read.value;
}

/** A decision without the members of targets that are not kept. */
function told(decision: ReturnType<typeof decide>) {
  const considered = decision.considered.map(({ target: { id }, ...rest }) => ({ id, ...rest }));
  if (decision.kind === 'refuse') return { refusal: decision.refusal, considered };
  const { target: chosen, score, reason, routeReason } = decision;
  return { chosen: chosen.id, score, reason, routeReason, considered };
}

holds(
  'a snapshot read back gives the same decision, word for word (S1)',
  fc.property(
    targets,
    fc.constantFrom(...strategies),
    fc.record({ needsVision: fc.boolean(), estimatedTokens: fc.nat({ max: 4000 }) }),
    fc.nat({ max: 50 }),
    (fleet, strategy, needs, cursor) => {
      const { snapshot, counters } = fleetOf(fleet, { strategy });
      const input = { tried: cursor % 3 === 0 ? ['b0'] : [], cursor, seed: cursor * 7919 };
      assert.deepEqual(
        told(decide(readBack(snapshot), counters, features(needs), input)),
        told(decide(snapshot, counters, features(needs), input)),
      );
    },
  ),
);

holds(
  'the digester’s text is the canonical text of the document (S3)',
  fc.property(targets, fc.constantFrom(...strategies), (fleet, strategy) => {
    const { snapshot } = fleetOf(fleet, { strategy, aliases: { b: 'm', a: 'other' } });
    const one = digester();
    const { text, digest } = one.digested(snapshot);
    assert.equal(text, canonicalJson(snapshotDocument(snapshot)));
    assert.equal(digest, nodeCrypto.sha256Hex(text));
    assert.deepEqual(one.digested(snapshot), { text, digest });
    assert.equal(snapshotText(readBack(snapshot)), text);
  }),
  { runs: 300 },
);

describe('the digest', () => {
  const { snapshot } = fleetOf([target('a'), target('b', { priority: 3 })]);
  const [a, b] = snapshot.targets;
  const digestOf = (other: RoutingSnapshot) => digester().digested(other).digest;

  it('does not depend on slots, generations, addresses, credentials, status or version (S2)', () => {
    const moved = snapshot.targets.map((one) => ({
      ...one,
      slot: one.slot + 7,
      generation: 3,
      url: 'http://elsewhere',
      apiKeyEnv: 'SECRET_NAME',
      status: 'unhealthy' as const,
    }));
    assert.equal(digestOf(buildSnapshot(99, moved, snapshot.settings)), digestOf(snapshot));
    const text = snapshotText(buildSnapshot(99, moved, snapshot.settings));
    assert.doesNotMatch(text, /elsewhere|SECRET_NAME/);
  });

  it('depends on whatever a decision looks at', () => {
    assert.ok(a !== undefined && b !== undefined);
    const changes: readonly (readonly [string, RoutingSnapshot])[] = [
      ['priority', buildSnapshot(1, [{ ...a, priority: 1 }, b], snapshot.settings)],
      ['approval', buildSnapshot(1, [{ ...a, approved: false }, b], snapshot.settings)],
      ['type', buildSnapshot(1, [{ ...a, backendType: 'openai' }, b], snapshot.settings)],
      ['models', buildSnapshot(1, [{ ...a, models: [model('n')] }, b], snapshot.settings)],
      ['one fewer', buildSnapshot(1, [a], snapshot.settings)],
      ['strategy', { ...snapshot, settings: { ...snapshot.settings, strategy: 'random' } }],
    ];
    const digests = changes.map(([, other]) => digestOf(other));
    assert.equal(new Set([...digests, digestOf(snapshot)]).size, changes.length + 1);
  });
});

describe('a document is refused', () => {
  const { snapshot } = fleetOf([target('a')]);
  const whole = (): Record<string, unknown> => JSON.parse(snapshotText(snapshot));

  it('of another version, with the one that is read', () => {
    const read = snapshotOfDocument({ ...whole(), version: 2 });
    assert.equal(read.ok || read.error.code, 'unknown_version');
    assert.match(read.ok ? '' : read.error.message, /version 2, which a newer TensorForge reads/);
  });

  it('with every member at fault', () => {
    const read = snapshotOfDocument({
      ...whole(),
      settings: { strategy: 'best', weights: { priority: 1, load: '2' }, aliases: [] },
      targets: [{ id: 'a', models: [{ id: 4 }] }, null],
    });
    assert.equal(read.ok || read.error.code, 'corrupt');
    const fields = read.ok ? [] : (read.error.details ?? []).map(({ field }) => field);
    assert.deepEqual(fields.slice(0, 8), [
      'settings.aliases',
      'settings.strategy',
      'settings.weights.load',
      'settings.weights.latency',
      'settings.max_retries',
      'targets[0].name',
      'targets[0].type',
      'targets[0].approved',
    ]);
    assert.ok(fields.includes('targets[0].models[0].context_length'));
    assert.equal(fields.length, 20, 'no more than a person reads');
  });

  for (const json of [undefined, null, 4, 'text', [], {}]) {
    it(`that is ${JSON.stringify(json)}`, () => {
      const read = snapshotOfDocument(json);
      assert.equal(read.ok || read.error.code, 'corrupt');
    });
  }
});
