// A client that sends exactly the bytes it is told to, and reads what comes back with a parser of
// its own: what a test sends here is often no HTTP at all, and no client library would send it.
//
// Every wait has a deadline, so that a server that says nothing fails a test instead of hanging it.

import net from 'node:net';
import type { Face } from '../../src/errors/faces.ts';

export type RawAnswer = {
  readonly status: number;
  /** Lower-case names; a repeated header is joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
};

/** What a connection brought until the server closed it. */
export type RawOutcome = {
  readonly answers: readonly RawAnswer[];
  /** Bytes behind the last whole answer. */
  readonly surplus: string;
};

const deadlineMs = 40_000;

type Parsed = { readonly answer: RawAnswer; readonly length: number };

function headersOf(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

/** The decoded body and the length it has on the wire; undefined while it is not whole. */
function chunkedBody(text: string): { readonly body: string; readonly length: number } | undefined {
  let body = '';
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (text.length < end) return undefined;
    if (size === 0) return { body, length: end };
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = end;
  }
}

/** The first whole answer in `text`. Without a length its body lasts until the end. */
function parseAnswer(text: string, isEnded: boolean, isHead: boolean): Parsed | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  if (Number.isNaN(status)) throw new Error(`no status line: ${JSON.stringify(statusLine)}`);
  const headers = headersOf(lines);
  const rest = text.slice(headEnd + 4);
  const whole = (body: string, length: number): Parsed => ({
    answer: { status, headers, body },
    length: headEnd + 4 + length,
  });
  if (isHead || status < 200 || status === 204 || status === 304) return whole('', 0);
  if (headers.get('transfer-encoding') === 'chunked') {
    const chunked = chunkedBody(rest);
    return chunked === undefined ? undefined : whole(chunked.body, chunked.length);
  }
  const announced = headers.get('content-length');
  if (announced === undefined) return isEnded ? whole(rest, rest.length) : undefined;
  const length = Number(announced);
  return rest.length < length ? undefined : whole(rest.slice(0, length), length);
}

export type RawOptions = {
  /** The address to come from; all of 127.0.0.0/8 is this machine. */
  readonly localAddress?: string;
  /** The answers have no bodies, because HEAD is asked. */
  readonly isHead?: boolean;
};

export class RawClient {
  readonly socket: net.Socket;
  readonly #isHead: boolean;
  #text = '';
  #isEnded = false;
  #wake: (() => void) | undefined;

  private constructor(socket: net.Socket, isHead: boolean) {
    this.socket = socket;
    this.#isHead = isHead;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      this.#text += bytes.toString('latin1');
      this.#wake?.();
    });
    const ended = () => {
      this.#isEnded = true;
      this.#wake?.();
    };
    socket.on('end', ended);
    socket.on('close', ended);
    // A reset is a way to close; whatever came before it stays readable.
    socket.on('error', ended);
  }

  static open(port: number, options: RawOptions = {}): Promise<RawClient> {
    const { localAddress, isHead = false } = options;
    const socket = net.connect({
      host: '127.0.0.1',
      port,
      allowHalfOpen: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.removeListener('error', reject);
        resolve(new RawClient(socket, isHead));
      });
    });
  }

  /** Has the server closed its side, as far as is known by now? */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Text that came and belongs to no answer taken so far. */
  get unread(): string {
    return this.#text;
  }

  /** `text` is sent as latin1, so that any byte can be written as one character. */
  send(text: string): void {
    if (this.socket.writable) this.socket.write(text, 'latin1');
  }

  /** Each character in a write of its own, the next after the system has taken the one before. */
  async sendBytewise(text: string): Promise<void> {
    for (const character of text) {
      if (!this.socket.writable || this.#isEnded) return;
      await new Promise<void>((resolve) =>
        this.socket.write(character, 'latin1', () => setImmediate(resolve)),
      );
    }
  }

  /** Closes this side for writing. */
  halfClose(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Waits until `holds` is true of the text and the end. */
  async #until(what: string, holds: () => boolean): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    const timer = setTimeout(() => this.#wake?.(), deadlineMs + 1);
    try {
      while (!holds()) {
        if (performance.now() >= deadline) {
          throw new Error(`no ${what}; got ${JSON.stringify(this.#text.slice(0, 2000))}`);
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #take(): RawAnswer | undefined {
    const parsed = parseAnswer(this.#text, this.#isEnded, this.#isHead);
    if (parsed === undefined) return undefined;
    this.#text = this.#text.slice(parsed.length);
    return parsed.answer;
  }

  /** The next whole answer, interim ones included. */
  async answer(): Promise<RawAnswer> {
    let found: RawAnswer | undefined;
    await this.#until('answer', () => {
      found = this.#take();
      return found !== undefined || this.#isEnded;
    });
    found ??= this.#take();
    if (found === undefined) throw new Error(`closed without an answer: ${this.#text}`);
    return found;
  }

  /** Resolves as soon as `text` has come and is not taken yet. */
  async heard(text: string): Promise<void> {
    await this.#until(text, () => this.#text.includes(text));
  }

  /** Everything until the server closes. */
  async untilClosed(): Promise<RawOutcome> {
    await this.#until('end of the connection', () => this.#isEnded);
    const answers: RawAnswer[] = [];
    for (let found = this.#take(); found !== undefined; found = this.#take()) answers.push(found);
    this.destroy();
    return { answers, surplus: this.#text };
  }
}

/** Sends `text` on a connection of its own and reads until the server closes it. */
export async function exchangeUntilClosed(
  port: number,
  text: string,
  options: RawOptions & { readonly bytewise?: boolean } = {},
): Promise<RawOutcome> {
  const client = await RawClient.open(port, options);
  try {
    if (options.bytewise === true) await client.sendBytewise(text);
    else client.send(text);
    return await client.untilClosed();
  } finally {
    client.destroy();
  }
}

/** One request on a connection of its own and its answer; the connection is left by the client. */
export async function ask(
  port: number,
  text: string,
  options: RawOptions = {},
): Promise<RawAnswer> {
  const client = await RawClient.open(port, options);
  try {
    client.send(text);
    return await client.answer();
  } finally {
    client.destroy();
  }
}

/**
 * `error.code` of the OpenAI envelope, `error.type` of Anthropic's, `code` of the control one, no code on
 * Ollama's; fails on any other body.
 */
export function errorCodeOf(answer: RawAnswer): { readonly face: Face; readonly code: string } {
  const body: unknown = JSON.parse(answer.body);
  if (typeof body !== 'object' || body === null) throw new Error(`no envelope: ${answer.body}`);
  if ('error' in body) {
    const { error } = body;
    if (typeof error === 'object' && error !== null && 'code' in error && 'type' in error) {
      return { face: 'openai', code: String(error.code) };
    }
    if (typeof error === 'object' && error !== null && 'type' in error && 'type' in body) {
      return { face: 'anthropic', code: String(error.type) };
    }
    if (typeof error === 'string') return { face: 'ollama', code: '' };
  }
  if ('code' in body && 'msg' in body) return { face: 'control', code: String(body.code) };
  throw new Error(`no envelope: ${answer.body}`);
}
