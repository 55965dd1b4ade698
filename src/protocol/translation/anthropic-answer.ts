// Anthropic's message as OpenAI's completion.
//   https://docs.anthropic.com/en/api/messages (the answer)
// What the model thought is left out: OpenAI's interface has no place for it. Anthropic counts what
// came from a cache beside `input_tokens`, OpenAI inside `prompt_tokens`.

import { err, ok, type Result } from '../../base/result.ts';
import type { JsonObject } from '../openai/member-check.ts';
import {
  chatCompletion,
  type FinishReason,
  type TokenCounts,
  type ToolCall,
  tokenCount,
} from './chat-completion.ts';
import { boundedObject, objectMember, objectsMember, textMember } from './json-text.ts';
import type { AnswerFacts } from './translation.ts';

/** A reason that came later than this table ends an answer as an ordinary one. */
export function anthropicFinish(reason: unknown): FinishReason {
  switch (reason) {
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length';
    case 'tool_use':
      return 'tool_calls';
    case 'refusal':
      return 'content_filter';
    default:
      return 'stop';
  }
}

/** The counts of a `usage`; a later one of a stream replaces what it names of `before`. */
export function anthropicCounts(usage: JsonObject, before?: TokenCounts): TokenCounts {
  const named = (name: string): boolean => typeof usage[name] === 'number';
  const cached = named('cache_read_input_tokens')
    ? tokenCount(usage['cache_read_input_tokens'])
    : (before?.cached ?? 0);
  const created = tokenCount(usage['cache_creation_input_tokens']);
  const prompt = named('input_tokens')
    ? tokenCount(usage['input_tokens']) + created + cached
    : (before?.prompt ?? 0);
  const completion = named('output_tokens')
    ? tokenCount(usage['output_tokens'])
    : (before?.completion ?? 0);
  return { prompt, completion, cached, reasoning: undefined };
}

function callOf(block: JsonObject): ToolCall | undefined {
  const id = textMember(block, 'id');
  const name = textMember(block, 'name');
  if (id === undefined || name === undefined) return undefined;
  return { id, name, arguments: JSON.stringify(objectMember(block, 'input') ?? {}) };
}

/** Words when the bytes are no message of Anthropic's. */
export function anthropicAnswer(
  bytes: Buffer,
  model: string,
  facts: AnswerFacts,
): Result<Buffer, string> {
  const message = boundedObject(bytes);
  if (message?.['type'] !== 'message' || !Array.isArray(message['content'])) {
    return err('The backend answered with something that is no message.');
  }
  const blocks = objectsMember(message, 'content');
  const calls = blocks.filter((block) => block['type'] === 'tool_use').map(callOf);
  const known = calls.filter((call) => call !== undefined);
  if (known.length < calls.length) return err('The backend called a tool without id or name.');
  const texts = blocks.map((block) => (block['type'] === 'text' ? textMember(block, 'text') : ''));
  const usage = objectMember(message, 'usage');
  const answer = {
    id: textMember(message, 'id'),
    text: texts.join(''),
    calls: known,
    finish: anthropicFinish(message['stop_reason']),
    counts: usage === undefined ? undefined : anthropicCounts(usage),
  };
  return ok(chatCompletion(answer, model, facts));
}
