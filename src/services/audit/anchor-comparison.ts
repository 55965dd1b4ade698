// The anchors file against the seals, both in their order and side by side. Each seal is asked for in
// turn; what is left of the file at the end are anchors of seals that are no longer there.

import { sealTable } from '../../core/events/trail-check.ts';
import type { StoredSeal } from '../../io/postgres/event-digests.ts';
import type { AnchorWire } from '../../protocol/audit/schemas.ts';
import type { AnchorLine } from './anchor-file.ts';
import type { Anchors, AuditFault } from './trail-source.ts';

export const anchorsName = 'audit-anchors.jsonl';

export class AnchorComparison {
  readonly #newest: number;
  readonly #lines: AsyncIterator<AnchorLine>;
  readonly #tell: (fault: AuditFault) => void;
  #current: AnchorLine | undefined;
  #isOver = false;
  /** Highest sequence so far. */
  #reached = 0;

  constructor(anchors: Anchors, tell: (fault: AuditFault) => void) {
    this.#newest = anchors.newest;
    this.#lines = anchors.lines[Symbol.asyncIterator]();
    this.#tell = tell;
  }

  async compare(seal: StoredSeal): Promise<void> {
    const anchor = await this.#upTo(seal.sequence);
    if (anchor?.sequence === seal.sequence) {
      if (anchor.digest !== seal.digest) {
        this.#differs(seal.sequence, 'differs_from_anchor', anchor.digest, seal.digest);
      }
      this.#current = undefined;
      return;
    }
    if (anchor === undefined && seal.sequence > this.#newest) return;
    this.#tell({
      where: 'digests',
      name: anchorsName,
      sequence: seal.sequence,
      offset: this.#current?.offset ?? null,
      reason: 'anchor_missing',
      expected: seal.digest,
      found: anchor === undefined ? null : `the anchor of seal ${anchor.sequence}`,
    });
  }

  /** Tells of the first anchor that is left over, and gives the file back. */
  async end(lastSeal: number): Promise<void> {
    const anchor = await this.#upTo(lastSeal + 1);
    if (anchor !== undefined) this.#differs(anchor.sequence, 'seal_missing', anchor.digest, null);
    await this.close();
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#lines.return?.();
  }

  /** The first anchor that is not before `sequence`, without going past it. */
  async #upTo(sequence: number): Promise<AnchorWire | undefined> {
    for (;;) {
      const anchor = this.#current?.anchor;
      if (anchor !== undefined && anchor.sequence >= sequence) return anchor;
      const line = await this.#next();
      if (line === undefined) return undefined;
      this.#current = this.#isInOrder(line) ? line : undefined;
    }
  }

  async #next(): Promise<AnchorLine | undefined> {
    if (this.#isOver) return undefined;
    const { done, value } = await this.#lines.next();
    this.#isOver = done === true;
    return done === true ? undefined : value;
  }

  #isInOrder({ anchor, offset, text }: AnchorLine): boolean {
    const next = this.#reached + 1;
    const place = { where: 'digests', name: anchorsName, sequence: next, offset } as const;
    if (anchor === undefined) {
      const found = text.slice(0, 80);
      this.#tell({ ...place, reason: 'unreadable', expected: `the anchor of seal ${next}`, found });
      return false;
    }
    if (anchor.sequence <= this.#reached) {
      const found = `the anchor of seal ${anchor.sequence}`;
      this.#tell({ ...place, reason: 'out_of_order', expected: `seal ${next} or later`, found });
      return false;
    }
    this.#reached = anchor.sequence;
    return true;
  }

  #differs(sequence: number, reason: string, expected: string, found: string | null): void {
    const place = { where: 'digests', name: sealTable, sequence, offset: null } as const;
    this.#tell({ ...place, reason, expected, found });
  }
}
