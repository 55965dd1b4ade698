// What one attempt sends, and how its answer comes back where the backend speaks another interface
// than the client. Where it speaks ours there is no translation, and not a byte is touched.

import { err, ok, type Result } from '../../base/result.ts';
import type { Target } from '../../core/routing/snapshot.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type { RequestKind } from '../../protocol/openai/request-body.ts';
import type {
  AnswerFacts,
  ProviderRequest,
  StreamTranslator,
  Translation,
} from '../../protocol/translation/translation.ts';
import { translationOf } from '../../protocol/translation/translations.ts';
import { type AttemptFailure, failureOfStatus } from './upstream-failure.ts';

/** A whole answer is translated in one piece; no model writes a longer one. */
export const translatedBytesMax = 8 * 1024 * 1024;

/** What is the same for every attempt of a request. */
type ClientCall = {
  readonly kind: RequestKind;
  readonly enginePath: string;
  readonly body: Buffer;
  readonly model: string;
  readonly isStream: boolean;
};

export type AttemptCall = ProviderRequest & {
  readonly translation: AttemptTranslation | undefined;
};

export class AttemptTranslation {
  readonly #translation: Translation;
  readonly #model: string;
  readonly #facts: AnswerFacts;

  constructor(translation: Translation, model: string, facts: AnswerFacts) {
    this.#translation = translation;
    this.#model = model;
    this.#facts = facts;
  }

  stream(eventBytesMax: number): StreamTranslator {
    return this.#translation.stream(this.#model, eventBytesMax, this.#facts);
  }

  /** The bytes of a whole answer, as latin1 in and out. */
  answer(text: string): Result<string, string> {
    const bytes = Buffer.from(text, 'latin1');
    const answer = this.#translation.answer(bytes, this.#model, this.#facts);
    return answer.ok ? ok(answer.value.toString('latin1')) : answer;
  }

  /** An answer that is no success. */
  failure(status: number, body: Buffer, retryAfter: string | undefined): AttemptFailure {
    const known = this.#translation.statusOf(status, body);
    const contentType = 'application/json';
    const envelope = this.#translation.error(known, body);
    return failureOfStatus(known, { contentType, retryAfter, body: envelope });
  }
}

/** What goes to `target`; refused when its provider cannot be asked for this. */
export function attemptCall(
  target: Target,
  call: ClientCall,
  facts: AnswerFacts,
): Result<AttemptCall, Refusal> {
  const translation = translationOf(target.backendType);
  if (translation === undefined) {
    return ok({ path: call.enginePath, body: call.body, translation: undefined });
  }
  if (call.kind !== 'chat') {
    return err(
      refusal('not_implemented', `A backend of type ${target.backendType} takes chat only.`),
    );
  }
  const made = translation.request(call.body, call.model, call.isStream);
  if (!made.ok) return made;
  return ok({ ...made.value, translation: new AttemptTranslation(translation, call.model, facts) });
}
