// OpenAI's answer as Anthropic's message, whole or as events.
//   https://docs.anthropic.com/en/api/messages (the answer)
//   https://docs.anthropic.com/en/docs/build-with-claude/streaming
//
//   message_start          with the first piece; input_tokens is our estimate until the end
//   content_block_start    a block of text, thoughts or one call of a tool; ping after the first
//   content_block_delta    text_delta, thinking_delta, or input_json_delta in the engine's own pieces
//   content_block_stop     before the next block, and at the end
//   message_delta          stop_reason, and the engine's own counts
//   message_stop
//   error                  instead of the rest
//
// W1  at most one block is open, and blocks are numbered from 0 without gaps.

import { errorBody } from '../../errors/faces.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import type { ChatAnswer, FaceCounts, Finish } from './chat-answer.ts';
import type { FaceWriter, StreamEnd } from './chat-events.ts';
import type { FaceFacts } from './face.ts';
import { jsonText } from './raw-json.ts';

/** What of the request its answer depends on. */
export type MessageFacts = FaceFacts & {
  readonly model: string;
  readonly stopSequences: readonly string[];
  readonly wantsThoughts: boolean;
};

type BlockKind = 'text' | 'thinking' | 'tool_use';

function messageId({ requestId }: FaceFacts): string {
  return `msg_${requestId.replaceAll('-', '')}`;
}

/** The id of a call where the engine gave none; `place` counts the calls of the answer from 0. */
function callId({ requestId }: FaceFacts, place: number): string {
  return `toolu_${requestId.replaceAll('-', '')}_${place}`;
}

/** Anthropic counts what came from a cache beside `input_tokens`, OpenAI inside its prompt. */
function usageOf(counts: FaceCounts): object {
  return {
    input_tokens: counts.prompt - counts.cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: counts.cached,
    output_tokens: counts.completion,
  };
}

function stopOf(finish: Finish, sequence: string | undefined, facts: MessageFacts): object {
  if (finish === 'stop' && sequence !== undefined && facts.stopSequences.includes(sequence)) {
    return { stop_reason: 'stop_sequence', stop_sequence: sequence };
  }
  return { stop_reason: reasonOf(finish), stop_sequence: null };
}

function reasonOf(finish: Finish): string {
  switch (finish) {
    case 'stop':
      return 'end_turn';
    case 'length':
      return 'max_tokens';
    case 'tool_calls':
      return 'tool_use';
    case 'content_filter':
    case 'refusal':
      return 'refusal';
  }
}

function contentOf(answer: ChatAnswer, facts: MessageFacts): readonly object[] {
  const { text, thoughts, calls } = answer;
  const shows = facts.wantsThoughts && thoughts !== '';
  return [
    ...(shows ? [{ type: 'thinking', thinking: thoughts, signature: '' }] : []),
    ...(text === '' ? [] : [{ type: 'text', text }]),
    ...calls.map((call, place) => ({
      type: 'tool_use',
      id: call.id ?? callId(facts, place),
      name: call.name,
      input: call.arguments,
    })),
  ];
}

/** A whole message; where the engine did not count, the prompt is our estimate. */
export function wholeMessage(answer: ChatAnswer, facts: MessageFacts): Buffer {
  const { promptTokens: prompt, model } = facts;
  const text = jsonText({
    id: messageId(facts),
    type: 'message',
    role: 'assistant',
    model,
    content: contentOf(answer, facts),
    ...stopOf(answer.finish, answer.stopSequence, facts),
    usage: usageOf(
      answer.counts ?? { prompt, cached: 0, completion: Buffer.byteLength(answer.text) >> 2 },
    ),
  });
  return Buffer.from(text);
}

function event(type: string, members: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`;
}

export const pingText = event('ping', {});

const typeOfCode: Readonly<Record<string, string>> = {
  invalid_request_error: 'invalid_request_error',
  rate_limit_exceeded: 'rate_limit_error',
  service_unavailable: 'overloaded_error',
};

export class MessageWriter implements FaceWriter {
  readonly #facts: MessageFacts;
  readonly faultWords = undefined;
  #hasBegun = false;
  #open: BlockKind | undefined;
  #blocks = 0;
  #calls = 0;

  constructor(facts: MessageFacts) {
    this.#facts = facts;
  }

  text(text: string): string {
    return this.#piece('text', { type: 'text', text: '' }, { type: 'text_delta', text });
  }

  thought(text: string): string {
    if (!this.#facts.wantsThoughts) return '';
    const block = { type: 'thinking', thinking: '', signature: '' };
    return this.#piece('thinking', block, { type: 'thinking_delta', thinking: text });
  }

  callBegan(id: string | undefined, name: string): string {
    const place = this.#calls++;
    const block = { type: 'tool_use', id: id ?? callId(this.#facts, place), name, input: {} };
    return this.#begin() + this.#close() + this.#openBlock('tool_use', block);
  }

  callPiece(text: string): string {
    return this.#delta({ type: 'input_json_delta', partial_json: text });
  }

  end(end: StreamEnd): string {
    const { promptTokens: prompt } = this.#facts;
    const counts = end.counts ?? { prompt, cached: 0, completion: end.pieces };
    const delta = stopOf(end.finish, end.stopSequence, this.#facts);
    const last = event('message_delta', { delta, usage: usageOf(counts) });
    return this.#begin() + this.#close() + last + event('message_stop', {});
  }

  error(message: string, code: string | undefined): string {
    const type = typeOfCode[code ?? ''] ?? 'api_error';
    return event('error', { error: { type, message } });
  }

  refused(cause: Refusal): string {
    return `event: error\ndata: ${errorBody('anthropic', cause)}\n\n`;
  }

  #begin(): string {
    if (this.#hasBegun) return '';
    this.#hasBegun = true;
    const { promptTokens: prompt, model } = this.#facts;
    return event('message_start', {
      message: {
        id: messageId(this.#facts),
        type: 'message',
        role: 'assistant',
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: usageOf({ prompt, cached: 0, completion: 0 }),
      },
    });
  }

  /** A piece of a block of this kind, which begins when another one is open. */
  #piece(kind: BlockKind, block: object, delta: object): string {
    if (this.#open === kind) return this.#delta(delta);
    return this.#begin() + this.#close() + this.#openBlock(kind, block) + this.#delta(delta);
  }

  #openBlock(kind: BlockKind, block: object): string {
    const index = this.#blocks++;
    this.#open = kind;
    const started = event('content_block_start', { index, content_block: block });
    return index === 0 ? started + pingText : started;
  }

  #delta(delta: object): string {
    return event('content_block_delta', { index: this.#blocks - 1, delta });
  }

  #close(): string {
    if (this.#open === undefined) return '';
    this.#open = undefined;
    return event('content_block_stop', { index: this.#blocks - 1 });
  }
}
