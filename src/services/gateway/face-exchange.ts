// One request of a client that speaks another interface than OpenAI's, as the pipeline sees it: its
// body becomes OpenAI's before anything looks at it, and what goes out becomes the client's at the
// last moment. Requests of OpenAI's interface have none of this.
//
// X1  the pipeline before `push`, `answer` and `fail` sees OpenAI's interface only.
// X2  nothing goes out behind the end of a stream.

import { err, ok, type Result } from '../../base/result.ts';
import { type RoutingSnapshot, resolveModel } from '../../core/routing/snapshot.ts';
import type { Face } from '../../errors/faces.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type { KeyRecord } from '../../io/credentials/key-table.ts';
import type { ClientFace, FaceCall, FaceFacts, FaceStream } from '../../protocol/faces/face.ts';
import { passedErrorBody } from '../../protocol/faces/passed-error.ts';
import type { JsonLimits } from '../../protocol/openai/json-scan.ts';
import { mayUseModel } from './model-list.ts';
import { ollamaName } from './ollama-list.ts';

const none = Buffer.alloc(0);
/** Of an answer that never began. */
const noFacts: FaceFacts = { requestId: '', promptTokens: 0, startedMs: 0 };

/** The most context that any backend gives this model; undefined when none lists it. */
function contextOf(snapshot: RoutingSnapshot, model: string): number | undefined {
  const offers = snapshot.byModel.get(resolveModel(snapshot, model));
  if (offers === undefined) return undefined;
  return Math.max(...offers.map(({ model }) => model.contextLength));
}

export class FaceExchange {
  readonly #face: ClientFace;
  /** The client's path, by which the request is known. */
  readonly path: string;
  #call: FaceCall | undefined;
  #facts: FaceFacts | undefined;
  #stream: FaceStream | undefined;
  #faultWords: string | undefined;

  constructor(face: ClientFace, path: string) {
    this.#face = face;
    this.path = path;
  }

  get errors(): Face {
    return this.#face.errors;
  }

  /** What a stream says while its request waits; empty where the interface has no word for it. */
  get pingText(): string {
    return this.#face.pingText;
  }

  /** What the head of an answer says of it, flat; Anthropic's clients have a header for the id. */
  headersOf(isStream: boolean, requestId: string): readonly string[] {
    const type = ['content-type', isStream ? this.#face.streamType : 'application/json'];
    return this.#face.errors === 'anthropic' ? [...type, 'request-id', requestId] : type;
  }

  /** Why nothing more of this answer may go out. */
  get faultWords(): string | undefined {
    return this.#faultWords ?? this.#stream?.faultWords;
  }

  /** The client's body as OpenAI's. */
  read(
    body: Buffer,
    limits: JsonLimits,
    snapshot: RoutingSnapshot,
    key: KeyRecord,
  ): Result<Buffer, Refusal> {
    const call = this.#face.request(body, limits, (model) => ollamaName(snapshot, model));
    if (!call.ok) return call;
    this.#call = call.value;
    const { model, contextTokens } = call.value;
    const most = mayUseModel(key, model) ? contextOf(snapshot, model) : undefined;
    if (contextTokens !== undefined && most !== undefined && contextTokens > most) {
      const words = `options.num_ctx is ${contextTokens}, the backends of this model have ${most}. Send at most that, or leave it out.`;
      return err(refusal('field_not_allowed', words, { param: 'options.num_ctx' }));
    }
    return ok(call.value.body);
  }

  /** An answer of a backend begins; whatever one before it left is forgotten. */
  begin(isStream: boolean, facts: FaceFacts, eventBytesMax: number): void {
    this.#facts = facts;
    this.#stream = isStream ? this.#call?.stream(facts, eventBytesMax) : undefined;
    this.#faultWords =
      isStream === this.#call?.isStream
        ? undefined
        : `The backend answered ${isStream ? 'with a stream that nobody asked for' : 'without the stream that it was asked for'}.`;
  }

  /** OpenAI's events as the client's; empty when none is ready. */
  push(bytes: Buffer, nowMs: number): Buffer {
    return this.#stream?.push(bytes, nowMs) ?? none;
  }

  /** What is left when the backend has ended its stream in order. */
  end(nowMs: number): Buffer {
    return this.#stream?.end(nowMs) ?? none;
  }

  /** OpenAI's whole answer, one character a byte, as the client's; words when it is none. */
  answer(text: string, nowMs: number): Result<Buffer, string> {
    if (this.#faultWords !== undefined) return err(this.#faultWords);
    if (this.#call === undefined || this.#facts === undefined) return err('There is no answer.');
    return this.#call.answer(Buffer.from(text, 'latin1'), this.#facts, nowMs);
  }

  /** The end of a stream that failed, before its answer or within it; empty when it has ended already. */
  fail(cause: Refusal): Buffer {
    const stream = this.#stream ?? this.#call?.stream(noFacts, 0);
    return stream?.fail(cause) ?? none;
  }

  /** A backend's own refusal in the client's envelope. */
  passedError(status: number, body: Buffer): Buffer {
    return Buffer.from(passedErrorBody(this.#face.errors, status, body));
  }
}
