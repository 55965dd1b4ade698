// A real HTTP server for tests: answers by a function, remembers what it was asked.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

export type TestServer = {
  readonly port: number;
  readonly url: string;
  readonly asked: Asked[];
  close(): Promise<void>;
};

export type Answer = (asked: Asked, response: ServerResponse) => void;

/** Listens on 127.0.0.1, at `port` or any free one. */
export async function startServer(answer: Answer, port = 0): Promise<TestServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one: Asked = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      asked.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Answers JSON by path; 404 for all others. */
export function byPath(routes: Readonly<Record<string, unknown>>): Answer {
  return (asked, response) => {
    const path = asked.path.split('?')[0] ?? '';
    if (Object.hasOwn(routes, path)) sendJson(response, 200, routes[path]);
    else sendJson(response, 404, { error: 'not found' });
  };
}
