// Goal: a chain tells of every tampering. Method: chain random events, then change one of them in each
// possible way. The digest is a real one; tests may use it although the core may not.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { instant } from '../../base/time.ts';
import {
  type ControlEvent,
  chainEvents,
  findChainFault,
  genesisHash,
  hashInput,
  type IdentifiedEvent,
} from './control-event.ts';

const seed = 20261121;
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const empty = { sequence: 0, hash: '' };

const eventArbitrary: fc.Arbitrary<IdentifiedEvent> = fc.record({
  stream: fc.constant('identity'),
  id: fc.uuid(),
  kind: fc.constantFrom('user_created', 'api_key_created', 'group_created'),
  version: fc.integer({ min: 1, max: 9 }),
  occurredAt: fc.integer({ min: 0, max: 4_000_000_000_000 }).map(instant),
  actor: fc.string(),
  subject: fc.string(),
  data: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
});
const eventsArbitrary = fc.array(eventArbitrary, { minLength: 1, maxLength: 8 });

describe('the chain of control events', () => {
  test('the hash input is one canonical text with every member but the hash', () => {
    const event: IdentifiedEvent = {
      stream: 'identity',
      id: '6f1f7e0e-6d2c-4b0e-9d43-0c7cb0a4f0aa',
      kind: 'user_created',
      version: 1,
      occurredAt: instant(1_700_000_000_123),
      actor: 'system',
      subject: 'user:admin',
      data: { z: 1, a: [true, null], gone: undefined },
    };
    assert.equal(
      hashInput('ab', { ...event, sequence: 7 }),
      '{"actor":"system","data":{"a":[true,null],"z":1},' +
        '"id":"6f1f7e0e-6d2c-4b0e-9d43-0c7cb0a4f0aa","kind":"user_created",' +
        '"occurred_at":"2023-11-14T22:13:20.123Z","prev_hash":"ab","sequence":7,' +
        '"stream":"identity","subject":"user:admin","version":1}',
    );
  });

  test('a chain holds, begins at genesis and goes on from its head', () => {
    fc.assert(
      fc.property(eventsArbitrary, eventsArbitrary, (first, second) => {
        const begin = chainEvents(empty, first, digest);
        const head = begin.at(-1);
        assert.ok(head !== undefined);
        const rest = chainEvents(head, second, digest);
        assert.equal(begin[0]?.prevHash, genesisHash);
        assert.equal(findChainFault(empty, [...begin, ...rest], digest), undefined);
        assert.equal(findChainFault(head, rest, digest), undefined);
      }),
      { seed, numRuns: 100 },
    );
  });

  const changes: Readonly<Record<string, (event: ControlEvent) => Partial<ControlEvent>>> = {
    id: () => ({ id: '00000000-0000-4000-8000-000000000000' }),
    kind: (event) => ({ kind: `${event.kind}x` }),
    version: (event) => ({ version: event.version + 1 }),
    occurredAt: (event) => ({ occurredAt: instant(event.occurredAt + 1) }),
    actor: (event) => ({ actor: `${event.actor}x` }),
    subject: (event) => ({ subject: `${event.subject}x` }),
    data: (event) => ({ data: { ...event.data, '\u0001': 1 } }),
    hash: (event) => ({ hash: `${event.hash.slice(1)}x` }),
    prevHash: () => ({ prevHash: 'f'.repeat(64) }),
    sequence: (event) => ({ sequence: event.sequence + 1 }),
    stream: () => ({ stream: 'edge' }),
  };
  for (const [member, change] of Object.entries(changes)) {
    test(`a changed ${member} is found where it is`, () => {
      fc.assert(
        fc.property(eventsArbitrary, fc.nat(), (events, pick) => {
          const chain = chainEvents(empty, events, digest);
          const index = pick % chain.length;
          const forged = chain.map((event, at) =>
            at === index ? { ...event, ...change(event) } : event,
          );
          assert.equal(findChainFault(empty, forged, digest)?.sequence, index + 1);
        }),
        { seed, numRuns: 30 },
      );
    });
  }

  test('a dropped event is a gap', () => {
    fc.assert(
      fc.property(eventsArbitrary, eventArbitrary, (events, last) => {
        const chain = chainEvents(empty, [...events, last], digest);
        assert.deepEqual(findChainFault(empty, chain.slice(1), digest), {
          sequence: 1,
          reason: 'gap',
        });
      }),
      { seed, numRuns: 30 },
    );
  });

  test('events of two streams are not chained together', () => {
    const [event] = fc.sample(eventArbitrary, { seed, numRuns: 1 });
    assert.ok(event !== undefined);
    assert.throws(() => chainEvents(empty, [event, { ...event, stream: 'edge' }], digest), {
      name: 'AssertionFailed',
    });
  });
});
