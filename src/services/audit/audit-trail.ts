// The audit trail as a service: verify it, export it, and stand up when it is broken.
//
//   whole ──── a verification finds a fault ────> broken: alert stands, exports refuse
//     ^                                             │
//     └───────── a verification finds none ─────────┘
//
// T1  Each bad place becomes one `gap_found` event, however often it is found again.
// T2  Nothing is exported that was not verified, and nothing at all while the trail is known broken.
// T3  A verification runs once at a time; whoever asks for the same meanwhile gets its report.

import { type Instant, instant, toRfc3339 } from '../../base/time.ts';
import { sealStream } from '../../core/events/sealed-digest.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { SigningKey } from '../../io/credentials/signing-key.ts';
import type { Sql } from '../../io/postgres/connection.ts';
import {
  type ControlEvents,
  type EventRun,
  type EventToAppend,
  hasEvent,
  readRuns,
} from '../../io/postgres/control-events.ts';
import { readNewestSeal } from '../../io/postgres/event-digests.ts';
import type { AuditReportWire } from '../../protocol/control/trust-schemas.ts';
import { faultWords, isReversal } from './fault-list.ts';
import { type ExportWindow, eventsOf, exportLines, sealBefore } from './trail-export.ts';
import type { AuditFault, TrailSource } from './trail-source.ts';
import { type Verified, verifyTrail } from './trail-verification.ts';

/** Exports that may be verified at once; what is verified goes out as its reader takes it. */
const exportsMax = 4;

export type AuditTrailOptions = {
  readonly sql: Sql;
  readonly events: ControlEvents;
  readonly source: TrailSource;
  readonly key: SigningKey;
  readonly now: () => Instant;
  /** Told when the trail turns out broken, with the first place, and with undefined when it is whole. */
  readonly onBroken: (words: string | undefined) => void;
};

type Run = { readonly anchors: boolean; readonly report: Promise<AuditReportWire> };

function breaksOf(faults: readonly AuditFault[]): readonly AuditFault[] {
  return faults.filter((fault) => !isReversal(fault));
}

function brokenWords(faults: readonly AuditFault[]): string | undefined {
  const [first] = faults;
  if (first === undefined) return undefined;
  const more = faults.length === 1 ? '' : `, and ${faults.length - 1} more`;
  return `the audit trail is broken: ${faultWords(first)}${more}; exports are stopped`;
}

function reportOf(verified: Verified, at: Instant): AuditReportWire {
  const { heads, events, digests, decisions, faults } = verified;
  const broken = brokenWords(breaksOf(faults));
  const [reversal] = faults;
  const whole = `${events + decisions.records} records whole to ${toRfc3339(at)}`;
  const note = reversal === undefined ? '' : `; a clock was set back: ${faultWords(reversal)}`;
  return {
    at: toRfc3339(at),
    whole: broken === undefined,
    words: broken ?? `${whole}${note}`,
    streams: [...heads],
    events,
    digests,
    segments: decisions.segments,
    records: decisions.records,
    faults: [...faults],
  };
}

/** One place, one subject: what `gap_found` is looked up by. */
function subjectOf(fault: AuditFault): string {
  return `${fault.where}:${fault.name}#${fault.sequence ?? '-'}@${fault.offset ?? '-'}`;
}

function refusalOf(faults: readonly AuditFault[], words: string): TensorForgeError {
  return new TensorForgeError(
    'audit_broken',
    `Nothing was exported: ${words}. tensorforge audit verify tells every place.`,
    { details: faults },
  );
}

export class AuditTrail {
  readonly #options: AuditTrailOptions;
  /** The breaks that the last verification found. */
  #breaks: readonly AuditFault[] = [];
  #run: Run | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #exports = 0;

  constructor(options: AuditTrailOptions) {
    this.#options = options;
  }

  /** Verifies everything; without `anchors` the anchors file is left out. Rejects when it cannot. */
  verify({ anchors }: { readonly anchors: boolean }): Promise<AuditReportWire> {
    if (this.#run?.anchors === anchors) return this.#run.report;
    const report = this.#last.then(() => this.#verify(anchors));
    const run: Run = { anchors, report };
    this.#run = run;
    this.#last = report
      .catch(() => undefined)
      .then(() => {
        if (this.#run === run) this.#run = undefined;
      });
    return report;
  }

  /**
   * The lines of an export, once what it holds is verified. Throws `audit_broken` with every place
   * where it is not, `operation_in_progress` when too many exports go on.
   */
  async export(window: ExportWindow, by: string): Promise<AsyncIterable<string>> {
    const words = brokenWords(this.#breaks);
    if (words !== undefined) throw refusalOf(this.#breaks, words);
    if (this.#exports >= exportsMax) {
      const limit = `${this.#exports} exports are being verified, as many as may; wait for one.`;
      throw new TensorForgeError('operation_in_progress', limit);
    }
    this.#exports += 1;
    try {
      return await this.#prepare(window, by);
    } finally {
      this.#exports -= 1;
    }
  }

  // ---- verification ------------------------------------------------------------------------

  async #verify(anchors: boolean): Promise<AuditReportWire> {
    const { source, now } = this.#options;
    const verified = await verifyTrail(source, { anchors });
    await this.#found(verified.faults);
    const breaks = breaksOf(verified.faults);
    const [before, after] = [brokenWords(this.#breaks), brokenWords(breaks)];
    this.#breaks = breaks;
    if (before !== after) this.#options.onBroken(after);
    return reportOf(verified, now());
  }

  /** Writes down the places that nobody wrote down yet (T1). */
  async #found(faults: readonly AuditFault[]): Promise<void> {
    const { sql, events } = this.#options;
    const news: EventToAppend[] = [];
    for (const fault of faults) {
      const subject = subjectOf(fault);
      if (await hasEvent(sql, { kind: 'gap_found', subject })) continue;
      news.push(this.#event('gap_found', 'system', subject, fault));
    }
    if (news.length > 0) await sql.begin((tx) => events.append(tx, news));
  }

  #event(kind: string, actor: string, subject: string, data: EventToAppend['data']): EventToAppend {
    const occurredAt = this.#options.now();
    return { stream: sealStream, kind, version: 1, occurredAt, actor, subject, data };
  }

  // ---- export ------------------------------------------------------------------------------

  async #prepare(window: ExportWindow, by: string): Promise<AsyncIterable<string>> {
    const { sql, events, source, key, now } = this.#options;
    const fromMs = window.from === undefined ? undefined : Date.parse(window.from);
    const toMs = window.to === undefined ? undefined : Date.parse(window.to);
    const runs = await this.#runs(window.stream, fromMs, toMs);
    const base = fromMs === undefined ? undefined : await readNewestSeal(sql, fromMs);
    const verified = await verifyTrail(source, {
      anchors: false,
      until: new Map(runs.map(({ stream, last }) => [stream, last])),
      since: sealBefore(base, runs),
    });
    await this.#mayExport(window, verified.faults);
    const told = this.#event('trail_exported', by, `trail:${window.stream ?? 'all'}`, {
      from: window.from ?? null,
      to: window.to ?? null,
      stream: window.stream ?? null,
      events: eventsOf(runs),
      reversals: verified.faults.length,
    });
    await sql.begin((tx) => events.append(tx, [told]));
    const plan = {
      window,
      runs,
      by,
      at: instant(now()),
      reversals: verified.faults.length,
      seal: verified.seal,
    };
    return exportLines(source, key, plan);
  }

  async #runs(
    stream: string | undefined,
    fromMs: number | undefined,
    toMs: number | undefined,
  ): Promise<readonly EventRun[]> {
    const { sql, source } = this.#options;
    if (fromMs !== undefined || toMs !== undefined) return readRuns(sql, { stream, fromMs, toMs });
    const ends = await source.streamEnds();
    return ends
      .filter((end) => end.lastSequence > 0 && (stream === undefined || end.stream === stream))
      .map((end) => ({ stream: end.stream, first: 1, last: end.lastSequence }));
  }

  /** Writes down what was found, and throws unless all of it may go out. */
  async #mayExport(window: ExportWindow, faults: readonly AuditFault[]): Promise<void> {
    await this.#found(faults);
    const breaks = breaksOf(faults);
    const words = brokenWords(breaks);
    if (words !== undefined) {
      this.#breaks = breaks;
      this.#options.onBroken(words);
      throw refusalOf(faults, words);
    }
    const [reversal] = faults;
    if (reversal === undefined || window.acceptReversals) return;
    const told = `a clock was set back: ${faultWords(reversal)}; accept_reversals=true exports it`;
    throw refusalOf(faults, told);
  }
}
