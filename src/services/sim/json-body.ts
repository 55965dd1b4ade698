// Reading request bodies: bytes under a cap, then members of unknown JSON without casts.

import type { IncomingMessage } from 'node:http';

/** Bytes of a request body at most. */
export const bodyBytesMax = 32 * 1024 * 1024;

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The whole body, or undefined when it is over the cap (the rest is thrown away). */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Buffer)) continue;
    bytes += chunk.length;
    if (bytes <= bodyBytesMax) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes <= bodyBytesMax ? Buffer.concat(chunks) : undefined;
}

/** The JSON object in `body`; undefined when it is not one. */
export function parseJsonObject(body: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function textMember(object: JsonObject, name: string): string | undefined {
  const value = object[name];
  return typeof value === 'string' ? value : undefined;
}
