// OpenAI's chat stream, taken apart for the faces: whole events out of any cut of bytes, and what each
// says handed to a writer in order. What all faces share stands here; a writer knows one face.
//
// E1  the writer is told the same, however the bytes were cut.
// E2  pieces of a call come between its beginning and the next call or the end; a backend that mixes
//     two calls is at fault, because no face can tell them apart.
// E3  nothing is written behind the end or a failure.

import type { Refusal } from '../../errors/tensorforge-error.ts';
import { isObject, type JsonObject } from '../openai/member-check.ts';
import { EventReader } from '../translation/event-reader.ts';
import { boundedValue, objectMember, objectsMember, textMember } from '../translation/json-text.ts';
import {
  countsOf,
  endOf,
  type FaceCounts,
  type Finish,
  finishOf,
  stopSequenceOf,
  thoughtsOf,
} from './chat-answer.ts';
import type { FaceStream } from './face.ts';

/** How an answer ended. */
export type StreamEnd = {
  readonly finish: Finish;
  readonly stopSequence: string | undefined;
  /** Undefined where the backend did not count. */
  readonly counts: FaceCounts | undefined;
  /** Events with content: at least as many tokens were generated. */
  readonly pieces: number;
};

/** Writes the events of one face. Each gives the text that goes out. */
export interface FaceWriter {
  text(text: string, nowMs: number): string;
  thought(text: string, nowMs: number): string;
  callBegan(id: string | undefined, name: string, nowMs: number): string;
  callPiece(text: string, nowMs: number): string;
  end(end: StreamEnd, nowMs: number): string;
  error(message: string, code: string | undefined): string;
  refused(cause: Refusal): string;
  /** Set when what was written makes no sense in this face. */
  readonly faultWords: string | undefined;
}

const doneData = Buffer.from('[DONE]');
const none = Buffer.alloc(0);

export class ChatEvents implements FaceStream {
  readonly #writer: FaceWriter;
  readonly #reader: EventReader;
  #out = '';
  #isOver = false;
  #faultWords: string | undefined;
  #finish: Finish | undefined;
  #stopSequence: string | undefined;
  #counts: FaceCounts | undefined;
  #pieces = 0;
  /** The places of calls as the backend numbers them, in the order of their beginning. */
  readonly #calls: unknown[] = [];

  constructor(writer: FaceWriter, eventBytesMax: number) {
    this.#writer = writer;
    this.#reader = new EventReader(eventBytesMax);
  }

  get faultWords(): string | undefined {
    return this.#faultWords;
  }

  push(chunk: Buffer, nowMs: number): Buffer {
    this.#takeAll(this.#reader.push(chunk), nowMs);
    return this.#take();
  }

  end(nowMs: number): Buffer {
    this.#takeAll(this.#reader.end(), nowMs);
    if (this.#faultWords === undefined) this.#finished(nowMs);
    return this.#take();
  }

  fail(cause: Refusal): Buffer {
    if (this.#isOver) return none;
    this.#isOver = true;
    return Buffer.from(this.#writer.refused(cause));
  }

  #take(): Buffer {
    if (this.#out === '') return none;
    const bytes = Buffer.from(this.#out);
    this.#out = '';
    return bytes;
  }

  #takeAll(found: readonly Buffer[], nowMs: number): void {
    for (const data of found) {
      if (this.#isOver || this.#faultWords !== undefined) return;
      this.#faultWords = this.#event(data, nowMs) ?? this.#writer.faultWords;
    }
    if (this.#reader.isTooLong && !this.#isOver) {
      this.#faultWords ??= 'The backend sent an event larger than its limit.';
    }
  }

  #event(data: Buffer, nowMs: number): string | undefined {
    if (data.equals(doneData)) {
      this.#finished(nowMs);
      return this.#writer.faultWords;
    }
    const event = boundedValue(data);
    if (!isObject(event)) return 'The backend sent an event that is no JSON object.';
    const error = event['error'];
    if (error !== undefined && error !== null) {
      this.#failed(error);
      return undefined;
    }
    this.#counts = countsOf(event) ?? this.#counts;
    const choice = objectsMember(event, 'choices')[0];
    return choice === undefined ? undefined : this.#choice(choice, nowMs);
  }

  #failed(error: unknown): void {
    const members = isObject(error) ? error : {};
    const message = textMember(members, 'message') ?? 'The backend ended its stream with an error.';
    this.#out += this.#writer.error(message.slice(0, 4096), textMember(members, 'code'));
    this.#isOver = true;
  }

  #choice(choice: JsonObject, nowMs: number): string | undefined {
    const delta = objectMember(choice, 'delta') ?? {};
    this.#say(thoughtsOf(delta), (text) => this.#writer.thought(text, nowMs));
    this.#say(textMember(delta, 'content'), (text) => this.#writer.text(text, nowMs));
    const declined = textMember(delta, 'refusal');
    this.#say(declined, (text) => this.#writer.text(text, nowMs));
    for (const piece of objectsMember(delta, 'tool_calls')) {
      const fault = this.#callPiece(piece, nowMs);
      if (fault !== undefined) return fault;
    }
    const reason = choice['finish_reason'];
    if (typeof reason === 'string') this.#finish ??= finishOf(reason);
    if (declined !== undefined) this.#finish = 'refusal';
    this.#stopSequence ??= stopSequenceOf(choice);
    return undefined;
  }

  #say(text: string | undefined, write: (text: string) => string): void {
    if (text === undefined || text === '') return;
    this.#pieces += 1;
    this.#out += write(text);
  }

  #callPiece(piece: JsonObject, nowMs: number): string | undefined {
    const made = objectMember(piece, 'function') ?? {};
    const id = textMember(piece, 'id');
    // An engine that does not number its calls names each of them once.
    const place = piece['index'] ?? (id === undefined ? this.#calls.at(-1) : `id ${id}`);
    if (!this.#calls.includes(place)) {
      const name = textMember(made, 'name');
      if (name === undefined) return 'The backend called a tool without a name.';
      this.#calls.push(place);
      this.#out += this.#writer.callBegan(id, name, nowMs);
    } else if (place !== this.#calls.at(-1)) {
      return 'The backend mixed the pieces of two calls of tools.';
    }
    this.#say(textMember(made, 'arguments'), (text) => this.#writer.callPiece(text, nowMs));
    return undefined;
  }

  #finished(nowMs: number): void {
    if (this.#isOver) return;
    const end: StreamEnd = {
      finish: endOf(this.#finish ?? 'stop', this.#calls.length),
      stopSequence: this.#stopSequence,
      counts: this.#counts,
      pieces: this.#pieces,
    };
    const text = this.#writer.end(end, nowMs);
    if (this.#writer.faultWords !== undefined) return;
    this.#isOver = true;
    this.#out += text;
  }
}
