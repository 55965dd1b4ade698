// Export of the trail: verified first, then streamed page by page, with a signed manifest at the end.
//
//   runs found -> verified from the last seal before them -> `trail_exported` appended -> streamed
//
// Of each stream a run without a hole is exported: from the first to the last event that lies in the
// window, also where a clock that was set back dated one between them outside of it. The chain is
// looked at again while the lines go out: should a row have changed in between, the answer breaks off
// without its manifest, and so is no export.

import { canonicalJson } from '../../base/canonical.ts';
import { type Instant, toRfc3339 } from '../../base/time.ts';
import { eventRecord, findChainFault, genesisHash } from '../../core/events/control-event.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { SigningKey } from '../../io/credentials/signing-key.ts';
import type { EventRun, StoredEvent, StoredHead } from '../../io/postgres/control-events.ts';
import type { StoredSeal } from '../../io/postgres/event-digests.ts';
import {
  exportStatement,
  type Manifest,
  type ManifestBody,
  type SealWire,
} from '../../protocol/audit/schemas.ts';
import type { TrailSource } from './trail-source.ts';

export type ExportWindow = {
  /** RFC 3339 as it was asked for. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly stream?: string | undefined;
  readonly acceptReversals: boolean;
};

type ExportSource = Pick<TrailSource, 'events' | 'sha256Hex'>;

/** What is exported, once it is verified. */
export type ExportPlan = {
  readonly window: ExportWindow;
  readonly runs: readonly EventRun[];
  readonly by: string;
  readonly at: Instant;
  readonly reversals: number;
  readonly seal: StoredSeal | undefined;
};

export function eventsOf(runs: readonly EventRun[]): number {
  return runs.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

/** The seal to begin with: one that covers nothing of the runs; undefined begins at genesis. */
export function sealBefore(
  seal: StoredSeal | undefined,
  runs: readonly EventRun[],
): StoredSeal | undefined {
  const sealed = new Map(seal?.heads.map(({ stream, sequence }) => [stream, sequence]));
  return runs.every(({ stream, first }) => (sealed.get(stream) ?? 0) < first) ? seal : undefined;
}

function sealWire(seal: StoredSeal): SealWire {
  return {
    sequence: seal.sequence,
    sealed_at: toRfc3339(seal.sealedAt),
    heads: [...seal.heads],
    prev_digest: seal.prevDigest,
    digest: seal.digest,
    signature: seal.signature,
    public_key: seal.publicKey,
  };
}

type ExportedHead = ManifestBody['heads'][number];

function manifestOf(
  plan: ExportPlan,
  heads: readonly ExportedHead[],
  key: SigningKey,
  sha256Hex: (text: string) => string,
): Manifest {
  const body: ManifestBody = {
    version: 1,
    exported_at: toRfc3339(plan.at),
    exported_by: plan.by,
    from: plan.window.from ?? null,
    to: plan.window.to ?? null,
    stream: plan.window.stream ?? null,
    events: eventsOf(plan.runs),
    counts: Object.fromEntries(plan.runs.map((run) => [run.stream, eventsOf([run])])),
    heads: [...heads],
    reversals: plan.reversals,
    seal: plan.seal === undefined ? null : sealWire(plan.seal),
  };
  const digest = sha256Hex(canonicalJson(body));
  const signature = key.sign(exportStatement(digest));
  return { ...body, digest, signature, public_key: key.publicKey };
}

function lineOf(event: StoredEvent): string {
  return `${JSON.stringify({ ...eventRecord(event.prevHash, event), hash: event.hash })}\n`;
}

/** The lines of one stream, a page at a time; its head once all of them were handed out. */
async function* exportRun(
  source: ExportSource,
  { stream, first, last }: EventRun,
): AsyncGenerator<string, ExportedHead> {
  let head: StoredHead | undefined;
  let prevHash = genesisHash;
  for (let after = first - 1; after < last; ) {
    const page = await source.events(stream, after);
    const events = page.filter(({ sequence }) => sequence <= last);
    // The hash before the first was verified; from there on the chain has to hold by itself.
    if (head === undefined) prevHash = events[0]?.prevHash ?? prevHash;
    const start = { sequence: after, hash: head?.hash ?? prevHash };
    const fault = findChainFault(start, events, source.sha256Hex);
    const reached = events.at(-1);
    if (fault !== undefined || reached === undefined) {
      const place = `stream ${stream} at sequence ${fault?.sequence ?? after + 1}`;
      throw new TensorForgeError('audit_broken', `${place} changed while it was exported`);
    }
    yield events.map(lineOf).join('');
    head = reached;
    after = reached.sequence;
  }
  const { sequence, hash } = head ?? { sequence: last, hash: prevHash };
  return { stream, sequence, hash, first_sequence: first, prev_hash: prevHash };
}

/** The file, piece by piece: whole lines of events, and the manifest last. */
export async function* exportLines(
  source: ExportSource,
  key: SigningKey,
  plan: ExportPlan,
): AsyncGenerator<string> {
  const heads: ExportedHead[] = [];
  for (const run of plan.runs) heads.push(yield* exportRun(source, run));
  const manifest = manifestOf(plan, heads, key, source.sha256Hex);
  yield `${JSON.stringify({ manifest })}\n`;
}
