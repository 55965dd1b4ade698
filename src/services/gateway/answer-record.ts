// What an answer says, kept for as long as it takes to compare it with another one, and no longer: the
// events of a stream, or a whole answer. Bounded: of a longer answer nothing is kept.

import { textOfAnswer, textOfStream } from '../../protocol/openai/answer-text.ts';
import { HeldBytes } from './held-bytes.ts';
import { parsedAnswer } from './json-answer.ts';

/** Bytes of an answer that are kept at most. */
export const recordedBytesMax = 262_144;

export class AnswerRecord {
  readonly #events = new HeldBytes();
  /** A character a byte. */
  #whole: string | undefined;
  #isTooLong = false;

  /** Bytes that are kept now. */
  get bytes(): number {
    return this.#events.length + (this.#whole?.length ?? 0);
  }

  /** Whole events of OpenAI's interface. */
  events(bytes: Buffer): void {
    if (this.#isTooLong) return;
    this.#events.push(bytes);
    if (this.#events.length > recordedBytesMax) this.tooLong();
  }

  /** A whole answer, a character a byte. */
  whole(text: string): void {
    if (text.length > recordedBytesMax) this.tooLong();
    else this.#whole = text;
  }

  /** It is passed on in pieces, or longer than is kept. */
  tooLong(): void {
    this.#isTooLong = true;
    this.#whole = undefined;
    this.#events.take();
  }

  /** What it says, and nothing is kept any more; undefined of one that was too long, or not seen. */
  take(): string | undefined {
    const whole = this.#whole;
    this.#whole = undefined;
    const events = this.#events.take();
    const isSeen = whole !== undefined || events.length > 0;
    if (this.#isTooLong || !isSeen) return undefined;
    if (whole === undefined) return textOfStream(events.toString('utf8'));
    return textOfAnswer(parsedAnswer(Buffer.from(whole, 'latin1').toString('utf8')));
  }
}
