// Anthropic's Messages API behind OpenAI's chat interface.

import { anthropicAnswer } from './anthropic-answer.ts';
import { anthropicRequest } from './anthropic-request.ts';
import { AnthropicEvents } from './anthropic-stream.ts';
import { providerError } from './provider-error.ts';
import { TranslatedStream } from './translated-stream.ts';
import type { Translation } from './translation.ts';

/** Anthropic's own status for an API that has too much to do. */
const overloadedStatus = 529;

export const anthropic: Translation = {
  request: anthropicRequest,
  answer: anthropicAnswer,
  statusOf: (status) => (status === overloadedStatus ? 503 : status),
  error: providerError,
  stream: (model, eventBytesMax, facts) =>
    new TranslatedStream(new AnthropicEvents(), eventBytesMax, model, facts),
};
