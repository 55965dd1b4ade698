// Goal: a seal is made when it is due and covers what it says. Method: a table of moments; then random
// heads, where changing any member of a seal, or any head in it, changes its digest.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { instant } from '../../base/time.ts';
import { genesisHash } from './control-event.ts';
import {
  isSealDue,
  nextSeal,
  type SealedDigest,
  sealInput,
  unsealedEvents,
} from './sealed-digest.ts';

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const start = instant(1_800_000_000_000);

function head(stream: string, sequence: number) {
  return { stream, sequence, hash: digest(`${stream} ${sequence}`) };
}

function sealOver(audit: number, edge: number): SealedDigest {
  return nextSeal(undefined, [head('audit', audit), head('edge', edge)], start, digest);
}

test('the text of a seal is canonical and has every member but the digest', () => {
  const seal = nextSeal(undefined, [head('edge', 2), head('audit', 1)], start, () => 'd');
  assert.equal(
    sealInput(seal),
    `{"heads":[{"hash":"${digest('audit 1')}","sequence":1,"stream":"audit"},` +
      `{"hash":"${digest('edge 2')}","sequence":2,"stream":"edge"}],` +
      `"prev_digest":"${genesisHash}","sealed_at":"2027-01-15T08:00:00.000Z","sequence":1}`,
  );
});

test('a seal is due after a minute, after 1000 events, and when the clock was set back', () => {
  const last = sealOver(5, 100);
  const due = (audit: number, edge: number, afterMs: number): boolean =>
    isSealDue(last, [head('audit', audit), head('edge', edge)], instant(start + afterMs));
  assert.equal(due(6, 100, 86_400_000), false, 'nothing is new but the event of the seal itself');
  assert.equal(due(7, 100, 60_000), true, 'the audit itself has something new');
  assert.equal(due(6, 101, 59_999), false);
  assert.equal(due(6, 101, 60_000), true);
  assert.equal(due(6, 1099, 0), false);
  assert.equal(due(6, 1100, 0), true);
  assert.equal(due(6, 101, -1), true, 'a clock that was set back does not hold seals up');
  assert.equal(isSealDue(undefined, [head('edge', 1)], start), true, 'the first is due at once');
  assert.equal(isSealDue(undefined, [], start), false, 'there is nothing to seal');
});

test('a stream that is shorter than its seal is nothing new', () => {
  assert.equal(unsealedEvents(sealOver(5, 100), [head('audit', 6), head('edge', 40)]), 0);
});

const heads = fc.uniqueArray(
  fc.record({ stream: fc.stringMatching(/^[a-z]{1,3}$/), sequence: fc.integer({ min: 1 }) }),
  { selector: ({ stream }) => stream, minLength: 1, maxLength: 6 },
);

holds(
  'the digest changes with each member, and does not depend on the order of the heads',
  fc.property(heads, fc.nat(), (places, pick) => {
    const given = places.map(({ stream, sequence }) => head(stream, sequence));
    const first = nextSeal(undefined, given, start, digest);
    const seal = nextSeal(first, given, start, digest);
    assert.equal(nextSeal(first, given.toReversed(), start, digest).digest, seal.digest);
    assert.equal(seal.prevDigest, first.digest);
    const index = pick % given.length;
    const forged = seal.heads.map((one, at) =>
      at === index ? { ...one, hash: digest(one.hash) } : one,
    );
    const changes = [
      { heads: forged },
      { heads: seal.heads.toSpliced(index, 1) },
      { sequence: seal.sequence + 1 },
      { sealedAt: instant(start + 1) },
      { prevDigest: genesisHash },
    ];
    for (const change of changes) {
      assert.notEqual(digest(sealInput({ ...seal, ...change })), seal.digest);
    }
  }),
  { runs: 200 },
);
