// The small HTTP client that asks backends how they are. It trusts nobody: one deadline over
// everything, a capped body, no redirects, no decompression, no proxy from the environment, no
// cookies, addresses judged after resolution, and words of its own for every failure.
//
// Each exchange has a connection of its own, closed after it. A probe that reuses a kept connection
// says little about the listener, and fails at random when the peer just closed it.
//
// A 2xx answer whose JSON cannot be read is reported as `json: undefined`, since the server is alive
// and only its list is unreadable; HTML is a failure, since something else listens there.

import { isIP } from 'node:net';
import { Client, type Dispatcher } from 'undici';
import { checkedLookup, type MayContact, type Resolve, resolveBySystem } from './checked-lookup.ts';
import {
  failed,
  failureOf,
  invalidResponse,
  type ProbeFailure,
  timedOut,
  UnsafeAddress,
} from './probe-failure.ts';
import { retryAfterSeconds } from './retry-after.ts';

export const probeBodyBytesMax = 4 * 1024 * 1024;
const headBytesMax = 32 * 1024;

type Reply = {
  readonly ok: true;
  readonly status: number;
  /** From the request's start to the end of the body. */
  readonly latencyMs: number;
  /** What Retry-After asks for, whole seconds; of 429 and 503 only. */
  readonly retryAfterS: number | undefined;
};

export type ProbeReply = Reply & {
  /** The parsed body; undefined when there is none or it is not JSON. */
  readonly json: unknown;
};

/** Without blanks around it. */
type TextReply = Reply & { readonly text: string };

export type ProbeAnswer = ProbeReply | ProbeFailure;
export type TextAnswer = TextReply | ProbeFailure;

export type ProbeHeaders = Readonly<Record<string, string>>;

/** Exchanges that share one deadline: the probe of one backend. */
export interface ProbeSession {
  /** `path` begins with a slash and is appended to the base URL. */
  get(path: string, headers?: ProbeHeaders): Promise<ProbeAnswer>;
  /** For what is not JSON, such as metrics; under the same caps. */
  getText(path: string, headers?: ProbeHeaders): Promise<TextAnswer>;
  post(path: string, body: unknown, headers?: ProbeHeaders): Promise<ProbeAnswer>;
  /** What is left until the deadline, ms, 0 when it has passed. */
  remainingMs(): number;
}

export interface ProbeClient {
  /** `baseUrl` is canonical. `signal` ends all exchanges of the session early. */
  session(baseUrl: string, timeoutMs: number, signal?: AbortSignal): ProbeSession;
}

export type ProbeClientOptions = {
  /** A monotonic clock, ms. */
  readonly monotonicMs: () => number;
  readonly mayContact: MayContact;
  readonly resolve?: Resolve;
  /** PEM certificates to trust instead of the public ones; for a private authority. */
  readonly ca?: string;
};

type Exchange = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: ProbeHeaders;
  readonly body: string | null;
  readonly accept: string;
};

const jsonType = 'application/json';

export function createProbeClient(options: ProbeClientOptions): ProbeClient {
  const lookup = checkedLookup(options.resolve ?? resolveBySystem, options.mayContact);
  return {
    session(baseUrl, timeoutMs, signal) {
      const base = new URL(baseUrl);
      const rootPath = base.pathname.replace(/\/+$/, '');
      const deadline = options.monotonicMs() + timeoutMs;
      const remainingMs = (): number => Math.max(0, Math.floor(deadline - options.monotonicMs()));

      const isStopped = (): boolean => signal?.aborted === true;

      const exchange = async (asked: Exchange): Promise<TextAnswer> => {
        const startedAt = options.monotonicMs();
        const leftMs = remainingMs();
        if (isStopped()) return failed('stopped', 'probe stopped');
        if (leftMs === 0) return timedOut(timeoutMs);
        const timer = new AbortController();
        const timeout = setTimeout(() => timer.abort(), leftMs);
        const ending =
          signal === undefined ? timer.signal : AbortSignal.any([timer.signal, signal]);
        const client = new Client(base.origin, {
          pipelining: 1,
          maxHeaderSize: headBytesMax,
          headersTimeout: 0,
          bodyTimeout: 0,
          // HTTP/2 has parsers and limits of its own, which nothing here has examined.
          allowH2: false,
          connect: {
            lookup,
            timeout: 0,
            ...(options.ca === undefined ? {} : { ca: options.ca }),
          },
        });
        try {
          judgeLiteral(base.hostname, options.mayContact);
          const response = await client.request({
            method: asked.method,
            path: rootPath + asked.path,
            headers: {
              accept: asked.accept,
              'accept-encoding': 'identity',
              ...asked.headers,
            },
            body: asked.body,
            reset: true,
            signal: ending,
          });
          return await readAnswer(response, () => options.monotonicMs() - startedAt);
        } catch (error) {
          if (isStopped()) return failed('stopped', 'probe stopped');
          return timer.signal.aborted ? timedOut(timeoutMs) : failureOf(error);
        } finally {
          clearTimeout(timeout);
          await client.destroy();
        }
      };

      return {
        remainingMs,
        get: async (path, headers = {}) =>
          parsed(await exchange({ method: 'GET', path, headers, body: null, accept: jsonType })),
        getText: (path, headers = {}) =>
          exchange({ method: 'GET', path, headers, body: null, accept: 'text/plain' }),
        post: async (path, body, headers = {}) =>
          parsed(
            await exchange({
              method: 'POST',
              path,
              headers: { 'content-type': jsonType, ...headers },
              body: JSON.stringify(body),
              accept: jsonType,
            }),
          ),
      };
    },
  };
}

/** Addresses written out are never looked up, so they are judged here. */
function judgeLiteral(hostname: string, mayContact: MayContact): void {
  const address = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  if (isIP(address) !== 0 && !mayContact(address)) {
    throw new UnsafeAddress('the address is never contacted');
  }
}

function headerText(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value.join(',') : (value ?? '')).trim();
}

async function readAnswer(
  response: Dispatcher.ResponseData,
  elapsed: () => number,
): Promise<TextAnswer> {
  const { statusCode: status, headers, body } = response;
  const refuse = (failure: ProbeFailure): ProbeFailure => {
    // The connection is destroyed next; nobody is left to hear of the unread rest.
    body.on('error', () => undefined).destroy();
    return failure;
  };
  if (status >= 300 && status < 400) return refuse(invalidResponse('redirect'));
  const encoding = headerText(headers['content-encoding']).toLowerCase();
  if (encoding !== '' && encoding !== 'identity') return refuse(invalidResponse('compressed'));
  if (Number(headerText(headers['content-length'])) > probeBodyBytesMax) {
    return refuse(invalidResponse('too large'));
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const piece: Buffer = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes > probeBodyBytesMax) return refuse(invalidResponse('too large'));
    chunks.push(piece);
  }
  const text = Buffer.concat(chunks).toString('utf8').trim();
  const isSuccess = status >= 200 && status < 300;
  const type = headerText(headers['content-type']).toLowerCase();
  if (isSuccess && (type.startsWith('text/html') || text[0] === '<')) {
    return invalidResponse('HTML');
  }
  const mayWait = status === 429 || status === 503;
  const [retryAfter, date] = [headers['retry-after'], headers['date']].map(headerText);
  return {
    ok: true,
    status,
    text,
    latencyMs: elapsed(),
    retryAfterS: mayWait ? retryAfterSeconds(retryAfter ?? '', date ?? '') : undefined,
  };
}

function parsed(answer: TextAnswer): ProbeAnswer {
  if (!answer.ok) return answer;
  const { text, ...reply } = answer;
  return { ...reply, json: parseJson(text) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the caller decides what an unreadable answer of a live server means.
    return undefined;
  }
}
