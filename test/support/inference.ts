// What the tests of the inference path share: requests with the key of the product, figures read
// from its control API, and backends whose answers are scripted byte by byte.

import { type Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import {
  type Received,
  type ScriptedBackend,
  startBackend,
} from '../../src/io/http/upstream/scripted-backend.ts';
import {
  backendListSchema,
  type DecisionWire,
  decisionListSchema,
} from '../../src/protocol/control/schemas.ts';
import type { Product } from './product.ts';

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The server ended the body as its framing says. */
  readonly isWhole: boolean;
};

export type Ask = {
  readonly path?: string;
  readonly method?: string;
  readonly key?: string;
  /** Beside or instead of the usual ones; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  readonly agent?: Agent;
};

/** Sends exactly `body` and reads the whole answer. */
export function ask(product: Product, body: string | Buffer, how: Ask = {}): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${how.key ?? product.adminKey}`,
    ...(how.method === 'GET'
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
    ...how.headers,
  };
  const sentHeaders = Object.fromEntries(
    Object.entries(headers).filter((entry) => entry[1] !== undefined),
  );
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      {
        host: '127.0.0.1',
        port: product.port,
        method: how.method ?? 'POST',
        path: how.path ?? '/v1/chat/completions',
        agent: how.agent ?? false,
        headers: sentHeaders,
      },
      (answer) => {
        const parts: Buffer[] = [];
        const finish = (isWhole: boolean): void => {
          const text = Buffer.concat(parts).toString('latin1');
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, isWhole });
        };
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () => finish(true));
        answer.on('error', () => finish(false));
      },
    );
    sent.on('error', reject);
    if (how.method === 'GET') sent.end();
    else sent.end(body);
  });
}

/** A chat of one message. */
export function chat(model: string, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }], ...more });
}

export type ErrorBody = {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string;
  readonly context?: { readonly reason?: string; readonly timer?: string };
};

/** The envelope of a failure; throws when `text` is none. */
export function errorOf(text: string): ErrorBody {
  const body = JSON.parse(text) as { error?: ErrorBody };
  if (typeof body.error?.code !== 'string') throw new Error(`no envelope: ${text.slice(0, 200)}`);
  return body.error;
}

/** The data of every event of a stream. */
export function eventsOf(text: string): string[] {
  return text
    .split(/\r?\n\r?\n/)
    .flatMap((event) => event.split(/\r?\n/).filter((line) => line.startsWith('data:')))
    .map((line) => line.slice(5).trimStart());
}

/** The figures of `/metrics`, by their whole name with labels. */
export async function metricsOf(product: Product): Promise<ReadonlyMap<string, number>> {
  const answer = await fetch(`${product.url}/metrics`, {
    headers: { authorization: `Bearer ${product.adminKey}` },
  });
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && line[0] !== '#');
  return new Map(
    lines.map((line) => {
      const blank = line.lastIndexOf(' ');
      return [line.slice(0, blank), Number(line.slice(blank + 1))];
    }),
  );
}

/** The sum over all series of `name` whose labels hold each of `labels`. */
export function sumOf(
  metrics: ReadonlyMap<string, number>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  let sum = 0;
  for (const [series, value] of metrics) {
    const isNamed = series === name || series.startsWith(`${name}{`);
    if (isNamed && wanted.every((pair) => series.includes(pair))) sum += value;
  }
  return sum;
}

export async function backendsOf(product: Product) {
  const { body } = await product.json('/api/v1/backends');
  return backendListSchema.parse(body).backends;
}

export async function backendOf(product: Product, id: string) {
  const backend = (await backendsOf(product)).find((candidate) => candidate.id === id);
  if (backend === undefined) throw new Error(`no backend ${id}`);
  return backend;
}

export async function decisionsOf(product: Product): Promise<readonly DecisionWire[]> {
  const { body } = await product.json('/api/v1/decisions?limit=100');
  return decisionListSchema.parse(body).decisions;
}

export async function createKey(
  product: Product,
  request: Readonly<Record<string, unknown>>,
): Promise<{ readonly id: string; readonly secret: string }> {
  const { status, body } = await product.json('/api/v1/keys', {
    method: 'POST',
    body: JSON.stringify(request),
  });
  if (status !== 201) throw new Error(`no key: ${JSON.stringify(body)}`);
  return body as { id: string; secret: string };
}

/** DELETE of a control path, without a body. */
export async function remove(product: Product, path: string): Promise<void> {
  const answer = await fetch(product.url + path, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${product.adminKey}` },
  });
  if (!answer.ok) throw new Error(`DELETE ${path}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

const waitMs = 60_000;

/** Waits until `holds` answers true; throws with `what` when it does not in time. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = waitMs,
): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`waited too long: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** One inference request as a scripted backend got it. */
export type Asked = {
  readonly socket: Socket;
  readonly head: string;
  readonly body: string;
};

export type ModelScript = ScriptedBackend & {
  /** Inference requests so far, oldest first. */
  readonly asked: readonly Asked[];
};

/** Anthropic’s list is asked in pages. */
const modelList = /^GET \/v1\/models[ ?]/;

/** A backend of the type `generic` that lists `models` and answers inference as `answer` writes. */
export async function startModelScript(
  models: readonly (string | Readonly<Record<string, unknown>>)[],
  answer: (asked: Asked) => void,
): Promise<ModelScript> {
  const asked: Asked[] = [];
  const data = models.map((model) => (typeof model === 'string' ? { id: model } : model));
  const backend = await startBackend((received: Received) => {
    const headEnd = received.text.indexOf('\r\n\r\n');
    const head = received.text.slice(0, headEnd);
    if (modelList.test(head)) {
      received.socket.write(jsonAnswer(200, JSON.stringify({ object: 'list', data })));
      return;
    }
    // Other questions of probes, and for metrics; inference is a POST.
    if (head.startsWith('GET ')) {
      received.socket.write(jsonAnswer(404, '{}'));
      return;
    }
    const one = { socket: received.socket, head, body: received.text.slice(headEnd + 4) };
    asked.push(one);
    answer(one);
  });
  return { ...backend, asked };
}

/** A whole HTTP answer with a JSON body. */
export function jsonAnswer(
  status: number,
  body: string,
  headers: readonly string[] = ['content-type: application/json'],
): string {
  const length = Buffer.byteLength(body);
  return [`HTTP/1.1 ${status} X`, ...headers, `content-length: ${length}`, '', body].join('\r\n');
}

export const streamHead =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

export function chunk(text: string): string {
  return `${Buffer.byteLength(text, 'latin1').toString(16)}\r\n${text}\r\n`;
}

export const lastChunk = '0\r\n\r\n';

export const plainAnswer = '{"choices":[{"message":{"role":"assistant","content":"Hi there"}}]}';

/** An event of a chat with `content`. */
export function delta(content: string): string {
  return `data: {"choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}}}]}\n\n`;
}
