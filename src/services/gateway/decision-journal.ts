// The decision log of one thread: what was decided goes into a block of records in memory, and now and
// then, or when it is large, the block goes to the segment file. Nobody waits for the disk. What a
// full queue cannot take is dropped and counted, or requests are refused until it can (`decisions.on_full`).

import { currentBehaviour } from '../../core/decisions/behaviour.ts';
import type {
  AdmissionRecord,
  ControlRecord,
  LaterRecord,
  SettledRecord,
} from '../../core/decisions/decision-record.ts';
import {
  currentCodec,
  RecordEncoder,
  type RoutingFacts,
} from '../../core/decisions/record-encoder.ts';
import type { Decision } from '../../core/routing/decide.ts';
import { type SealedSegment, SegmentWriter } from '../../io/segments/segment-writer.ts';

export type JournalSettings = {
  /** Folder of the decision log; each stream has a folder of its own in it. */
  readonly folder: string;
  /** Version of the program, written into each segment. */
  readonly program: string;
  readonly segmentBytes: number;
  readonly queueBytes: number;
  readonly onFull: 'drop' | 'refuse';
  /** One request of so many is kept. */
  readonly sample: number;
};

/** Figures since the start. */
export type JournalReport = {
  readonly bytes: number;
  readonly records: number;
  readonly dropped: number;
  readonly isFull: boolean;
};

export type JournalPorts = {
  readonly monotonicMs: () => number;
  readonly wallMs: () => number;
  readonly onSealed: (sealed: SealedSegment) => void;
  readonly onTrouble: (words: string) => void;
};

/** A block leaves at this size, or at this age. */
const blockBytes = 65_536;
const blockAgeMs = 250;

export class DecisionJournal {
  readonly #settings: JournalSettings | undefined;
  readonly #ports: JournalPorts;
  readonly #writer: SegmentWriter | undefined;
  readonly #encoder = new RecordEncoder();
  #requests = 0;
  #records = 0;
  /** Monotonic ms at which the present block began. */
  #begunMs = 0;
  #told: JournalReport | undefined;

  /** Without settings nothing is kept. */
  static open(
    settings: JournalSettings | undefined,
    stream: string,
    ports: JournalPorts,
  ): DecisionJournal {
    return new DecisionJournal(settings, stream, ports);
  }

  private constructor(settings: JournalSettings | undefined, stream: string, ports: JournalPorts) {
    this.#settings = settings;
    this.#ports = ports;
    if (settings === undefined) return;
    const { folder, program, segmentBytes, queueBytes, onFull, sample } = settings;
    this.#writer = SegmentWriter.open({
      folder,
      stream,
      segmentBytes,
      queueBytes,
      onFull,
      program,
      now: ports.wallMs,
      onSealed: ports.onSealed,
      onTrouble: ports.onTrouble,
    });
    const opened = { name: 'log_opened', version: 1, input: { program, sample }, output: {} };
    this.control(opened, ports.wallMs());
  }

  /** Is the next request one of those that are kept? */
  keepsNext(): boolean {
    if (this.#settings === undefined) return false;
    this.#requests = (this.#requests + 1) % this.#settings.sample;
    return this.#requests === 0;
  }

  /** False while the log cannot be written and no decision is to be made unwritten. */
  get mayRecord(): boolean {
    return this.#writer?.mayRecord ?? true;
  }

  admission(record: AdmissionRecord): void {
    this.#encoder.admission(record);
    this.#added();
  }

  routing(facts: RoutingFacts, decision: Decision): void {
    this.#encoder.routing(facts, decision);
    this.#added();
  }

  settled(record: SettledRecord): void {
    this.#encoder.settled(record);
    this.#added();
  }

  /** What only some requests leave. */
  later(record: LaterRecord): void {
    this.#encoder.later(record);
    this.#added();
  }

  /** A decision of the control thread, or a fact about the log itself; `at` in Unix ms. */
  control(decision: Omit<ControlRecord, 'kind' | 'at'>, at: number): void {
    if (this.#writer === undefined) return;
    this.#encoder.control({ kind: 'control', at, ...decision });
    this.#added();
  }

  #added(): void {
    this.#records++;
    if (this.#encoder.records === 1) this.#begunMs = this.#ports.monotonicMs();
    if (this.#encoder.size >= blockBytes) this.#offer();
  }

  #offer(): void {
    const block = this.#encoder.take();
    if (block === undefined) return;
    this.#writer?.write({ ...block, codec: currentCodec, behaviour: currentBehaviour });
  }

  /** Called every 100 ms. */
  sweep(): void {
    const nowMs = this.#ports.monotonicMs();
    if (this.#encoder.records > 0 && nowMs - this.#begunMs >= blockAgeMs) this.#offer();
    this.#writer?.tick(this.#ports.wallMs());
  }

  /** Resolves when all there is has been written, or given up. */
  async flush(): Promise<void> {
    this.#offer();
    await this.#writer?.settled();
  }

  /** Seals the segment. */
  async close(): Promise<void> {
    this.#offer();
    await this.#writer?.close();
  }

  /** How the stream stands; undefined when nothing is kept. */
  get figures(): JournalReport | undefined {
    if (this.#writer === undefined) return undefined;
    const { bytesWritten, dropped, state } = this.#writer.stats();
    return { bytes: bytesWritten, records: this.#records, dropped, isFull: state === 'full' };
  }

  /** The figures when they have changed since this was asked last. */
  report(): JournalReport | undefined {
    const { figures } = this;
    const told = this.#told;
    this.#told = figures;
    const isSame =
      told?.records === figures?.records &&
      told?.bytes === figures?.bytes &&
      told?.dropped === figures?.dropped &&
      told?.isFull === figures?.isFull;
    return isSame ? undefined : figures;
  }
}
