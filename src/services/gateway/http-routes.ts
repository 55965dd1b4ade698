// The data-plane routes of a gateway thread, as one table: method, permission and what is called on
// the engine. The engine's path comes from here, never from the client.

import { anthropicMessages } from '../../protocol/faces/anthropic-face.ts';
import type { ClientFace } from '../../protocol/faces/face.ts';
import { ollamaFaces } from '../../protocol/faces/ollama-face.ts';
import type { RequestKind } from '../../protocol/openai/request-body.ts';

export type DataPlaneRoute =
  | {
      readonly kind: 'inference';
      readonly request: RequestKind;
      readonly enginePath: string;
      readonly permission: 'inference:use';
      /** Set where the client speaks another interface than OpenAI's. */
      readonly face: ClientFace | undefined;
    }
  /** Of Anthropic's or Ollama's interface, answered here without a backend. */
  | { readonly kind: 'count_tokens'; readonly permission: 'inference:use' }
  | {
      readonly kind: 'ollama_tags' | 'ollama_ps' | 'ollama_version' | 'ollama_show';
      readonly permission: 'models:read';
    }
  | { readonly kind: 'models'; readonly permission: 'models:read' }
  | { readonly kind: 'model'; readonly id: string; readonly permission: 'models:read' }
  /** Documented operations under /v1 that the control thread answers. */
  | { readonly kind: 'control'; readonly permission: undefined };

export type RouteMatch =
  | { readonly kind: 'found'; readonly route: DataPlaneRoute }
  | { readonly kind: 'wrong_method'; readonly allow: string }
  | { readonly kind: 'none' };

const inference = new Map<string, RequestKind>([
  ['/v1/chat/completions', 'chat'],
  ['/v1/completions', 'completions'],
  ['/v1/embeddings', 'embeddings'],
  ['/v1/responses', 'responses'],
]);

type FaceRoute = { readonly method: string; readonly route: DataPlaneRoute };

function spoken(face: ClientFace, request: 'chat' | 'embeddings'): FaceRoute {
  const enginePath = request === 'chat' ? '/v1/chat/completions' : '/v1/embeddings';
  const permission = 'inference:use';
  return { method: 'POST', route: { kind: 'inference', request, enginePath, permission, face } };
}

const readsModels = { permission: 'models:read' } as const;

/** The paths of the other interfaces. */
const faceRoutes = new Map<string, FaceRoute>([
  ['/v1/messages', spoken(anthropicMessages, 'chat')],
  [
    '/v1/messages/count_tokens',
    { method: 'POST', route: { kind: 'count_tokens', permission: 'inference:use' } },
  ],
  ['/api/chat', spoken(ollamaFaces.chat, 'chat')],
  ['/api/generate', spoken(ollamaFaces.generate, 'chat')],
  ['/api/embed', spoken(ollamaFaces.embed, 'embeddings')],
  ['/api/embeddings', spoken(ollamaFaces.embeddings, 'embeddings')],
  ['/api/show', { method: 'POST', route: { kind: 'ollama_show', ...readsModels } }],
  ['/api/tags', { method: 'GET', route: { kind: 'ollama_tags', ...readsModels } }],
  ['/api/ps', { method: 'GET', route: { kind: 'ollama_ps', ...readsModels } }],
  ['/api/version', { method: 'GET', route: { kind: 'ollama_version', ...readsModels } }],
]);

/** Is this one of the paths beside `/v1` that the data plane serves? */
export function isDataPlanePath(path: string): boolean {
  return faceRoutes.has(path);
}

const controlOperations = new Map<string, string>([
  ['/v1/stats', 'GET'],
  ['/v1/history', 'GET'],
  ['/v1/telemetry/export', 'GET'],
  ['/v1/allocator/estimate', 'POST'],
  ['/v1/models/load', 'POST'],
  ['/v1/models/migrate', 'POST'],
  ['/v1/fleet/recommendations', 'GET'],
]);

/** Files and batches: the control thread knows which methods each of them has. */
const controlCollections = /^\/v1\/(?:files|batches)(?:\/|$)/;

function withMethod(method: string, allow: string, route: DataPlaneRoute): RouteMatch {
  if (method === allow || (method === 'HEAD' && allow === 'GET')) return { kind: 'found', route };
  return { kind: 'wrong_method', allow };
}

/** `path` is canonical, without query. */
export function matchDataPlane(method: string, path: string): RouteMatch {
  const request = inference.get(path);
  if (request !== undefined) {
    return withMethod(method, 'POST', {
      kind: 'inference',
      request,
      enginePath: path,
      permission: 'inference:use',
      face: undefined,
    });
  }
  const spoken = faceRoutes.get(path);
  if (spoken !== undefined) return withMethod(method, spoken.method, spoken.route);
  if (path === '/v1/models') {
    return withMethod(method, 'GET', { kind: 'models', permission: 'models:read' });
  }
  const operation = controlOperations.get(path);
  if (operation !== undefined) {
    return withMethod(method, operation, { kind: 'control', permission: undefined });
  }
  if (controlCollections.test(path)) {
    return { kind: 'found', route: { kind: 'control', permission: undefined } };
  }
  if (path.startsWith('/v1/models/') && path.length > '/v1/models/'.length) {
    // Unloading is an operation of the control thread; the id may hold slashes.
    if (method === 'DELETE') {
      return { kind: 'found', route: { kind: 'control', permission: undefined } };
    }
    const id = path.slice('/v1/models/'.length);
    const match = withMethod(method, 'GET', { kind: 'model', id, permission: 'models:read' });
    return match.kind === 'wrong_method' ? { ...match, allow: 'GET, DELETE' } : match;
  }
  return { kind: 'none' };
}
