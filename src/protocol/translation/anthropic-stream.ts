// The events of Anthropic's streams.
//   https://docs.anthropic.com/en/docs/build-with-claude/streaming
//
//   message_start          role
//   content_block_start    a call of a tool begins; its place among the calls is told by order
//   content_block_delta    text_delta: content; input_json_delta: a piece of the arguments
//   content_block_stop     a call without a piece gets the arguments it began with, mostly {}
//   message_delta          finish_reason, and counts, which are sums and replace earlier ones
//   message_stop           usage when wanted, [DONE]
//   error                  an error event, and nothing after it
//
// ping, thoughts, signatures and kinds that come later mean nothing here, as Anthropic asks for.

import type { JsonObject } from '../openai/member-check.ts';
import type { UsageReport } from '../openai/usage.ts';
import { anthropicCounts, anthropicFinish } from './anthropic-answer.ts';
import { type ChunkWriter, type TokenCounts, usageReport } from './chat-completion.ts';
import { objectMember, textMember } from './json-text.ts';
import { errorEnvelope } from './provider-error.ts';
import type { ProviderEvents } from './translated-stream.ts';

type OpenCall = { readonly place: number; readonly input: string; hasArguments: boolean };

/** The HTTP status that an error of this type has outside a stream. */
function statusOfType(type: string | undefined): number {
  if (type === 'invalid_request_error') return 400;
  return type === 'rate_limit_error' ? 429 : 500;
}

export class AnthropicEvents implements ProviderEvents {
  /** Calls whose block is open, by the index of the block. */
  readonly #calls = new Map<unknown, OpenCall>();
  #counts: TokenCounts | undefined;

  usage(): UsageReport {
    return usageReport(this.#counts);
  }

  take(event: JsonObject, out: ChunkWriter): string | undefined {
    switch (event['type']) {
      case 'message_start':
        this.#onStart(objectMember(event, 'message') ?? {}, out);
        return undefined;
      case 'content_block_start':
        return this.#onBlock(event['index'], objectMember(event, 'content_block') ?? {}, out);
      case 'content_block_delta':
        this.#onDelta(event['index'], objectMember(event, 'delta') ?? {}, out);
        return undefined;
      case 'content_block_stop':
        this.#onBlockEnd(event['index'], out);
        return undefined;
      case 'message_delta':
        this.#onMessageDelta(event, out);
        return undefined;
      case 'message_stop':
        out.done(this.#counts);
        return undefined;
      case 'error': {
        const error = objectMember(event, 'error') ?? {};
        out.error(errorEnvelope(statusOfType(textMember(error, 'type')), error));
        return undefined;
      }
      default:
        return undefined;
    }
  }

  /** The end mark has come with `message_stop`, or is missing. */
  end(): void {}

  #onStart(message: JsonObject, out: ChunkWriter): void {
    this.#count(objectMember(message, 'usage'));
    out.begin(textMember(message, 'id'));
  }

  #count(usage: JsonObject | undefined): void {
    if (usage !== undefined) this.#counts = anthropicCounts(usage, this.#counts);
  }

  #onBlock(index: unknown, block: JsonObject, out: ChunkWriter): string | undefined {
    if (block['type'] === 'text') out.text(textMember(block, 'text') ?? '');
    if (block['type'] !== 'tool_use') return undefined;
    const id = textMember(block, 'id');
    const name = textMember(block, 'name');
    if (id === undefined || name === undefined)
      return 'The backend called a tool without id or name.';
    const input = JSON.stringify(objectMember(block, 'input') ?? {});
    this.#calls.set(index, {
      place: out.call({ id, name, arguments: '' }),
      input,
      hasArguments: false,
    });
    return undefined;
  }

  #onDelta(index: unknown, delta: JsonObject, out: ChunkWriter): void {
    if (delta['type'] === 'text_delta') {
      out.text(textMember(delta, 'text') ?? '');
      return;
    }
    const call = this.#calls.get(index);
    const piece = textMember(delta, 'partial_json');
    if (delta['type'] !== 'input_json_delta' || call === undefined || piece === undefined) return;
    call.hasArguments = true;
    out.callArguments(call.place, piece);
  }

  #onBlockEnd(index: unknown, out: ChunkWriter): void {
    const call = this.#calls.get(index);
    if (call === undefined) return;
    this.#calls.delete(index);
    if (!call.hasArguments) out.callArguments(call.place, call.input);
  }

  #onMessageDelta(event: JsonObject, out: ChunkWriter): void {
    this.#count(objectMember(event, 'usage'));
    const reason = textMember(objectMember(event, 'delta') ?? {}, 'stop_reason');
    if (reason !== undefined) out.finish(anthropicFinish(reason));
  }
}
