// OpenAI's whole chat answer, taken apart for the faces.

import { err, ok, type Result } from '../../base/result.ts';
import { isObject, type JsonObject } from '../openai/member-check.ts';
import { readUsage } from '../openai/usage.ts';
import { tokenCount } from '../translation/chat-completion.ts';
import { objectMember, objectsMember, textMember } from '../translation/json-text.ts';
import { objectText, type RawJson } from './raw-json.ts';

export type FaceCounts = {
  /** All of the prompt, what came from a cache included. */
  readonly prompt: number;
  readonly cached: number;
  readonly completion: number;
};

type AnsweredCall = {
  /** Undefined where the engine gave none. */
  readonly id: string | undefined;
  readonly name: string;
  /** One JSON object in the engine's own words. */
  readonly arguments: RawJson;
};

/** Why an answer ended: OpenAI's words, and `refusal` where the model declined. */
export type Finish = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'refusal';

export type ChatAnswer = {
  readonly text: string;
  /** What the model thought before it spoke; empty text where the engine does not tell. */
  readonly thoughts: string;
  readonly calls: readonly AnsweredCall[];
  readonly finish: Finish;
  /** The stop sequence that ended it, where the engine tells which. */
  readonly stopSequence: string | undefined;
  readonly counts: FaceCounts | undefined;
};

/** A reason that came later than this list ends an answer as an ordinary one. */
export function finishOf(reason: unknown): Finish {
  switch (reason) {
    case 'length':
    case 'content_filter':
      return reason;
    case 'tool_calls':
    case 'function_call':
      return 'tool_calls';
    default:
      return 'stop';
  }
}

/** vLLM calls it `stop_reason`, SGLang `matched_stop`; both put a token id where no text matched. */
export function stopSequenceOf(choice: JsonObject): string | undefined {
  return textMember(choice, 'stop_reason') ?? textMember(choice, 'matched_stop');
}

/** Engines have two names for it. */
export function thoughtsOf(message: JsonObject): string {
  return textMember(message, 'reasoning_content') ?? textMember(message, 'reasoning') ?? '';
}

/** Undefined when there are none, or none that can be believed. */
export function countsOf(answer: JsonObject): FaceCounts | undefined {
  const usage = objectMember(answer, 'usage');
  const report = readUsage(usage);
  if (usage === undefined || report.kind !== 'usage') return undefined;
  const details = objectMember(usage, 'prompt_tokens_details') ?? {};
  return {
    prompt: report.promptTokens,
    cached: Math.min(tokenCount(details['cached_tokens']), report.promptTokens),
    completion: report.completionTokens,
  };
}

const badArguments = 'The backend called a tool with arguments that are no JSON object.';

/**
 * The call, or words. One that the output limit cut off has no arguments that anybody could read:
 * it is undefined, and the reason of the end tells of it.
 */
function callOf(value: JsonObject, finish: Finish): Result<AnsweredCall | undefined, string> {
  const made = objectMember(value, 'function') ?? {};
  const name = textMember(made, 'name');
  if (name === undefined) return err('The backend called a tool without a name.');
  const text = typeof made['arguments'] === 'string' ? made['arguments'] : '';
  const parsed = objectText(text.trim() === '' ? '{}' : text);
  if (parsed === undefined) return finish === 'length' ? ok(undefined) : err(badArguments);
  return ok({ id: textMember(value, 'id'), name, arguments: parsed });
}

function callsOf(message: JsonObject, finish: Finish): Result<readonly AnsweredCall[], string> {
  const calls: AnsweredCall[] = [];
  for (const value of objectsMember(message, 'tool_calls')) {
    const call = callOf(value, finish);
    if (!call.ok) return call;
    if (call.value !== undefined) calls.push(call.value);
  }
  return ok(calls);
}

function parsedObject(body: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Words when the bytes are no chat answer. */
export function readChatAnswer(body: Buffer): Result<ChatAnswer, string> {
  const answer = parsedObject(body);
  const choice = answer === undefined ? undefined : objectsMember(answer, 'choices')[0];
  const message = choice === undefined ? undefined : objectMember(choice, 'message');
  if (answer === undefined || choice === undefined || message === undefined) {
    return err('The backend answered with something that is no chat answer.');
  }
  const reason = finishOf(choice['finish_reason']);
  const calls = callsOf(message, reason);
  if (!calls.ok) return calls;
  const refused = textMember(message, 'refusal');
  return ok({
    text: (textMember(message, 'content') ?? '') + (refused ?? ''),
    thoughts: thoughtsOf(message),
    calls: calls.value,
    finish: refused === undefined ? endOf(reason, calls.value.length) : 'refusal',
    stopSequence: stopSequenceOf(choice),
    counts: countsOf(answer),
  });
}

/** Some engines say `stop` when they mean the calls that they have made. */
export function endOf(reason: Finish, calls: number): Finish {
  return reason === 'stop' && calls > 0 ? 'tool_calls' : reason;
}
