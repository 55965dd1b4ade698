// A backend's own refusal of a request in the envelope of the client's interface: its status stays, and
// its words where they can be found.

import { anthropicErrorType, type Face } from '../../errors/faces.ts';
import { isObject, type JsonObject } from '../openai/member-check.ts';
import { boundedValue, textMember } from '../translation/json-text.ts';

/** More of a backend's own text is cut. */
const messageCharactersMax = 4096;

/** OpenAI's and most engines' `error.message`, Ollama's `error`, or `message` beside nothing. */
function wordsOf(body: Buffer): string | undefined {
  const value = boundedValue(body);
  if (!isObject(value)) return undefined;
  const inside: JsonObject = isObject(value['error']) ? value['error'] : {};
  return (
    textMember(inside, 'message') ?? textMember(value, 'error') ?? textMember(value, 'message')
  );
}

/** JSON of the refusal on `face`, which is not OpenAI's. */
export function passedErrorBody(face: Face, status: number, body: Buffer): string {
  const words = wordsOf(body) ?? `The backend answered ${status}.`;
  const message = words.slice(0, messageCharactersMax);
  if (face === 'ollama') return JSON.stringify({ error: message });
  return JSON.stringify({ type: 'error', error: { type: anthropicErrorType(status), message } });
}
