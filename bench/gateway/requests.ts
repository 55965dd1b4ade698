// The requests of bench gateway: bodies of exactly 1 KB, and whole HTTP requests for the load
// client, which sends bytes as they are.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const benchModel = 'bench-model';
export const inferencePath = '/v1/chat/completions';
/** Of a request unless a measurement names another size. */
export const usualBodyBytes = 1024;

/** Members that the mock understands; see the head of mock.c. */
export type StreamShape = {
  readonly chunks: number;
  readonly intervalMs: number;
  readonly headDelayTenths?: number;
};

/** A chat completion request padded to `bodyBytes`; with a shape it asks for a stream of that shape. */
export function chatBody(shape?: StreamShape, bodyBytes: number = usualBodyBytes): string {
  const stream =
    shape === undefined
      ? {}
      : {
          stream: true,
          max_tokens: shape.chunks,
          seed: shape.intervalMs,
          presence_penalty: shape.headDelayTenths ?? 0,
        };
  const withContent = (content: string): string =>
    JSON.stringify({
      model: benchModel,
      temperature: 0.5,
      ...stream,
      messages: [{ role: 'user', content }],
    });
  const padding = bodyBytes - withContent('').length;
  return withContent('lorem ipsum '.repeat(bodyBytes).slice(0, padding));
}

/** The same request, to be sent to one listener with its own credential. */
export type Endpoint = {
  readonly port: number;
  readonly key: string | undefined;
  /** Further header fields, name and value. */
  readonly fields?: readonly (readonly [string, string])[];
};

export function rawRequest(endpoint: Endpoint, body: string): string {
  const lines = [
    `POST ${inferencePath} HTTP/1.1`,
    `Host: 127.0.0.1:${endpoint.port}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  if (endpoint.key !== undefined) lines.push(`Authorization: Bearer ${endpoint.key}`);
  for (const [name, value] of endpoint.fields ?? []) lines.push(`${name}: ${value}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** Writes a request into the scratch folder and returns the path. */
export function requestFile(scratch: string, name: string, text: string): string {
  const file = join(scratch, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}
