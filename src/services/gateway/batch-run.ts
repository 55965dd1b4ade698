// One batch in progress: which of its lines are to be asked, under way, answered and written down.
//
//   input --read ahead--> ahead --take--> under way --answer--> unwritten --record--> written
//                           ^                |
//                           +--- again ------+
//
//   R1  a line is in one of these places at a time; one that was written is never read again.
//   R2  the cursor is where the first line stands that is not written.
//   R3  what is held is bounded: lines read ahead, and answers that wait to be written.
//   R4  after `close` nothing is given out, and late answers are dropped.

import { assert } from '../../base/assert.ts';
import type {
  InputCursor,
  LineResult,
  StoredBatch,
} from '../../io/postgres/inference-batch-store.ts';
import {
  type BatchEndpoint,
  type BatchLine,
  parseBatchLine,
} from '../../protocol/openai/batch-line.ts';
import type { InputLine } from './batch-input.ts';

/** A line that is to be asked. */
export type OpenLine = BatchLine & {
  readonly line: number;
  /** How often it was asked and failed. */
  readonly attempts: number;
};

const aheadMax = 16;
const unwrittenMax = 256;
const writtenAtOnce = 64;

export class BatchRun {
  readonly batch: StoredBatch;
  readonly endpoint: BatchEndpoint;
  readonly #input: AsyncGenerator<InputLine, InputCursor>;
  readonly #answered: ReadonlySet<number>;
  /** Where each line begins that was read and is not written, in their order. */
  readonly #places = new Map<number, number>();
  readonly #ahead: OpenLine[] = [];
  readonly #underWay = new Map<number, AbortController>();
  #unwritten: LineResult[] = [];
  /** Where the input goes on behind what was read. */
  #end: InputCursor;
  #isExhausted = false;
  #isFilling = false;
  #isClosed = false;
  /** Nothing is given out before. */
  restUntilMs = 0;

  /** `answered`: lines from the cursor on that were written before a restart. */
  constructor(
    batch: StoredBatch,
    endpoint: BatchEndpoint,
    input: AsyncGenerator<InputLine, InputCursor>,
    answered: ReadonlySet<number>,
  ) {
    this.batch = batch;
    this.endpoint = endpoint;
    this.#input = input;
    this.#answered = answered;
    this.#end = batch.cursor;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Is every line answered and written? */
  get isDone(): boolean {
    return this.#isExhausted && this.#places.size === 0;
  }

  get hasUnwritten(): boolean {
    return this.#unwritten.length > 0;
  }

  /** Reads ahead until there is something to take or nothing left. Rejects where it cannot read. */
  async fill(): Promise<void> {
    if (this.#isFilling || this.#isExhausted || this.#ahead.length > 0) return;
    this.#isFilling = true;
    try {
      while (this.#ahead.length < aheadMax && !this.#isClosed) {
        const next = await this.#input.next();
        if (this.#isClosed) return;
        if (next.done === true) {
          this.#isExhausted = true;
          this.#end = next.value;
          return;
        }
        this.#read(next.value);
      }
    } finally {
      this.#isFilling = false;
    }
  }

  #read({ line, byte, content }: InputLine): void {
    this.#end = { line, byte };
    if (this.#answered.has(line)) return;
    const parsed =
      content.kind === 'text' ? parseBatchLine(content.text, this.endpoint) : undefined;
    assert(parsed?.ok === true, `line ${line} of a batch that was validated`);
    this.#places.set(line, byte);
    this.#ahead.push({ ...parsed.value, line, attempts: 0 });
  }

  /** Is there a line that could be asked now? */
  mayTake(nowMs: number): boolean {
    const isHeld = this.#isClosed || nowMs < this.restUntilMs;
    return !isHeld && this.#ahead.length > 0 && this.#unwritten.length < unwrittenMax;
  }

  /** The next line, which is under way from now on; `signal` ends it. */
  take(): { readonly line: OpenLine; readonly signal: AbortSignal } {
    const line = this.#ahead.shift();
    assert(line !== undefined, 'a line may be taken');
    const controller = new AbortController();
    this.#underWay.set(line.line, controller);
    return { line, signal: controller.signal };
  }

  /** It is asked again, before those that were not asked yet. */
  again(line: OpenLine, attempts: number): void {
    if (!this.#underWay.delete(line.line)) return;
    this.#ahead.unshift({ ...line, attempts });
  }

  answer(result: LineResult): void {
    if (this.#underWay.delete(result.line)) this.#unwritten.push(result);
  }

  /** Some results that are to be written, with the cursor as it is when they are. */
  toWrite(): { readonly results: readonly LineResult[]; readonly cursor: InputCursor } {
    const results = this.#unwritten.slice(0, writtenAtOnce);
    const written = new Set(results.map(({ line }) => line));
    for (const [line, byte] of this.#places) {
      if (!written.has(line)) return { results, cursor: { line, byte } };
    }
    return { results, cursor: this.#end };
  }

  written(results: readonly LineResult[]): void {
    for (const { line } of results) this.#places.delete(line);
    this.#unwritten = this.#unwritten.slice(results.length);
  }

  /** Ends what is under way. What was answered can still be written. */
  close(): void {
    this.#isClosed = true;
    for (const controller of this.#underWay.values()) controller.abort();
    this.#underWay.clear();
    // The file is let go of.
    void this.#input.return({ line: 0, byte: 0 });
  }
}
