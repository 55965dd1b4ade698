// One event stream on its way to the client: what may be passed on, and when.
//
//   silent --first content, or 64 KiB of other events--> begun --> ended by the backend
//
// While it is silent nothing has reached the client, so that another backend may still answer; what
// comes is held, and comments, which carry nothing, are let go of when there is much of it: a flood
// of them never makes a stream begin. Once begun, bytes pass untouched, whole events only: a cut
// never leaves half an event with the client, and an error event can follow.
//
// R1  what was given out ends at the border of an event.
// R2  no more is held than one incomplete event and twice 64 KiB of whole ones.

import { type SseFault, SseWatcher } from '../../protocol/openai/sse.ts';
import type { UsageReport } from '../../protocol/openai/usage.ts';
import { HeldBytes } from './held-bytes.ts';

/** Whole events that may be held while no content has come. */
const silentBytesMax = 65_536;

const faultWords: Readonly<Record<SseFault, string>> = {
  event_too_large: 'The backend sent an event larger than its limit.',
  bare_carriage_return: 'The backend sent a carriage return that ends no line.',
  nul_byte: 'The backend sent a NUL byte in its stream.',
};

/** Offset behind the last blank line, 0 when there is none. */
function lastEventEnd(bytes: Buffer): number {
  const lf = bytes.lastIndexOf('\n\n');
  const crlf = bytes.lastIndexOf('\n\r\n');
  return Math.max(lf < 0 ? 0 : lf + 2, crlf < 0 ? 0 : crlf + 3);
}

/** The same whole events without those that are comments only. */
function withoutComments(bytes: Buffer): Buffer {
  const events = bytes.toString('latin1').match(/[\s\S]*?\n\r?\n/g) ?? [];
  const kept = events.filter((event) =>
    event.split('\n').some((line) => line !== '' && line !== '\r' && !line.startsWith(':')),
  );
  return Buffer.from(kept.join(''), 'latin1');
}

export class StreamRelay {
  readonly #watcher: SseWatcher;
  readonly #held = new HeldBytes();
  #events = 0;
  #begun = false;
  #lookAtBytes = silentBytesMax;

  constructor(eventBytesMax: number) {
    this.#watcher = new SseWatcher(eventBytesMax);
  }

  /** May the client have bytes of it? */
  get begun(): boolean {
    return this.#begun;
  }

  /** Has generated content passed? */
  get hasContent(): boolean {
    return this.#watcher.firstContent;
  }

  /** Has the end mark passed? */
  get isComplete(): boolean {
    return this.#watcher.done;
  }

  /** Has the backend sent an error event of its own, or begun with what is no JSON? */
  get failed(): boolean {
    return this.#watcher.failed;
  }

  /** Why it must be cut, if it must. */
  get faultWords(): string | undefined {
    const { fault } = this.#watcher;
    return fault === undefined ? undefined : faultWords[fault];
  }

  /** Events with data: our own count of what was generated. */
  get dataEvents(): number {
    return this.#watcher.dataEvents;
  }

  usage(): UsageReport {
    return this.#watcher.usage();
  }

  /** Looks at the next bytes and gives those that may go out now; look at `faultWords` after it. */
  push(chunk: Buffer): Buffer | undefined {
    const watcher = this.#watcher;
    if (watcher.push(chunk) !== undefined) return undefined;
    const endsOne = watcher.events !== this.#events;
    this.#events = watcher.events;
    if (!this.#begun) {
      this.#held.push(chunk);
      this.#begun = watcher.firstContent || (endsOne && this.#isTooMuch());
      return this.#begun ? this.#wholeEvents(this.#held.take()) : undefined;
    }
    if (this.#held.length === 0 && watcher.atEventBorder) return Buffer.from(chunk);
    this.#held.push(chunk);
    // Without a border in it there is nothing to look for, so many small pieces cost little.
    return endsOne || watcher.atEventBorder ? this.#wholeEvents(this.#held.take()) : undefined;
  }

  /** What was held when the backend ended the stream in order. */
  rest(): Buffer {
    return this.#held.take();
  }

  #wholeEvents(bytes: Buffer): Buffer | undefined {
    const border = this.#watcher.atEventBorder ? bytes.length : lastEventEnd(bytes);
    if (border < bytes.length) this.#held.push(bytes.subarray(border));
    return border === 0 ? undefined : bytes.subarray(0, border);
  }

  /**
   * Are there more whole events than are held? Comments are let go of, and the rest is looked at
   * again only when as much has come once more, so that many small events cost little.
   */
  #isTooMuch(): boolean {
    if (this.#held.length < this.#lookAtBytes) return false;
    const bytes = this.#held.take();
    const border = lastEventEnd(bytes);
    const kept = withoutComments(bytes.subarray(0, border));
    this.#held.push(kept);
    this.#held.push(bytes.subarray(border));
    this.#lookAtBytes = Math.max(silentBytesMax, this.#held.length + kept.length);
    return kept.length >= silentBytesMax;
  }
}
