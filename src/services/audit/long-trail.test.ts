// Goal: a trail of 200 000 events is verified and exported in the memory of a page. Method: a source
// that makes its events when they are asked for, and counts how far it is ahead of whoever reads.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/postgres.ts';
import { instant } from '../../base/time.ts';
import { type ControlEvent, chainEvents, genesisHash } from '../../core/events/control-event.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import { openSigningKey } from '../../io/credentials/signing-key.ts';
import { noDecisions } from './audit.test-support.ts';
import { exportLines } from './trail-export.ts';
import type { TrailSource } from './trail-source.ts';
import { verifyTrail } from './trail-verification.ts';

const length = 200_000;
const perPage = 500;
const stream = 'identity';

function eventAt(index: number) {
  return {
    stream,
    id: String(index),
    kind: 'user_created',
    version: 1,
    occurredAt: instant(1_800_000_000_000 + index),
    actor: 'system',
    subject: 'user:ana',
    data: {},
  };
}

class LongTrail {
  readonly #hashes: string[] = [];
  pages = 0;

  constructor() {
    let head: { readonly sequence: number; readonly hash: string } = { sequence: 0, hash: '' };
    while (head.sequence < length) {
      const [event] = chainEvents(head, [eventAt(head.sequence)], nodeCrypto.sha256Hex);
      assert.ok(event !== undefined);
      this.#hashes.push(event.hash);
      head = event;
    }
  }

  events(after: number): readonly ControlEvent[] {
    this.pages += 1;
    return Array.from({ length: Math.min(perPage, length - after) }, (_, place) => {
      const index = after + place;
      const prevHash = this.#hashes[index - 1] ?? genesisHash;
      return { ...eventAt(index), sequence: index + 1, prevHash, hash: this.hashAt(index + 1) };
    });
  }

  hashAt(sequence: number): string {
    return this.#hashes[sequence - 1] ?? '';
  }
}

test('200 000 events are verified and exported a page at a time', async () => {
  const folder = temporaryFolder();
  const long = new LongTrail();
  const source: TrailSource = {
    streamEnds: () => {
      const end = { stream, sequence: length, hash: long.hashAt(length), lastSequence: length };
      return Promise.resolve([end]);
    },
    events: (_, after) => Promise.resolve(long.events(after)),
    hashesAt: () => Promise.resolve([]),
    seals: () => Promise.resolve([]),
    anchors: () => Promise.reject(new Error('nobody asked for anchors')),
    decisions: () => Promise.resolve(noDecisions),
    sha256Hex: nodeCrypto.sha256Hex,
    isOurs: () => true,
  };
  const verified = await verifyTrail(source, { anchors: false });
  assert.deepEqual([verified.events, verified.faults], [length, []]);
  assert.equal(long.pages, length / perPage, 'each page is read once');

  long.pages = 0;
  const key = openSigningKey(join(folder, 'key'));
  const lines = exportLines(source, key, {
    window: { acceptReversals: false },
    runs: [{ stream, first: 1, last: length }],
    by: 'key:key_test',
    at: instant(0),
    reversals: 0,
    seal: undefined,
  });
  let [taken, ahead, count] = [0, 0, 0];
  for await (const piece of lines) {
    taken += 1;
    ahead = Math.max(ahead, long.pages - taken);
    count += piece.split('\n').length - 1;
  }
  assert.equal(count, length + 1);
  assert.equal(ahead, 0, 'no page is read before the one before it was taken');
  rmSync(folder, { recursive: true, force: true });
});
