// An exported trail as the product makes it: two streams, two seals, a key of its own.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../../test/support/postgres.ts';
import { instant } from '../../base/time.ts';
import { type ControlEvent, chainEvents } from '../../core/events/control-event.ts';
import { nextSeal } from '../../core/events/sealed-digest.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import { isSignedBy, openSigningKey } from '../../io/credentials/signing-key.ts';
import type { StoredSeal } from '../../io/postgres/event-digests.ts';
import { exportLines } from '../../services/audit/trail-export.ts';
import type { TrailSource } from '../../services/audit/trail-source.ts';
import { type AnchorWire, sealStatement } from './schemas.ts';

export const fileCrypto = { sha256Hex: nodeCrypto.sha256Hex, isSignedBy };

const start = 1_800_000_000_000;

function chainOf(stream: string, length: number): readonly ControlEvent[] {
  const events = Array.from({ length }, (_, index) => ({
    stream,
    id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    kind: 'something_happened',
    version: 1,
    occurredAt: instant(start + index),
    actor: 'user:ana',
    subject: `thing:${index}`,
    data: { index, text: 'Grüße 🙂 "\\\u0001', nothing: null, list: [1.5, true] },
  }));
  return chainEvents({ sequence: 0, hash: '' }, events, nodeCrypto.sha256Hex);
}

export type ExportedTrail = {
  readonly lines: readonly string[];
  readonly anchors: readonly AnchorWire[];
};

export async function exportedTrail(): Promise<ExportedTrail> {
  const folder = temporaryFolder();
  const key = openSigningKey(join(folder, 'key'));
  rmSync(folder, { recursive: true });
  const chains = new Map(['edge', 'identity'].map((stream) => [stream, chainOf(stream, 6)]));
  let last: StoredSeal | undefined;
  const anchors = [3, 5].map((at): AnchorWire => {
    const heads = [...chains.values()].map((chain) => chain[at - 1] as ControlEvent);
    const places = heads.map(({ stream, sequence, hash }) => ({ stream, sequence, hash }));
    const seal = nextSeal(last, places, instant(start + at), nodeCrypto.sha256Hex);
    const signature = key.sign(sealStatement(seal.sequence, seal.digest));
    last = { ...seal, signature, publicKey: key.publicKey };
    const { sequence, digest } = seal;
    return { sequence, digest, signature, public_key: key.publicKey };
  });
  const source = {
    events: (stream: string, after: number) =>
      Promise.resolve((chains.get(stream) ?? []).slice(after, after + 4)),
    sha256Hex: nodeCrypto.sha256Hex,
  } satisfies Partial<TrailSource>;
  const pieces = exportLines(source, key, {
    window: { acceptReversals: false },
    runs: [...chains.keys()].map((stream) => ({
      stream,
      first: stream === 'edge' ? 2 : 1,
      last: 6,
    })),
    by: 'key:key_test',
    at: instant(start),
    reversals: 0,
    seal: last,
  });
  let text = '';
  for await (const piece of pieces) text += piece;
  return { lines: text.trimEnd().split('\n'), anchors };
}
