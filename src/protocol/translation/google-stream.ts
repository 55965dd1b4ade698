// The events of Google's streams with `alt=sse`: each is a whole response with the next parts in it.
//   https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
// There is no end mark: the stream is complete when a finishReason, or a block of the prompt, came
// before its bytes ended. So the finish, the usage and [DONE] are written at the end.

import type { JsonObject } from '../openai/member-check.ts';
import type { UsageReport } from '../openai/usage.ts';
import {
  type ChunkWriter,
  type FinishReason,
  type TokenCounts,
  usageReport,
} from './chat-completion.ts';
import { callWithId, googleResponse } from './google-answer.ts';
import { objectMember } from './json-text.ts';
import { errorEnvelope } from './provider-error.ts';
import type { ProviderEvents } from './translated-stream.ts';
import type { AnswerFacts } from './translation.ts';

export class GoogleEvents implements ProviderEvents {
  readonly #facts: AnswerFacts;
  #id: string | undefined;
  #finish: FinishReason | undefined;
  #counts: TokenCounts | undefined;

  constructor(facts: AnswerFacts) {
    this.#facts = facts;
  }

  usage(): UsageReport {
    return usageReport(this.#counts);
  }

  take(event: JsonObject, out: ChunkWriter): string | undefined {
    const error = objectMember(event, 'error');
    if (error !== undefined) {
      const { code } = error;
      out.error(errorEnvelope(typeof code === 'number' ? code : 500, error));
      return undefined;
    }
    const response = googleResponse(event);
    if (!response.ok) return response.error;
    const { id, text, calls, finish, counts } = response.value;
    this.#id ??= id;
    this.#counts = counts ?? this.#counts;
    this.#finish = finish ?? this.#finish;
    out.begin(this.#id);
    out.text(text);
    for (const call of calls) out.call(callWithId(call, out.calls, this.#id, this.#facts));
    return undefined;
  }

  end(out: ChunkWriter): void {
    if (this.#finish === undefined) return;
    const isCall = this.#finish === 'stop' && out.calls > 0;
    out.finish(isCall ? 'tool_calls' : this.#finish);
    out.done(this.#counts);
  }
}
