// Goal: a snapshot read back decides as the original did, says nothing it should not, and is refused
// with every fault; a change costs what it changes. Method: random fleets; members removed or changed
// by hand; digests counted.

import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { backendTypes } from '../../base/backend-type.ts';
import { canonicalJson } from '../../base/canonical.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { strategies } from '../../base/routing-words.ts';
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
import { buildSnapshot, type RoutingSnapshot, type Target } from '../routing/snapshot.ts';
import { type DigestedSnapshot, SnapshotDigester } from './snapshot-digester.ts';
import { snapshotOfDocument } from './snapshot-document.ts';

const digester = () => new SnapshotDigester(nodeCrypto.sha256Hex);

const figures: fc.Arbitrary<Figures> = fc.record({
  pending: fc.nat({ max: 5 }),
  capacity: fc.nat({ max: 5 }),
  latencyMs: fc.nat({ max: 1200 }),
  status: fc.constantFrom(1, 1, 1, 0, 2, 3),
  generation: fc.constantFrom(1, 1, 1, 2),
  gates: fc.constantFrom(0, 0, 0, 1, 2, 3, 4),
  peakMs: fc.nat({ max: 900 }),
  tokens: fc.nat({ max: 5000 }),
  engineRequests: fc.constantFrom(-1, 0, 3),
  kvUse: fc.constantFrom(-1, 0, 0.5),
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
      fc.constantFrom([], [], [{ modelId: 'm', reason: 'loading' as const }]),
      models,
      figures,
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((all) =>
    all.map(([backendType, priority, approved, statusReason, closures, offered, read], i) =>
      target(
        `b${i}`,
        {
          backendType,
          priority,
          approved,
          statusReason,
          closures,
          models: [offered, model('other')],
        },
        read,
      ),
    ),
  );

type Stored = Pick<DigestedSnapshot, 'digest' | 'documents'>;

function read({ digest, documents }: Stored) {
  const texts = new Map(documents.map((one) => [one.digest, one.text]));
  const pageOf = (name: string): Result<unknown, 'missing'> => {
    const text = texts.get(name);
    return text === undefined ? err('missing') : ok(JSON.parse(text));
  };
  const root = pageOf(digest);
  assert.ok(root.ok);
  return snapshotOfDocument(root.value, pageOf);
}

/** Of a document alone. */
function readRoot(json: unknown) {
  const result = snapshotOfDocument<never>(json, () => ok({ targets: [] }));
  return result.ok ? undefined : result.error;
}

function readBack(snapshot: RoutingSnapshot): RoutingSnapshot {
  const result = read(digester().digested(snapshot));
  assert.ok(result.ok, result.ok ? '' : String(result.error));
  return result.value;
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
      const input = {
        tried: cursor % 3 === 0 ? ['b0'] : [],
        cursor,
        seed: cursor * 7919,
        budget: 'Normal' as const,
      };
      assert.deepEqual(
        told(decide(readBack(snapshot), counters, features(needs), input)),
        told(decide(snapshot, counters, features(needs), input)),
      );
    },
  ),
);

holds(
  'a digester that has seen other fleets names one as a new digester does, by canonical texts (S3)',
  fc.property(fc.array(targets, { minLength: 1, maxLength: 3 }), (fleets) => {
    const one = digester();
    for (const fleet of fleets) {
      const { snapshot } = fleetOf(fleet, { aliases: { b: 'm', a: 'other' } });
      const { digest, documents } = one.digested(snapshot);
      assert.deepEqual({ digest, documents }, digester().digested(snapshot));
      assert.deepEqual(one.digested(readBack(snapshot)), { digest, documents });
      assert.equal(documents.at(-1)?.digest, digest);
      for (const document of documents) {
        assert.equal(document.text, canonicalJson(JSON.parse(document.text)));
        assert.equal(document.digest, nodeCrypto.sha256Hex(document.text));
      }
    }
  }),
  { runs: 300 },
);

describe('the digest', () => {
  const { snapshot } = fleetOf([target('a'), target('b', { priority: 3 })]);
  const [a, b] = snapshot.targets;
  const closed = [{ modelId: 'm', reason: 'loading' }] as const;
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
    const { documents } = digester().digested(buildSnapshot(99, moved, snapshot.settings));
    assert.doesNotMatch(documents.map(({ text }) => text).join(), /elsewhere|SECRET_NAME/);
  });

  it('depends on whatever a decision looks at', () => {
    assert.ok(a !== undefined && b !== undefined);
    const changes: readonly (readonly [string, RoutingSnapshot])[] = [
      ['priority', buildSnapshot(1, [{ ...a, priority: 1 }, b], snapshot.settings)],
      ['approval', buildSnapshot(1, [{ ...a, approved: false }, b], snapshot.settings)],
      ['type', buildSnapshot(1, [{ ...a, backendType: 'openai' }, b], snapshot.settings)],
      ['models', buildSnapshot(1, [{ ...a, models: [model('n')] }, b], snapshot.settings)],
      ['status reason', buildSnapshot(1, [{ ...a, statusReason: 'busy' }, b], snapshot.settings)],
      ['closed model', buildSnapshot(1, [{ ...a, closures: closed }, b], snapshot.settings)],
      ['one fewer', buildSnapshot(1, [a], snapshot.settings)],
      ['strategy', { ...snapshot, settings: { ...snapshot.settings, strategy: 'random' } }],
    ];
    const digests = changes.map(([, other]) => digestOf(other));
    assert.equal(new Set([...digests, digestOf(snapshot)]).size, changes.length + 1);
  });
});

/** Digests that were computed, as the lengths of their texts. */
function counting() {
  const lengths: number[] = [];
  const one = new SnapshotDigester((text) => {
    lengths.push(text.length);
    return nodeCrypto.sha256Hex(text);
  });
  return { one, lengths };
}

function bigFleet(count: number): readonly Target[] {
  return Array.from({ length: count }, (_, i) => {
    const { figures: _figures, ...facts } = target(`b${i}`, { models: [model('m'), model('n')] });
    return facts;
  });
}

describe('a fleet of 1000 backends', () => {
  const all = bigFleet(1000);
  const { settings } = fleetOf([]).snapshot;
  const changed = (facts: Partial<Target>) =>
    all.map((one, i) => (i === 500 ? { ...one, ...facts } : one));

  it('is a root and 32 pages, whatever the order of its targets', () => {
    const { digest, documents } = digester().digested({ targets: all, settings });
    assert.equal(documents.length, 33);
    assert.ok(documents.every(({ text }) => text.length < 20_000));
    assert.equal(digester().digested({ targets: all.toReversed(), settings }).digest, digest);
  });

  it('comes back whole, with what stands against a backend and its models', () => {
    const closures = [{ modelId: 'n', reason: 'unloading' }] as const;
    const targets = changed({ statusReason: 'warming', closures });
    const result = read(digester().digested({ targets, settings }));
    assert.ok(result.ok);
    const { byModel, targets: back } = result.value;
    assert.deepEqual(
      back.map(({ id }) => id),
      buildSnapshot(1, targets, settings).targets.map(({ id }) => id),
    );
    assert.equal(byModel.get('n')?.length, 1000);
    const standing = back.filter(
      (one) => one.statusReason !== undefined || one.closures.length > 0,
    );
    assert.deepEqual(
      standing.map(({ id, statusReason, closures: own }) => ({ id, statusReason, own })),
      [{ id: 'b500', statusReason: 'warming', own: closures }],
    );
  });

  it('costs a new root for another standing, and a page more for other facts', () => {
    const { one, lengths } = counting();
    const first = one.digested({ targets: all, settings });
    const stored = new Set(first.documents.map(({ digest }) => digest));
    const costOf = (facts: Partial<Target>) => {
      lengths.length = 0;
      const { documents } = one.digested({ targets: changed(facts), settings });
      const written = documents.filter(({ digest }) => !stored.has(digest));
      for (const { digest } of written) stored.add(digest);
      return { written: written.length, digested: lengths.filter((length) => length > 10).length };
    };
    assert.deepEqual(costOf({ statusReason: 'busy' }), { written: 1, digested: 1 });
    assert.deepEqual(costOf({}), { written: 0, digested: 1 }, 'the first state again');
    assert.deepEqual(costOf({ priority: 7 }), { written: 2, digested: 2 });
    assert.deepEqual(costOf({ status: 'unhealthy' }), { written: 0, digested: 2 });
  });

  it('refuses with what is wrong with a page', () => {
    const { digest, documents } = digester().digested({ targets: all, settings });
    const result = read({ digest, documents: documents.slice(1) });
    assert.deepEqual(result, err('missing'));
  });
});

/** As the first version wrote it; its readers stay. */
const firstVersion =
  '{"settings":{"aliases":{},"max_retries":2,"strategy":"smart","weights":{"latency":20,"load":30,' +
  '"priority":50}},"targets":[{"approved":true,"id":"a","models":[{"context_length":8192,"id":"m",' +
  '"json_mode":true,"tools":true,"vision":true}],"name":"a","priority":50,"simulated":false,' +
  '"status_reason":"busy","type":"vllm"}],"version":1}';

test('a document of the first version is read', () => {
  const result = snapshotOfDocument(JSON.parse(firstVersion), () => err('no page'));
  assert.ok(result.ok);
  const { snapshot } = fleetOf([target('a', { statusReason: 'busy' })]);
  assert.equal(digester().digested(result.value).digest, digester().digested(snapshot).digest);
});

test('a fleet has the same name for ever', () => {
  const { snapshot } = fleetOf([target('a', { statusReason: 'busy' })]);
  assert.equal(
    digester().digested(snapshot).digest,
    '47486ca79d2523545b137c87a2b6018232f3e20454912f8c15614497fb28363e',
  );
});

describe('a document is refused', () => {
  const { snapshot } = fleetOf([target('a')]);
  const whole = (): Record<string, unknown> =>
    JSON.parse(digester().digested(snapshot).documents.at(-1)?.text ?? '');
  const { settings } = whole();

  it('of another version, with those that are read', () => {
    const error = readRoot({ ...whole(), version: 3 });
    assert.equal(error?.code, 'unknown_version');
    assert.match(error?.message ?? '', /version 3, which a newer TensorForge reads/);
  });

  it('with every member at fault', () => {
    const wrong = { strategy: 'best', weights: { priority: 1, load: '2' }, aliases: [] };
    const targets = [{ id: 'a', models: [{ id: 4 }] }, null];
    const error = readRoot({ ...whole(), settings: wrong, version: 1, targets });
    assert.equal(error?.code, 'corrupt');
    const fields = (error?.details ?? []).map(({ field }) => field);
    assert.deepEqual(fields.slice(0, 8), [
      'settings.aliases',
      'settings.strategy',
      'settings.weights.load',
      'settings.weights.latency',
      'settings.max_retries',
      'targets[0].status_reason',
      'targets[0].name',
      'targets[0].type',
    ]);
    assert.ok(fields.includes('targets[0].models[0].context_length'));
    assert.equal(fields.length, 20, 'no more than a person reads');
  });

  it('with every member at fault of a root and its pages', () => {
    const root = {
      version: 2,
      settings,
      pages: ['good', 4, 'bad'],
      status_reasons: { busy: 'a' },
      closures: { a: [{ model: 'm', reason: 'burning' }], b: 3 },
    };
    const page = { targets: [{ ...firstTarget(), priority: 'high' }] };
    const result = snapshotOfDocument<never>(root, (name) => ok(name === 'good' ? page : []));
    const error = result.ok ? undefined : result.error;
    assert.equal(error?.code, 'corrupt');
    assert.deepEqual(
      error?.details?.map(({ field }) => field),
      [
        'status_reasons.busy',
        'closures.a[0].reason',
        'closures.b',
        'pages[0].targets[0].priority',
        'pages[1]',
        'pages[2].targets',
      ],
    );
  });

  for (const json of [undefined, null, 4, 'text', [], {}]) {
    it(`that is ${JSON.stringify(json)}`, () => {
      assert.equal(readRoot(json)?.code, 'corrupt');
    });
  }
});

function firstTarget(): object {
  return JSON.parse(firstVersion).targets[0];
}
