// A streamed answer on its way from a provider's events to OpenAI's. What all providers share stands
// here: whole events out of any cut of bytes, each one JSON object, and an end when one is not.

import { isObject, type JsonObject } from '../openai/member-check.ts';
import { doneEvent } from '../openai/sse.ts';
import type { UsageReport } from '../openai/usage.ts';
import { ChunkWriter } from './chat-completion.ts';
import { EventReader } from './event-reader.ts';
import { boundedValue } from './json-text.ts';
import type { AnswerFacts, StreamTranslator } from './translation.ts';

/** What is particular to one provider. */
export interface ProviderEvents {
  /** Writes what `event` says; words when it makes no sense. */
  take(event: JsonObject, out: ChunkWriter): string | undefined;
  /** The provider has ended its stream in order. */
  end(out: ChunkWriter): void;
  usage(): UsageReport;
}

const doneText = doneEvent.slice('data: '.length).trimEnd();

export class TranslatedStream implements StreamTranslator {
  readonly #events: ProviderEvents;
  readonly #reader: EventReader;
  readonly #out: ChunkWriter;
  #faultWords: string | undefined;

  constructor(events: ProviderEvents, eventBytesMax: number, model: string, facts: AnswerFacts) {
    this.#events = events;
    this.#reader = new EventReader(eventBytesMax);
    this.#out = new ChunkWriter(model, facts);
  }

  get faultWords(): string | undefined {
    return this.#faultWords;
  }

  usage(): UsageReport {
    return this.#events.usage();
  }

  push(chunk: Buffer): Buffer {
    this.#takeAll(this.#reader.push(chunk));
    return this.#out.take();
  }

  end(): Buffer {
    this.#takeAll(this.#reader.end());
    if (this.#faultWords === undefined) this.#events.end(this.#out);
    return this.#out.take();
  }

  #takeAll(found: readonly Buffer[]): void {
    for (const data of found) {
      if (this.#faultWords !== undefined || this.#out.isOver) return;
      this.#faultWords = this.#take(data);
    }
    if (this.#faultWords === undefined && !this.#out.isOver && this.#reader.isTooLong) {
      this.#faultWords = 'The backend sent an event larger than its limit.';
    }
  }

  #take(data: Buffer): string | undefined {
    const event = boundedValue(data);
    if (isObject(event)) return this.#events.take(event, this.#out);
    // Some gateways in front of a provider add OpenAI's own end mark.
    if (data.equals(doneBytes)) return undefined;
    return 'The backend sent an event that is no JSON object.';
  }
}

const doneBytes = Buffer.from(doneText);
