// How a gateway thread writes an answer of its own: one envelope for every failure, on the face
// that the path chooses.

import { randomUUIDv7 } from 'node:crypto';
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { entryOf } from '../../errors/catalogue.ts';
import { errorBody, errorHeaders, type Face } from '../../errors/faces.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';

/** Header names are lower case; the prefix of ours is this one constant. */
export const ownPrefix = 'x-tensorforge-';

/** Writes a refusal; `close` ends the connection after it. */
export function respondRefusal(
  response: ServerResponse,
  face: Face,
  refusal: Refusal,
  options: { readonly headers?: readonly string[]; readonly close?: boolean } = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const body = errorBody(face, refusal);
  const flat: string[] = ['content-length', String(Buffer.byteLength(body))];
  for (const [name, value] of errorHeaders(face, refusal)) flat.push(name, value);
  if (options.headers !== undefined) flat.push(...options.headers);
  if (options.close === true) flat.push('connection', 'close');
  response.writeHead(entryOf(refusal.code).status, flat);
  response.end(body);
}

/** Writes a refusal past Node's response object (the parser gave up, or a body stays unread). */
export function refuseOnSocket(
  socket: Socket,
  face: Face,
  refusal: Refusal,
  headers: readonly string[] = [],
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status } = entryOf(refusal.code);
  const body = errorBody(face, refusal);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`];
  for (const [name, value] of errorHeaders(face, refusal)) head.push(`${name}: ${value}`);
  for (let at = 0; at + 1 < headers.length; at += 2)
    head.push(`${headers[at]}: ${headers[at + 1]}`);
  if (!headers.includes('x-request-id')) head.push(`x-request-id: ${randomUUIDv7()}`);
  head.push(`content-length: ${Buffer.byteLength(body)}`, 'connection: close', '', '');
  // Half-closed, and nothing more is read: the peer can still read the answer. The caller destroys
  // the socket a little later, since closing with unread bytes would take the answer back.
  socket.pause();
  socket.end(head.join('\r\n') + body);
}
