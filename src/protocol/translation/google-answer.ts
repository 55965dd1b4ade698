// Google's candidates as OpenAI's completion.
//   https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
// Only one candidate is ever asked for. Thoughts are left out of the text and counted as reasoning.

import { err, ok, type Result } from '../../base/result.ts';
import type { JsonObject } from '../openai/member-check.ts';
import {
  chatCompletion,
  completionId,
  type FinishReason,
  type TokenCounts,
  type ToolCall,
  tokenCount,
} from './chat-completion.ts';
import { boundedObject, objectMember, objectsMember, textMember } from './json-text.ts';
import type { AnswerFacts } from './translation.ts';

const filtered: ReadonlySet<string> = new Set([
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
]);

/** The model meant to call a tool and did not manage to; there is no answer in it. */
const broken: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MISSING_THOUGHT_SIGNATURE',
]);

/** A reason that came later than this table ends an answer as an ordinary one. */
function finishOf(reason: string): FinishReason {
  if (reason === 'MAX_TOKENS') return 'length';
  return filtered.has(reason) ? 'content_filter' : 'stop';
}

type GoogleParts = { readonly text: string; readonly calls: readonly ToolCall[] };

/** One answer of Google's, a whole one or an event of a stream. */
type GoogleResponse = {
  readonly id: string | undefined;
  readonly text: string;
  /** Their ids are empty where Google gave none. */
  readonly calls: readonly ToolCall[];
  /** Undefined when more follows, or nothing was said. */
  readonly finish: FinishReason | undefined;
  readonly counts: TokenCounts | undefined;
};

/** https://ai.google.dev/api/generate-content#UsageMetadata */
function countsOf(response: JsonObject): TokenCounts | undefined {
  const usage = objectMember(response, 'usageMetadata');
  if (usage === undefined) return undefined;
  const reasoning = tokenCount(usage['thoughtsTokenCount']);
  return {
    prompt: tokenCount(usage['promptTokenCount']) + tokenCount(usage['toolUsePromptTokenCount']),
    completion: tokenCount(usage['candidatesTokenCount']) + reasoning,
    cached: tokenCount(usage['cachedContentTokenCount']),
    reasoning,
  };
}

function callOf(part: JsonObject, call: JsonObject): ToolCall | undefined {
  const name = textMember(call, 'name');
  if (name === undefined) return undefined;
  return {
    id: textMember(call, 'id') ?? '',
    name,
    arguments: JSON.stringify(objectMember(call, 'args') ?? {}),
    signature: textMember(part, 'thoughtSignature'),
  };
}

function partsOf(candidate: JsonObject): Result<GoogleParts, string> {
  let text = '';
  const calls: ToolCall[] = [];
  for (const part of objectsMember(objectMember(candidate, 'content') ?? {}, 'parts')) {
    const called = objectMember(part, 'functionCall');
    if (called !== undefined) {
      const call = callOf(part, called);
      if (call === undefined) return err('The backend called a tool without a name.');
      calls.push(call);
    } else if (part['inlineData'] !== undefined || part['fileData'] !== undefined) {
      return err('The backend answered with media, which a chat answer has no place for.');
    } else if (part['thought'] !== true) {
      text += textMember(part, 'text') ?? '';
    }
  }
  return ok({ text, calls });
}

/** Reads one response; words when no answer can be made of it. */
export function googleResponse(response: JsonObject): Result<GoogleResponse, string> {
  const candidate = objectsMember(response, 'candidates')[0] ?? {};
  const reason = textMember(candidate, 'finishReason');
  if (reason !== undefined && broken.has(reason)) {
    return err('The backend could not complete the call of a tool.');
  }
  const parts = partsOf(candidate);
  if (!parts.ok) return parts;
  const blocked = textMember(objectMember(response, 'promptFeedback') ?? {}, 'blockReason');
  const finish = reason === undefined ? undefined : finishOf(reason);
  return ok({
    ...parts.value,
    id: textMember(response, 'responseId'),
    finish: blocked === undefined ? finish : 'content_filter',
    counts: countsOf(response),
  });
}

/** An id for the call at `place` of an answer in which Google gave it none. */
export function callWithId(
  call: ToolCall,
  place: number,
  id: string | undefined,
  facts: AnswerFacts,
) {
  if (call.id !== '') return call;
  const unique = completionId(id, facts).slice('chatcmpl-'.length);
  return { ...call, id: `call_${unique}_${place}` };
}

/** Words when the bytes are no answer of Google's. */
export function googleAnswer(
  bytes: Buffer,
  model: string,
  facts: AnswerFacts,
): Result<Buffer, string> {
  const whole = boundedObject(bytes);
  const response = whole === undefined ? undefined : googleResponse(whole);
  if (response?.ok === false) return response;
  if (response === undefined || response.value.finish === undefined) {
    return err('The backend answered without a candidate that is complete.');
  }
  const { id, text, counts, finish } = response.value;
  const calls = response.value.calls.map((call, at) => callWithId(call, at, id, facts));
  const isCall = calls.length > 0 && finish === 'stop';
  const answer = { id, text, calls, counts, finish: isCall ? ('tool_calls' as const) : finish };
  return ok(chatCompletion(answer, model, facts));
}
