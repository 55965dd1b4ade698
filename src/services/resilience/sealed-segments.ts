// Tells the audit trail of every segment that is sealed, so that the decision log is anchored outside of
// itself: whoever rewrites or cuts a sealed segment would have to rewrite the trail as well.

import type { Instant } from '../../base/time.ts';
import type { Sql } from '../../io/postgres/connection.ts';
import { type EventToAppend, readEvents } from '../../io/postgres/control-events.ts';
import { DeferredEvents } from '../../io/postgres/deferred-events.ts';
import type { Anchor } from '../../io/segments/segment-verify.ts';
import type { SealedSegment } from '../../io/segments/segment-writer.ts';

export type SealedSegmentsPorts = {
  readonly sql: Sql;
  readonly append: (events: readonly EventToAppend[]) => Promise<void>;
  readonly now: () => Instant;
  /** Told at the first failure in a row. */
  readonly onError: (error: unknown) => void;
};

/** What the trail is told of a sealed segment. */
export type SealedOnDisk = Pick<
  SealedSegment,
  'stream' | 'segment' | 'name' | 'records' | 'bytes' | 'hash'
>;

const stream = 'resilience';
const kind = 'decision_segment_sealed';
const pageEvents = 1000;
/** Events that may wait for the database. */
const waitingMax = 1000;

export class SealedSegments {
  readonly #ports: SealedSegmentsPorts;
  readonly #events: DeferredEvents;

  constructor(ports: SealedSegmentsPorts) {
    this.#ports = ports;
    // What is let go here is found again by `reconcile` at the next start.
    this.#events = new DeferredEvents({
      append: ports.append,
      waitingMax,
      onFailed: ports.onError,
      onLost: () => {},
    });
  }

  add(segment: SealedOnDisk): void {
    const { name, bytes, hash } = segment;
    this.#events.add({
      stream,
      kind,
      version: 1,
      occurredAt: this.#ports.now(),
      actor: 'system',
      subject: `segment:${name}`,
      data: {
        log: segment.stream,
        segment: segment.segment,
        records: segment.records,
        bytes,
        digest: hash,
      },
    });
    void this.write();
  }

  /**
   * After a start: adds the sealed segments of the folder that the trail does not know, because the
   * process ended between the two.
   */
  async reconcile(segments: readonly SealedOnDisk[]): Promise<void> {
    const known = new Set(
      (await this.anchors()).map(({ stream: log, segment }) => `${log}/${segment}`),
    );
    for (const segment of segments) {
      if (!known.has(`${segment.stream}/${segment.segment}`)) this.add(segment);
    }
  }

  /** Writes what waits; never rejects, what fails is tried again with the next call. */
  write(): Promise<void> {
    return this.#events.write();
  }

  /** What the trail says of all segments that were ever sealed, oldest first. */
  async anchors(): Promise<readonly Anchor[]> {
    await this.write();
    const anchors: Anchor[] = [];
    for (let after = 0; ; ) {
      const page = await readEvents(this.#ports.sql, { stream, after, limit: pageEvents });
      for (const event of page) {
        const { log, segment, digest } = event.data;
        if (event.kind !== kind || typeof log !== 'string') continue;
        if (typeof segment !== 'number' || typeof digest !== 'string') continue;
        anchors.push({ stream: log, segment, hash: digest });
      }
      const last = page.at(-1);
      if (last === undefined || page.length < pageEvents) return anchors;
      after = last.sequence;
    }
  }
}
