// Keys, sessions and "who am I" of the control API.

import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import {
  type ControlCall,
  type ControlRoute,
  json,
  needs,
  type Principal,
  pageOf,
  publicRoute,
  signedIn,
} from '../../io/http/control-route.ts';
import {
  keyCreatedSchema,
  keyCreateSchema,
  keyListSchema,
  keyViewSchema,
  meSchema,
  pageQuerySchema,
  permissionSchema,
  sessionCreateSchema,
} from '../../protocol/control/schemas.ts';
import { invalidApiKeyMessage } from '../../protocol/credentials/extract-credential.ts';
import { sessionCookie } from '../../protocol/http/session-cookie.ts';
import { type Identity, keyView } from './identity.ts';

export type IdentityRoutesOptions = {
  /** Resolves when the gateway threads know of the keys changed before. */
  readonly applied: () => Promise<void>;
  readonly identity: Identity;
  readonly nowSeconds: () => number;
  /** Seconds to wait after too many rejected credentials of this address; 0 to go on. */
  readonly rejected: (address: string) => number;
};

function me(principal: Principal) {
  return {
    principal: principal.text,
    user: principal.user ?? null,
    group_name: principal.groupName,
    permissions: permissionSchema.options.filter((p) => principal.permissions.has(p)),
  };
}

export function identityRoutes(options: IdentityRoutesOptions): ControlRoute[] {
  const { identity } = options;
  const signIn = async (call: ControlCall) => {
    const { api_key: text } = sessionCreateSchema.parse(call.body);
    const verdict = identity.keys.verify(text.trim(), options.nowSeconds());
    if (!verdict.ok) {
      const delay = options.rejected(call.peer.address);
      if (delay > 0) {
        const words = 'Too many rejected credentials from this address.';
        throw new TensorForgeError('auth_attempts_exceeded', words, { retryAfterSeconds: delay });
      }
      throw new TensorForgeError('invalid_api_key', invalidApiKeyMessage);
    }
    const { key } = verdict;
    const actor = key.owner === undefined ? `key:${key.keyId}` : `user:${key.owner}`;
    const cookie = await identity.openSession(key.keyId, actor);
    return {
      status: 201,
      body: me({
        text: actor,
        kind: 'session',
        user: key.owner,
        groupName: key.groupName,
        permissions: new Set(key.permissions),
        keyId: key.keyId,
      }),
      headers: { 'set-cookie': sessionCookie.set(cookie.reveal(), call.peer.isTls) },
    };
  };
  return [
    {
      method: 'POST',
      path: '/api/v1/session',
      needs: publicRoute,
      service: 'identity',
      summary: 'Signs the dashboard in with an API key; the answer sets a cookie',
      body: sessionCreateSchema,
      answer: meSchema,
      successStatus: 201,
      handle: signIn,
    },
    {
      method: 'DELETE',
      path: '/api/v1/session',
      needs: signedIn,
      service: 'identity',
      summary: 'Signs the dashboard out',
      successStatus: 204,
      handle: async (call) => {
        if (call.cookie !== undefined) await identity.closeSession(call.cookie);
        return { status: 204, headers: { 'set-cookie': sessionCookie.clear(call.peer.isTls) } };
      },
    },
    {
      method: 'GET',
      path: '/api/v1/me',
      needs: signedIn,
      service: 'identity',
      summary: 'Who the credential is and what it may do',
      answer: meSchema,
      handle: (call) => json(me(call.principal)),
    },
    {
      method: 'GET',
      path: '/api/v1/keys',
      needs: needs('users:admin'),
      service: 'identity',
      summary: 'All API keys, newest first, without secrets',
      query: pageQuerySchema,
      answer: keyListSchema,
      handle: async (call) => {
        const keys = await identity.listKeys();
        return json({ count: keys.length, keys: pageOf(keys, call.query).map(keyView) });
      },
    },
    {
      method: 'POST',
      path: '/api/v1/keys',
      needs: needs('users:admin'),
      service: 'identity',
      summary: 'Makes an API key; its secret is in this answer and nowhere else',
      body: keyCreateSchema,
      answer: keyCreatedSchema,
      successStatus: 201,
      handle: async (call) => {
        const request = keyCreateSchema.parse(call.body);
        const { facts, secret } = await identity.createKey(request, call.principal);
        await options.applied();
        return json({ ...keyView(facts), secret: secret.reveal() }, 201);
      },
    },
    {
      method: 'GET',
      path: '/api/v1/keys/:id',
      needs: needs('users:admin'),
      service: 'identity',
      summary: 'One API key',
      answer: keyViewSchema,
      handle: async (call) => json(keyView(await identity.getKey(call.params['id'] ?? ''))),
    },
    {
      method: 'DELETE',
      path: '/api/v1/keys/:id',
      needs: needs('users:admin'),
      service: 'identity',
      summary: 'Revokes an API key; its running streams end',
      answer: keyViewSchema,
      handle: async (call) => {
        const id = call.params['id'] ?? '';
        const facts = await identity.revokeKey(id, call.principal.text);
        await options.applied();
        return json(keyView(facts));
      },
    },
  ];
}
