// One route of the control API as a service declares it: who may call it, what it takes, what it
// answers. A route without a declaration does not exist, so nothing is open by omission.

import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { type Permission, pageQuerySchema } from '../../protocol/control/schemas.ts';
import type { Peer } from '../../protocol/http/peer-header.ts';

/** Who calls. */
export type Principal = {
  /** `key:key_...` or `user:admin`, as events and logs print it. */
  readonly text: string;
  readonly kind: 'key' | 'session';
  readonly user: string | undefined;
  readonly groupName: string;
  readonly permissions: ReadonlySet<string>;
  /** The key behind the credential. */
  readonly keyId: string;
};

/** `public` needs no credential; `signed_in` any valid one; `loopback_or` a permission off loopback. */
export type RouteNeeds =
  | { readonly kind: 'public' }
  | { readonly kind: 'signed_in' }
  | { readonly kind: 'permission'; readonly permission: Permission }
  | { readonly kind: 'loopback_or'; readonly permission: Permission };

export function needs(permission: Permission): RouteNeeds {
  return { kind: 'permission', permission };
}

export const publicRoute: RouteNeeds = { kind: 'public' };
export const signedIn: RouteNeeds = { kind: 'signed_in' };

/** A form (multipart/form-data) that is still on its way. */
export type ReceivedForm = {
  readonly boundary: string;
  /** Fails when the client leaves. */
  readonly body: Readable;
  /** Of the whole form; undefined where the client does not say. */
  readonly length: number | undefined;
};

export type ControlCall = {
  /** Throws an assertion on a public route. */
  readonly principal: Principal;
  readonly maybePrincipal: Principal | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly query: unknown;
  readonly body: unknown;
  /** On a route that takes a form. */
  readonly form?: ReceivedForm;
  readonly peer: Peer;
  readonly cookie: string | undefined;
};

export type ControlAnswer = {
  readonly status: number;
  /**
   * JSON value; text, or an async iterable of its pieces, when `contentType` is given; undefined for
   * no body. Pieces are asked for as the caller takes them; a throw breaks the answer off.
   */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export type ControlRoute = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Fastify syntax: `/api/v1/backends/:id`. */
  readonly path: string;
  readonly needs: RouteNeeds;
  readonly service: string;
  readonly summary: string;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** Takes a form instead of JSON, which the handler reads as it comes. */
  readonly takes?: 'form';
  /** Schema of the answer on success, for the OpenAPI document; absent for text and for no body. */
  readonly answer?: z.ZodType;
  /** Media type of an answer that is text. */
  readonly answerType?: string;
  /** Status of success; 200 when absent. */
  readonly successStatus?: 200 | 201 | 202 | 204;
  readonly handle: (call: ControlCall) => Promise<ControlAnswer> | ControlAnswer;
};

export function json(body: unknown, status = 200): ControlAnswer {
  return { status, body };
}

const pageEntriesMax = 100;

/**
 * The entries of a list that the query asks for by `limit` (clamped to 100) and `offset`; without a
 * limit all of them, which fleets and key lists of one installation bear.
 */
export function pageOf<T>(all: readonly T[], query: unknown): readonly T[] {
  const { limit, offset } = pageQuerySchema.parse(query);
  const end = limit === undefined ? undefined : offset + Math.min(limit, pageEntriesMax);
  return all.slice(offset, end);
}
