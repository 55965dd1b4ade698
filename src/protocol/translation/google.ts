// Google's Gemini API behind OpenAI's chat interface.

import { googleAnswer } from './google-answer.ts';
import { googleRequest } from './google-request.ts';
import { GoogleEvents } from './google-stream.ts';
import { namesBadKey, providerError } from './provider-error.ts';
import { TranslatedStream } from './translated-stream.ts';
import type { Translation } from './translation.ts';

export const google: Translation = {
  request: googleRequest,
  answer: googleAnswer,
  // A key that Google rejects is our fault, not the client's, though Google calls it a bad request.
  statusOf: (status, body) => (status === 400 && namesBadKey(body) ? 401 : status),
  error: providerError,
  stream: (model, eventBytesMax, facts) =>
    new TranslatedStream(new GoogleEvents(facts), eventBytesMax, model, facts),
};
