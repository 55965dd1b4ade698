// OpenAI's forms of an answer: the whole `chat.completion`, and the events of a stream.
// Shapes: https://platform.openai.com/docs/api-reference/chat/object and .../chat/streaming

import { doneEvent } from '../openai/sse.ts';
import { plausibleTokensMax, readUsage, type UsageReport } from '../openai/usage.ts';
import type { AnswerFacts } from './translation.ts';

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

export type ToolCall = {
  readonly id: string;
  readonly name: string;
  /** JSON text of one object. */
  readonly arguments: string;
  /** Goes where Google's own OpenAI interface has it, so that a client sends it back. */
  readonly signature?: string | undefined;
};

export type TokenCounts = {
  /** All of the prompt, what came from a cache included. */
  readonly prompt: number;
  /** All that was generated, thoughts included. */
  readonly completion: number;
  readonly cached: number;
  /** Undefined where the provider does not tell them apart. */
  readonly reasoning: number | undefined;
};

/** A count of tokens as a provider tells it; 0 where it is absent or no plausible count. */
export function tokenCount(value: unknown): number {
  const isCount = typeof value === 'number' && Number.isInteger(value) && value >= 0;
  return isCount ? Math.min(value, plausibleTokensMax + 1) : 0;
}

function usageValue(counts: TokenCounts): object {
  return {
    prompt_tokens: counts.prompt,
    completion_tokens: counts.completion,
    total_tokens: counts.prompt + counts.completion,
    prompt_tokens_details: { cached_tokens: counts.cached },
    ...(counts.reasoning === undefined
      ? {}
      : { completion_tokens_details: { reasoning_tokens: counts.reasoning } }),
  };
}

/** The counts as the gateway settles them. */
export function usageReport(counts: TokenCounts | undefined): UsageReport {
  return readUsage(counts === undefined ? undefined : usageValue(counts));
}

function signed(call: ToolCall): object {
  return call.signature === undefined
    ? {}
    : { extra_content: { google: { thought_signature: call.signature } } };
}

/** `chatcmpl-` and the id of the provider, or that of the request. */
export function completionId(providerId: string | undefined, facts: AnswerFacts): string {
  return `chatcmpl-${providerId ?? facts.requestId}`;
}

type WholeAnswer = {
  readonly id: string | undefined;
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly finish: FinishReason;
  readonly counts: TokenCounts | undefined;
};

export function chatCompletion(answer: WholeAnswer, model: string, facts: AnswerFacts): Buffer {
  const { calls, text, counts } = answer;
  const toolCalls = calls.map((call) => ({
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: call.arguments },
    ...signed(call),
  }));
  const message = {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: null,
    ...(calls.length > 0 ? { tool_calls: toolCalls } : {}),
  };
  const completion = {
    id: completionId(answer.id, facts),
    object: 'chat.completion',
    created: facts.createdSeconds,
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: answer.finish }],
    ...(counts === undefined ? {} : { usage: usageValue(counts) }),
  };
  return Buffer.from(JSON.stringify(completion));
}

const none = Buffer.alloc(0);

/**
 * Writes the events of one answer. The role comes with the first of them, whatever it is; nothing
 * follows an error or the end mark.
 */
export class ChunkWriter {
  readonly #model: string;
  readonly #facts: AnswerFacts;
  #head: string | undefined;
  #tail: string;
  #text = '';
  #calls = 0;
  #isOver = false;

  constructor(model: string, facts: AnswerFacts) {
    this.#model = model;
    this.#facts = facts;
    this.#tail = facts.includeUsage ? ',"usage":null}\n\n' : '}\n\n';
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** How many calls of tools have begun. */
  get calls(): number {
    return this.#calls;
  }

  /** Names the answer; only the first call counts. */
  begin(providerId: string | undefined): void {
    if (this.#head !== undefined) return;
    const facts = {
      id: completionId(providerId, this.#facts),
      object: 'chat.completion.chunk',
      created: this.#facts.createdSeconds,
      model: this.#model,
    };
    this.#head = `data: ${JSON.stringify(facts).slice(0, -1)}`;
    this.#delta({ role: 'assistant', content: '' });
  }

  text(content: string): void {
    if (content !== '') this.#delta({ content });
  }

  /** Begins a call and gives its place; its arguments may follow in pieces. */
  call(call: ToolCall): number {
    const index = this.#calls++;
    const { id, name } = call;
    const begun = { index, id, type: 'function', function: { name, arguments: call.arguments } };
    this.#delta({ tool_calls: [{ ...begun, ...signed(call) }] });
    return index;
  }

  callArguments(index: number, text: string): void {
    this.#delta({ tool_calls: [{ index, function: { arguments: text } }] });
  }

  finish(reason: FinishReason): void {
    this.#delta({}, `"${reason}"`);
  }

  /** The usage, if the client asked for it, and the end mark. */
  done(counts: TokenCounts | undefined): void {
    if (this.#isOver) return;
    if (this.#facts.includeUsage && counts !== undefined) {
      this.begin(undefined);
      const usage = JSON.stringify(usageValue(counts));
      this.#text += `${this.#head},"choices":[],"usage":${usage}}\n\n`;
    }
    this.#text += doneEvent;
    this.#isOver = true;
  }

  /** An error of the provider, an OpenAI envelope; the stream is at its end. */
  error(envelope: Buffer): void {
    if (this.#isOver) return;
    this.#text += `data: ${envelope.toString('utf8')}\n\n`;
    this.#isOver = true;
  }

  /** What was written since the last time. */
  take(): Buffer {
    if (this.#text === '') return none;
    const bytes = Buffer.from(this.#text);
    this.#text = '';
    return bytes;
  }

  #delta(delta: object, finishReason = 'null'): void {
    if (this.#isOver) return;
    this.begin(undefined);
    const choice = `{"index":0,"delta":${JSON.stringify(delta)},"logprobs":null,"finish_reason":${finishReason}}`;
    this.#text += `${this.#head},"choices":[${choice}]${this.#tail}`;
  }
}
