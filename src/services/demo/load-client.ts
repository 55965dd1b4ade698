// Sends requests as an application would, through the official client, and books what came of each.
//
// The client stops reading at an error event, so its `fetch` is wrapped: the wrapper alone reads the
// response to its end, shows the bytes to a StreamAudit and passes them on. Retries of the client are
// off, because a retry would hide a failure of ours.

import OpenAI from 'openai';
import type { Secret } from '../../base/secret.ts';
import { tokenText } from '../../core/workload/engine/generated-content.ts';
import type { PlannedRequest } from './load-plan.ts';
import type { Outcome, OutcomeKind } from './outcome.ts';
import { StreamAudit, type StreamEnd } from './stream-audit.ts';

/** How many characters the simulated engines put into a token. */
const tokenCharacters = 4;
/** How long the rest of a stream may take after the client library has given up on it, ms. */
const restWithinMs = 10_000;
const requestHeader = 'x-request-id';

type Exchange = {
  readonly stream: boolean;
  readonly startedMs: number;
  readonly audit: StreamAudit;
  headers: Headers | undefined;
  firstContentMs: number | undefined;
  readonly ended: PromiseWithResolvers<StreamEnd>;
};

export type LoadClientOptions = {
  readonly url: string;
  readonly key: Secret;
  readonly model: string;
  readonly seed: number;
  /** Milliseconds on the clock of the load. */
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
};

export class LoadClient {
  readonly outcomes: Outcome[] = [];
  readonly #options: LoadClientOptions;
  readonly #openai: OpenAI;
  readonly #open = new Map<number, Exchange>();

  constructor(options: LoadClientOptions) {
    this.#options = options;
    this.#openai = new OpenAI({
      baseURL: `${options.url}/v1`,
      apiKey: options.key.reveal(),
      maxRetries: 0,
      timeout: 300_000,
      logLevel: 'off',
      fetch: (input, init) => this.#fetch(input, init),
    });
  }

  get inFlight(): number {
    return this.#open.size;
  }

  /** Streams from `backend` that are open and have brought content, by the index of the request. */
  openStreams(backend: string): number[] {
    const found: number[] = [];
    for (const [index, { stream, headers, audit }] of this.#open) {
      const isFrom = headers?.get('x-tensorforge-backend') === backend;
      if (stream && isFrom && audit.contentEvents > 0) found.push(index);
    }
    return found;
  }

  /** Resolves when the request is over, whatever its end; it never rejects. */
  async send(request: PlannedRequest): Promise<void> {
    const { index, stream } = request;
    const exchange: Exchange = {
      stream,
      startedMs: this.#options.nowMs(),
      audit: new StreamAudit(),
      headers: undefined,
      firstContentMs: undefined,
      ended: Promise.withResolvers(),
    };
    this.#open.set(index, exchange);
    const end = stream ? await this.#stream(request, exchange) : await this.#whole(request);
    this.#open.delete(index);
    this.outcomes.push({
      index,
      stream,
      ...end,
      backend: exchange.headers?.get('x-tensorforge-backend') ?? undefined,
      attempts: Number(exchange.headers?.get('x-tensorforge-attempts') ?? 1),
      overheadMs: numberOf(exchange.headers?.get('x-tensorforge-overhead-ms')),
      startedMs: exchange.startedMs,
      firstContentMs: exchange.firstContentMs,
      endedMs: this.#options.nowMs(),
    });
  }

  #body(request: PlannedRequest) {
    // Another text for each request, so that no engine finds it in its prefix cache.
    const digest = Math.imul(this.#options.seed + 1, 0x9e3779b1) + request.index;
    return {
      model: this.#options.model,
      max_tokens: request.outputTokens,
      messages: [{ role: 'user' as const, content: tokenText(digest, 0, request.promptTokens) }],
    };
  }

  #headers(request: PlannedRequest) {
    const headers = { [requestHeader]: `demo-${this.#options.seed}-${request.index}` };
    return { headers, signal: this.#options.signal };
  }

  async #whole(request: PlannedRequest): Promise<{ kind: OutcomeKind; words: string }> {
    try {
      const answer = await this.#openai.chat.completions.create(
        this.#body(request),
        this.#headers(request),
      );
      return lengthVerdict(answer.choices[0]?.message.content?.length ?? 0, request);
    } catch (error) {
      return { kind: 'failed', words: wordsOf(error) };
    }
  }

  async #stream(
    request: PlannedRequest,
    exchange: Exchange,
  ): Promise<{ kind: OutcomeKind; words: string }> {
    let characters = 0;
    let failure: string | undefined;
    try {
      const chunks = await this.#openai.chat.completions.create(
        { ...this.#body(request), stream: true },
        this.#headers(request),
      );
      for await (const chunk of chunks) {
        const content = chunk.choices[0]?.delta.content ?? '';
        if (content !== '') exchange.firstContentMs ??= this.#options.nowMs();
        characters += content.length;
      }
    } catch (error) {
      failure = wordsOf(error);
      if (exchange.firstContentMs === undefined) return { kind: 'failed', words: failure };
    }
    const end = await within(exchange.ended.promise, restWithinMs);
    if (end.kind === 'complete' && failure === undefined) return lengthVerdict(characters, request);
    if (end.kind === 'complete') return { kind: 'broken', words: failure ?? '' };
    return end;
  }

  async #fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const name = new Headers(init?.headers).get(requestHeader) ?? '';
    const exchange = this.#open.get(Number(name.slice(name.lastIndexOf('-') + 1)));
    // The signal of the library is left out: it aborts at an error event, before [DONE] is read.
    const response = await fetch(input, { ...init, signal: this.#options.signal });
    if (exchange === undefined) return response;
    exchange.headers = response.headers;
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (!isStream || response.body === null) return response;
    return new Response(audited(response.body, exchange), {
      status: response.status,
      headers: response.headers,
    });
  }
}

/** Reads `body` to its end whether or not anybody reads the copy that is returned. */
function audited(body: ReadableStream<Uint8Array>, exchange: Exchange): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let isWanted = true;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const pump = async (): Promise<void> => {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          exchange.audit.push(value);
          if (isWanted) controller.enqueue(value);
        }
        exchange.ended.resolve(exchange.audit.end());
        if (isWanted) controller.close();
      };
      pump().catch((error: unknown) => {
        const words = `the connection broke inside the stream: ${wordsOf(error)}`;
        exchange.ended.resolve({ kind: 'broken', words });
        if (isWanted) controller.error(error);
      });
    },
    cancel() {
      isWanted = false;
    },
  });
}

function lengthVerdict(
  characters: number,
  request: PlannedRequest,
): { kind: OutcomeKind; words: string } {
  const wanted = request.outputTokens * tokenCharacters;
  if (characters === wanted) return { kind: 'ok', words: '' };
  return { kind: 'broken', words: `${characters} characters of ${wanted} arrived` };
}

function within(end: Promise<StreamEnd>, limitMs: number): Promise<StreamEnd> {
  const { promise, resolve } = Promise.withResolvers<StreamEnd>();
  const timer = setTimeout(
    () => resolve({ kind: 'broken', words: `still open ${limitMs / 1000} s after its error` }),
    limitMs,
  );
  void end.then(resolve);
  return promise.finally(() => clearTimeout(timer));
}

function numberOf(text: string | null | undefined): number | undefined {
  return text === null || text === undefined ? undefined : Number(text);
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message} (${cause.message})` : error.message;
}
