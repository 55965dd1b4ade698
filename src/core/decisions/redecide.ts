// Makes recorded decisions again with the functions that made them: judgeAdmission, noPlace, decide,
// and for control records whatever stands under their name. Replay holds what comes out against what was
// recorded; a candidate policy gives decide another snapshot; explain keeps the reasons in words.
//
//   record ──> snapshot by digest ──> decide(snapshot, recorded readings, features, cursor, seed)
//                                        └──> same | differs, where first | undecidable, why
//
//   D1  The same record, snapshot and behaviour give the same answer, on any machine, in any year.
//   D2  A block walked by its cursor and its records as objects give the same answers: both are
//       decided on a RoutingView.

import { assert } from '../../base/assert.ts';
import type { Json } from '../../base/canonical.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { judgeAdmission } from '../policy/admission.ts';
import { type Decision, decide } from '../routing/decide.ts';
import type { Offer, RoutingSnapshot } from '../routing/snapshot.ts';
import { knownBehaviour } from './behaviour.ts';
import type { BlockCursor, CorruptBlock } from './block-cursor.ts';
import type { RecordKind } from './block-layout.ts';
import { type BlockRedecision, BlockTally } from './block-tally.ts';
import type { ControlRecord, DecisionRecord, RoutingRecord } from './decision-record.ts';
import { cursorOf, recordAt, type UnknownCodec } from './record-decoder.ts';
import { RecordedCounters } from './recorded-counters.ts';
import {
  admissionDifference,
  differs,
  jsonDifference,
  queueDifference,
  type Redecision,
  routingDifference,
  same,
  splitDifference,
  undecidable,
} from './redecision.ts';
import { type RoutingView, viewOf } from './routing-view.ts';

/**
 * Makes a control decision again: the output for this input of this version of the record;
 * undefined for a version that it does not know.
 */
export type ControlRedecider = (input: Json, version: number) => Json | undefined;

type RedeciderOptions = {
  /** The snapshot of a digest; asked again and again, so its caller keeps those in use. */
  readonly snapshotOf: (digest: string) => RoutingSnapshot | undefined;
  /** The number of the blocks that the records come from; see {@link knownBehaviour}. */
  readonly behaviour: number;
  /** Name of the control record -> who makes it again. */
  readonly control?: ReadonlyMap<string, ControlRedecider>;
};

type LoggedBlock = {
  readonly codec: number;
  readonly payload: Uint8Array;
  /** Version of the program that wrote it. */
  readonly writtenBy?: string;
};

/** Unix ms; both ends belong to it. */
type TimeWindow = { readonly fromMs: number; readonly toMs: number };

const always: TimeWindow = { fromMs: 0, toMs: Number.POSITIVE_INFINITY };

/** Control records that tell something about the log itself and decide nothing. */
const facts: ReadonlySet<string> = new Set(['log_opened']);

/** Kinds of records that tell what was said or what became of something. */
const factKinds: ReadonlySet<string> = new Set<RecordKind>([
  'annotated',
  'batched',
  'degraded_served',
  'settled',
  'shadowed',
]);

/** Is there anything to make again? Not in what became of a request, nor in a fact of the log. */
export function decides(record: DecisionRecord): boolean {
  if (factKinds.has(record.kind)) return false;
  return record.kind !== 'control' || !facts.has(record.name);
}

export class Redecider {
  readonly #snapshotOf: RedeciderOptions['snapshotOf'];
  readonly #behaviour: number;
  readonly #control: ReadonlyMap<string, ControlRedecider>;
  readonly #counters = new RecordedCounters();
  readonly #cursors = new Map<number, BlockCursor>();
  /** Ids of the tried backends of the decision at hand. */
  readonly #tried: string[] = [];

  /** `behaviour` is one that this program knows. */
  constructor(options: RedeciderOptions) {
    const { snapshotOf, behaviour, control } = options;
    assert(knownBehaviour(behaviour).ok, `behaviour ${behaviour} is not known`);
    this.#behaviour = behaviour;
    this.#snapshotOf = snapshotOf;
    this.#control = control ?? new Map();
  }

  /** `same` also for a record that decides nothing; see {@link decides}. */
  redecide(record: DecisionRecord): Redecision {
    switch (record.kind) {
      case 'admitted':
      case 'refused':
      case 'shed': {
        const verdict = judgeAdmission(record.priorityClass, record.reading);
        return admissionDifference(record, verdict) ?? same;
      }
      case 'routed':
      case 'failed_over':
        return this.#route(viewOf(record));
      case 'queued':
        return queueDifference(record) ?? same;
      case 'annotated':
      case 'batched':
      case 'degraded_served':
      case 'settled':
      case 'shadowed':
        return same;
      case 'control':
        return this.#controlAgain(record);
    }
  }

  /**
   * Every decision of a block within the window, both ends included, without making objects of the
   * records but of those that differ. Refuses a codec that is not known, and a damaged payload.
   */
  redecideBlock(
    block: LoggedBlock,
    window: TimeWindow = always,
  ): Result<BlockRedecision, UnknownCodec | CorruptBlock> {
    const opened = this.#cursorOf(block);
    if (!opened.ok) return opened;
    const cursor = opened.value;
    const tally = new BlockTally();
    cursor.open(block.payload);
    while (cursor.next()) {
      const isWithin = cursor.at >= window.fromMs && cursor.at <= window.toMs;
      const damage = isWithin ? this.#tell(cursor, tally) : undefined;
      if (damage !== undefined) return err(damage);
      tally.records += 1;
    }
    return cursor.fault === undefined ? ok(tally.result()) : err(cursor.fault);
  }

  /**
   * The decision of the record on what `transform` makes of its snapshot: the same backends under
   * other settings. Undefined when the snapshot is missing, or does not offer the model by as many
   * backends as the record has readings.
   */
  redecideWith(
    record: RoutingRecord,
    transform: (snapshot: RoutingSnapshot) => RoutingSnapshot,
  ): Decision | undefined {
    const snapshot = this.#snapshotOf(record.snapshotDigest);
    if (snapshot === undefined) return undefined;
    const view = viewOf(record);
    const other = transform(snapshot);
    const offers = other.byModel.get(view.features.resolvedModel);
    if (offers?.length !== view.candidates.count) return undefined;
    return this.#decide(view, other, offers);
  }

  /** The decision made again, with its reasons in words; undefined as for {@link redecideWith}. */
  explain(record: RoutingRecord): Decision | undefined {
    return this.redecideWith(record, (snapshot) => snapshot);
  }

  /** Notes what the record at the cursor came to; answers with its damage, if that is met. */
  #tell(cursor: BlockCursor, tally: BlockTally): CorruptBlock | undefined {
    switch (cursor.kind) {
      case 'annotated':
      case 'batched':
      case 'degraded_served':
      case 'settled':
      case 'shadowed':
        return undefined;
      case 'queued':
        tally.add(cursor, cursor.kind, queueDifference(cursor.later.queued) ?? same);
        return undefined;
      case 'control':
        return this.#tellControl(cursor, tally);
      case 'routed':
      case 'failed_over':
        tally.add(cursor, cursor.kind, this.#route(cursor.routing));
        return undefined;
      default: {
        const { kind, admission } = cursor;
        const verdict = judgeAdmission(admission.priorityClass, admission.reading);
        const difference = admissionDifference({ kind, code: admission.code }, verdict);
        tally.add(cursor, kind, difference ?? same);
        return undefined;
      }
    }
  }

  #tellControl(cursor: BlockCursor, tally: BlockTally): CorruptBlock | undefined {
    const record = recordAt(cursor);
    if (!record.ok) return record.error;
    if (!decides(record.value)) return undefined;
    tally.add(cursor, cursor.control.name, this.redecide(record.value));
    return undefined;
  }

  #route(view: RoutingView): Redecision {
    const snapshot = this.#snapshotOf(view.snapshotDigest);
    if (snapshot === undefined) return undecidable('snapshot_missing');
    const offers = snapshot.byModel.get(view.features.resolvedModel);
    if (offers === undefined) return undecidable('model_missing');
    if (offers.length !== view.candidates.count) {
      return differs('candidates', `${view.candidates.count}`, `${offers.length}`);
    }
    const difference =
      splitDifference(view, snapshot.settings.splits) ??
      routingDifference(view, this.#decide(view, snapshot, offers));
    return difference ?? same;
  }

  /** There are as many offers as readings. */
  #decide(view: RoutingView, snapshot: RoutingSnapshot, offers: readonly Offer[]): Decision {
    this.#counters.show(view.candidates, offers);
    this.#tried.length = 0;
    for (const place of view.tried) this.#tried.push((offers[place] as Offer).target.id);
    const { cursor, seed, budget } = view;
    const input = { tried: this.#tried, cursor, seed, budget };
    return decide(snapshot, this.#counters, view.features, input, this.#behaviour);
  }

  #controlAgain(record: ControlRecord): Redecision {
    if (facts.has(record.name)) return same;
    const again = this.#control.get(record.name)?.(record.input, record.version);
    if (again === undefined) return undecidable('unknown_control');
    return jsonDifference(record.output, again) ?? same;
  }

  #cursorOf({ codec, writtenBy }: LoggedBlock): Result<BlockCursor, UnknownCodec> {
    const kept = this.#cursors.get(codec);
    if (kept !== undefined) return ok(kept);
    const opened = cursorOf(codec, writtenBy);
    if (opened.ok) this.#cursors.set(codec, opened.value);
    return opened;
  }
}
