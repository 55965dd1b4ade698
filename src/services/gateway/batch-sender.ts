// Asks a line of a batch: a request on the batch socket of a gateway thread, on a connection of its own.

import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { LineAnswer } from '../../core/batches/line-verdict.ts';
import { batchKeyHeader, batchSocketPath } from './batch-socket.ts';

export type LineCall = {
  readonly endpoint: string;
  readonly keyId: string;
  readonly body: string;
  /** Ends it without an answer. */
  readonly signal: AbortSignal;
};

export type SentAnswer = {
  readonly answer: LineAnswer;
  readonly requestId: string;
  readonly body: string;
  /** When to come again, ms; 0 where nobody says. */
  readonly retryAfterMs: number;
};

export type SendLine = (call: LineCall) => Promise<SentAnswer>;

/** The body of an answer at most; the gateway itself takes no more of a backend by default. */
const answerBytesMax = 64 * 1024 * 1024;

const broken: SentAnswer = { answer: { kind: 'broken' }, requestId: '', body: '', retryAfterMs: 0 };

async function bodyOf(answer: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer) {
    const part = piece as Buffer;
    bytes += part.length;
    if (bytes > answerBytesMax) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function answerOf(answer: IncomingMessage): Promise<SentAnswer> {
  const body = await bodyOf(answer);
  const { headers, statusCode: status = 0 } = answer;
  const requestId = String(headers['x-request-id'] ?? '');
  if (body === undefined) {
    answer.destroy();
    const words = `The answer is larger than ${answerBytesMax} bytes.`;
    const error = { message: words, type: 'server_error', param: null, code: 'bad_gateway' };
    return {
      answer: { kind: 'answered', status: 502, mayRetry: false },
      requestId,
      body: JSON.stringify({ error }),
      retryAfterMs: 0,
    };
  }
  const mayRetry = headers['x-should-retry'] !== 'false';
  const seconds = Number(headers['retry-after'] ?? 0);
  const retryAfterMs = Number.isFinite(seconds) ? Math.max(0, seconds) * 1000 : 0;
  return { answer: { kind: 'answered', status, mayRetry }, requestId, body, retryAfterMs };
}

/** Sends to the threads in turn. Never rejects: what breaks off is told as such. */
export function lineSender(controlSocket: () => string, threads: number): SendLine {
  let turn = 0;
  return ({ endpoint, keyId, body, signal }) => {
    turn = (turn + 1) % threads;
    const sent = httpRequest({
      socketPath: batchSocketPath(controlSocket(), turn),
      agent: false,
      method: 'POST',
      path: endpoint,
      headers: {
        host: 'localhost',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        [batchKeyHeader]: keyId,
      },
      signal,
    });
    return new Promise<SentAnswer>((resolve) => {
      sent.on('response', (answer) => {
        answerOf(answer).then(resolve, () => resolve(broken));
      });
      sent.on('error', () => resolve(broken));
      sent.end(body);
    });
  };
}
