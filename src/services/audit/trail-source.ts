// Where a verification reads the trail from: tables, anchors file, decision log. All of it comes in
// pages, so that a trail of any length is verified in the memory of one.

import { nodeCrypto } from '../../io/credentials/crypto.ts';
import { isSignedBy, type SigningKey } from '../../io/credentials/signing-key.ts';
import type { Sql } from '../../io/postgres/connection.ts';
import {
  readEvents,
  readHashesAt,
  readStreamEnds,
  type StoredEvent,
  type StoredHead,
} from '../../io/postgres/control-events.ts';
import { readSeals, type StoredSeal } from '../../io/postgres/event-digests.ts';
import { sealStatement } from '../../protocol/audit/schemas.ts';
import type { AuditReportWire } from '../../protocol/control/trust-schemas.ts';
import { type AnchorFile, type AnchorLine, anchorBytes, readAnchorLines } from './anchor-file.ts';

export type AuditFault = AuditReportWire['faults'][number];

/** What the decision log says of itself. */
export type DecisionCheck = {
  readonly segments: number;
  readonly records: number;
  readonly faults: readonly AuditFault[];
};

export type Anchors = {
  /** Seals up to this one have an anchor, or have lost it; later ones may still wait for theirs. */
  readonly newest: number;
  readonly lines: AsyncIterable<AnchorLine>;
};

export type TrailSource = {
  streamEnds(): Promise<readonly (StoredHead & { readonly lastSequence: number })[]>;
  events(stream: string, after: number): Promise<readonly StoredEvent[]>;
  hashesAt(places: readonly StoredHead[]): Promise<readonly StoredHead[]>;
  seals(after: number): Promise<readonly StoredSeal[]>;
  /** The anchors as they are now; seals read after this have at least those. */
  anchors(): Promise<Anchors>;
  decisions(): Promise<DecisionCheck>;
  readonly sha256Hex: (text: string) => string;
  /** Is the seal signed by a key of this installation? */
  isOurs(seal: StoredSeal): boolean;
};

/** Events and seals per page: some milliseconds of hashing and of signatures on one core. */
const eventsPerPage = 500;
const sealsPerPage = 50;

export function postgresTrail(options: {
  readonly sql: Sql;
  readonly key: SigningKey;
  readonly anchors: AnchorFile;
  readonly decisions: () => Promise<DecisionCheck>;
}): TrailSource {
  const { sql, key, anchors, decisions } = options;
  return {
    streamEnds: () => readStreamEnds(sql),
    events: (stream, after) => readEvents(sql, { stream, after, limit: eventsPerPage }),
    hashesAt: (places) => readHashesAt(sql, places),
    seals: (after) => readSeals(sql, { after, limit: sealsPerPage }),
    anchors: async () => {
      const newest = await anchors.newest();
      const lines = readAnchorLines(anchors.path, await anchorBytes(anchors.path));
      return { newest, lines };
    },
    decisions,
    sha256Hex: nodeCrypto.sha256Hex,
    isOurs: ({ publicKey, sequence, digest, signature }) =>
      key.trusted.has(publicKey) &&
      isSignedBy(publicKey, sealStatement(sequence, digest), signature),
  };
}
