// A JSON answer on its way to the client. Up to 256 KiB it is held until it is whole: then a cut
// or something that is no JSON object can still be answered by another backend. A longer one is
// passed on as it comes, and only its last bytes are kept, where engines write the usage.

import { type UsageReport, usageOfJson } from '../../protocol/openai/usage.ts';

const heldBytesMax = 262_144;
/** As far back as usage is looked for. */
const tailBytes = 16_384;

export class JsonAnswer {
  readonly #heldBytesMax: number;
  #texts: string[] = [];
  #bytes = 0;
  #passing = false;
  #tail: Buffer = Buffer.alloc(0);

  constructor(bytesMax: number = heldBytesMax) {
    this.#heldBytesMax = bytesMax;
  }

  /** Is it longer than what is held, so that its bytes go out as they come? */
  get isPassing(): boolean {
    return this.#passing;
  }

  /** Takes the next bytes and gives those that must go out now. */
  push(chunk: Buffer): Buffer | undefined {
    if (this.#passing) {
      const bytes = Buffer.from(chunk);
      this.#keepTail(bytes);
      return bytes;
    }
    // One byte a character: half the memory of a decoded text, and JSON.parse reads it as well.
    this.#texts.push(chunk.toString('latin1'));
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#heldBytesMax) return undefined;
    this.#passing = true;
    const held = Buffer.from(this.whole(), 'latin1');
    this.#texts = [];
    this.#keepTail(held);
    return held;
  }

  #keepTail(bytes: Buffer): void {
    const both = bytes.length >= tailBytes ? bytes : Buffer.concat([this.#tail, bytes]);
    this.#tail = both.subarray(Math.max(0, both.length - tailBytes));
  }

  /** The bytes of an answer that was held, as latin1. */
  whole(): string {
    return this.#texts.length === 1 ? (this.#texts[0] as string) : this.#texts.join('');
  }

  /** Usage of an answer that was passed on as it came. */
  usageOfTail(): UsageReport {
    return usageOfJson(this.#tail);
  }
}

/** The parsed answer; undefined when the text is not one JSON object. */
export function parsedAnswer(text: string): object | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null && !Array.isArray(answer)
      ? answer
      : undefined;
  } catch {
    return undefined;
  }
}

function textBytes(choice: unknown): number {
  if (typeof choice !== 'object' || choice === null) return 0;
  if ('text' in choice && typeof choice.text === 'string') return choice.text.length;
  if (!('message' in choice) || typeof choice.message !== 'object') return 0;
  const content = Reflect.get(choice.message ?? {}, 'content');
  return typeof content === 'string' ? content.length : 0;
}

/** Our own count where the backend's is not believed: a token for each four bytes of the text. */
export function estimatedOutputTokens(answer: object): number {
  const choices: unknown = Reflect.get(answer, 'choices');
  if (!Array.isArray(choices)) return 0;
  return choices.reduce((sum: number, choice: unknown) => sum + textBytes(choice), 0) >> 2;
}
