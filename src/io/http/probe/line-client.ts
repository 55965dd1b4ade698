// An exchange whose answer is a line of JSON at a time, for work that a backend tells the progress of,
// such as fetching a model. It trusts nobody, as the probe client does: the same judged addresses, no
// redirects, no decompression, words of its own; but the whole may last as long as lines come.

import { isIP } from 'node:net';
import { Client, type Dispatcher } from 'undici';
import { checkedLookup, resolveBySystem } from './checked-lookup.ts';
import type { ProbeClientOptions, ProbeHeaders } from './probe-client.ts';
import {
  failed,
  failureOf,
  httpError,
  invalidResponse,
  type ProbeFailure,
  timedOut,
  UnsafeAddress,
} from './probe-failure.ts';

/** A longer line is no progress report. */
const lineBytesMax = 64 * 1024;
/** Ten lines a second for a day. */
const answerBytesMax = 256 * 1024 * 1024;
const headBytesMax = 32 * 1024;

export type LineExchange = {
  readonly baseUrl: string;
  /** Begins with a slash and is appended to the base URL. */
  readonly path: string;
  readonly body: unknown;
  readonly headers: ProbeHeaders;
  /** Longest silence, ms: before the answer and between two pieces of it. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
  /** Each line that is JSON, as it comes. */
  readonly onLine: (json: unknown) => void;
};

/** The answer came to its end with a status of success; or what else happened. */
export type LinesEnd = { readonly ok: true } | (ProbeFailure & { readonly status?: number });

/** Posts and reads lines to the end of the answer; never rejects for what the backend does. */
export type PostForLines = (exchange: LineExchange) => Promise<LinesEnd>;

/** Cuts pieces into lines; answers false once a line is too long. */
class LineCutter {
  readonly #onLine: (json: unknown) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onLine: (json: unknown) => void) {
    this.#onLine = onLine;
  }

  take(piece: Buffer): boolean {
    let from = 0;
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      this.#tell(bytes.subarray(from, end));
      from = end + 1;
    }
    this.#rest = bytes.subarray(from);
    return this.#rest.length <= lineBytesMax;
  }

  end(): void {
    this.#tell(this.#rest);
  }

  #tell(line: Buffer): void {
    const text = line.toString('utf8').trim();
    if (text === '') return;
    try {
      this.#onLine(JSON.parse(text));
    } catch (error) {
      // A line that is no JSON says nothing of progress; what else it may be is not ours to judge.
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
}

function judgeHead({ statusCode, headers }: Dispatcher.ResponseData): LinesEnd {
  if (statusCode >= 300 && statusCode < 400) return invalidResponse('redirect');
  const encoding = String(headers['content-encoding'] ?? '').toLowerCase();
  if (encoding !== '' && encoding !== 'identity') return invalidResponse('compressed');
  if (String(headers['content-type'] ?? '').startsWith('text/html')) return invalidResponse('HTML');
  if (statusCode >= 200 && statusCode < 300) return { ok: true };
  return { ...httpError(statusCode), status: statusCode };
}

async function readLines(
  response: Dispatcher.ResponseData,
  cutter: LineCutter,
  heard: () => void,
): Promise<LinesEnd> {
  const head = judgeHead(response);
  if (!head.ok) {
    response.body.on('error', () => undefined).destroy();
    return head;
  }
  let bytes = 0;
  for await (const piece of response.body) {
    const part: Buffer = Buffer.from(piece);
    heard();
    bytes += part.length;
    if (bytes > answerBytesMax || !cutter.take(part)) return invalidResponse('too large');
  }
  cutter.end();
  return { ok: true };
}

function connectionTo(base: URL, options: ProbeClientOptions): Client {
  const { mayContact, resolve = resolveBySystem, ca } = options;
  const host = base.hostname.replace(/^\[|\]$/g, '');
  // Addresses written out are never looked up, so they are judged here.
  if (isIP(host) !== 0 && !mayContact(host)) {
    throw new UnsafeAddress('the address is never contacted');
  }
  return new Client(base.origin, {
    pipelining: 1,
    maxHeaderSize: headBytesMax,
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    connect: {
      lookup: checkedLookup(resolve, mayContact),
      timeout: 0,
      ...(ca === undefined ? {} : { ca }),
    },
  });
}

export function createLineClient(options: ProbeClientOptions): PostForLines {
  return async (exchange) => {
    const { baseUrl, path, body, headers, silenceMs, signal, onLine } = exchange;
    const base = new URL(baseUrl);
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), silenceMs);
    let client: Client | undefined;
    try {
      client = connectionTo(base, options);
      const response = await client.request({
        method: 'POST',
        path: base.pathname.replace(/\/+$/, '') + path,
        headers: {
          accept: 'application/x-ndjson, application/json',
          'accept-encoding': 'identity',
          'content-type': 'application/json',
          ...headers,
        },
        body: JSON.stringify(body),
        reset: true,
        signal: AbortSignal.any([silence.signal, signal]),
      });
      return await readLines(response, new LineCutter(onLine), () => timer.refresh());
    } catch (error) {
      if (signal.aborted) return failed('stopped', 'stopped');
      return silence.signal.aborted ? timedOut(silenceMs) : failureOf(error);
    } finally {
      clearTimeout(timer);
      await client?.destroy();
    }
  };
}
