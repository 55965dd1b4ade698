// The OpenAPI 3.1 document: every declared route of the control API with its schemas, and the routes
// of the data plane, whose bodies belong to the engines and are described shortly.
//
// Schemas are written out where they are used; references are to the error envelopes and to what
// refers to itself.

import { z } from 'zod';
import { present } from '../../base/assert.ts';
import type { ControlRoute } from '../../io/http/control-route.ts';
import type { Permission } from '../../protocol/control/schemas.ts';
import { faceOperations } from './face-operations.ts';

type Json = { readonly [member: string]: unknown };

const text = { type: 'string' } as const;

type Schemas = Record<string, unknown>;

/** What an operation says of its bodies; parts that refer to themselves go into `shared`. */
type Described = { readonly operationId: string; readonly shared: Schemas };

function jsonSchema(
  schema: z.ZodType,
  io: 'input' | 'output',
  { operationId, shared }: Described,
): Json {
  const { $schema: _, ...whole } = z.toJSONSchema(schema, { io, reused: 'inline' });
  const nameOf = (part: string) => `${operationId}${part.replace(/\W|_/g, '')}`;
  const placed = JSON.stringify(whole).replace(
    /"#\/\$defs\/([^"]+)"/g,
    (_match, part: string) => `"#/components/schemas/${nameOf(part)}"`,
  );
  const { $defs = {}, ...rest } = JSON.parse(placed) as Json & { readonly $defs?: Schemas };
  for (const [part, definition] of Object.entries($defs)) shared[nameOf(part)] = definition;
  return rest;
}

function objectOf(properties: Json, required: readonly string[]): Json {
  return { type: 'object', properties, required };
}

const jsonContent = (schema: Json): Json => ({ 'application/json': { schema } });

const components = {
  securitySchemes: {
    key: { type: 'http', scheme: 'bearer', description: 'An API key, tfk_…' },
    session: {
      type: 'apiKey',
      in: 'cookie',
      name: 'tf',
      description:
        'The session of the dashboard, `__Host-tf` with TLS. An unsafe method also needs the header x-tensorforge-csrf: 1 and our own origin.',
    },
  },
  schemas: {
    ControlError: objectOf({ msg: text, code: text, details: {} }, ['msg', 'code']),
    OpenAiError: objectOf(
      {
        error: objectOf(
          {
            message: text,
            type: text,
            param: { type: ['string', 'null'] },
            code: text,
            context: { type: 'object' },
          },
          ['message', 'type', 'param', 'code'],
        ),
      },
      ['error'],
    ),
    AnthropicError: objectOf(
      {
        type: { const: 'error' },
        error: objectOf({ type: text, message: text }, ['type', 'message']),
      },
      ['type', 'error'],
    ),
    OllamaError: objectOf({ error: text }, ['error']),
  },
  responses: {
    ControlError: {
      description: 'Any failure',
      content: jsonContent({ $ref: '#/components/schemas/ControlError' }),
    },
    OpenAiError: {
      description: 'Any failure, as OpenAI writes it',
      content: jsonContent({ $ref: '#/components/schemas/OpenAiError' }),
    },
    AnthropicError: {
      description: 'Any failure, as Anthropic writes it',
      content: jsonContent({ $ref: '#/components/schemas/AnthropicError' }),
    },
    OllamaError: {
      description: 'Any failure, as Ollama writes it',
      content: jsonContent({ $ref: '#/components/schemas/OllamaError' }),
    },
  },
};

// ---- the control API -------------------------------------------------------------------------

/** `/api/v1/backends/:id` as `/api/v1/backends/{id}`; what may hold slashes is a model id. */
function templateOf(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}').replace('*', '{model}');
}

/** `getApiV1BackendsById`: unique, because method and path are. */
function operationIdOf(method: string, path: string): string {
  const words = path.split(/[/.]/).filter((part) => part !== '');
  const named = words.map((part) =>
    part
      .replace(/^\{(.*)\}$/, 'by-$1')
      .replace(/(^|[-_])(\w)/g, (_, _dash, first: string) => first.toUpperCase()),
  );
  return method.toLowerCase() + named.join('');
}

function pathParameters(template: string): Json[] {
  return [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: text,
  }));
}

function queryParameters(schema: z.ZodType | undefined, described: Described): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input', described) as {
    readonly properties?: Json;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, member]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: member,
  }));
}

function needWords({ needs }: ControlRoute): string {
  switch (needs.kind) {
    case 'public':
      return 'Needs no credential.';
    case 'signed_in':
      return 'Needs any valid credential.';
    case 'permission':
      return `Needs the permission ${needs.permission}.`;
    case 'loopback_or':
      return `Needs the permission ${needs.permission}, but for callers on this machine.`;
  }
}

function securityOf({ needs }: ControlRoute): Json[] {
  const credentials = [{ key: [] }, { session: [] }];
  if (needs.kind === 'public') return [];
  return needs.kind === 'loopback_or' ? [...credentials, {}] : credentials;
}

function successOf(route: ControlRoute, described: Described): Json {
  const description = route.summary;
  if (route.answer !== undefined) {
    return { description, content: jsonContent(jsonSchema(route.answer, 'output', described)) };
  }
  if (route.answerType !== undefined) {
    return { description, content: { [route.answerType]: { schema: text } } };
  }
  return { description };
}

function controlOperation(route: ControlRoute, template: string, shared: Schemas): Json {
  const operationId = operationIdOf(route.method, template);
  const described: Described = { operationId, shared };
  const parameters = [...pathParameters(template), ...queryParameters(route.query, described)];
  const face = template.startsWith('/v1/') ? 'OpenAiError' : 'ControlError';
  return {
    operationId,
    summary: route.summary,
    description: needWords(route),
    tags: [route.service],
    security: securityOf(route),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: jsonContent(jsonSchema(route.body, 'input', described)),
          },
        }),
    responses: {
      [String(route.successStatus ?? 200)]: successOf(route, described),
      default: { $ref: `#/components/responses/${face}` },
    },
  };
}

// ---- the data plane --------------------------------------------------------------------------

type DataPlaneOperation = {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly summary: string;
  readonly permission: Permission;
  readonly query?: Json;
  readonly body?: Json;
  readonly answer: Json;
  /** With `stream: true` the answer is server-sent events, or lines on Ollama's interface. */
  readonly streams?: true;
  /** The interface of its clients; OpenAI's without one. */
  readonly face?: 'anthropic' | 'ollama';
};

const errorOf = { anthropic: 'AnthropicError', ollama: 'OllamaError' } as const;
const streamType = { anthropic: 'text/event-stream', ollama: 'application/x-ndjson' } as const;

const openObject: Json = { type: 'object', additionalProperties: true };
const tokens = { type: 'integer', minimum: 1 };
const stream = { type: 'boolean', default: false };

const modelObject = objectOf(
  { id: text, object: { const: 'model' }, created: { type: 'integer' }, owned_by: text },
  ['id', 'object', 'created', 'owned_by'],
);

function requestOf(properties: Json, required: readonly string[]): Json {
  return { ...openObject, properties: { model: text, ...properties }, required };
}

const dataPlane: readonly DataPlaneOperation[] = [
  {
    method: 'post',
    path: '/v1/chat/completions',
    summary: 'A chat completion by a backend that has the model',
    permission: 'inference:use',
    body: requestOf(
      { messages: { type: 'array', items: openObject, minItems: 1 }, stream, max_tokens: tokens },
      ['model', 'messages'],
    ),
    answer: openObject,
    streams: true,
  },
  {
    method: 'post',
    path: '/v1/completions',
    summary: 'A completion of a prompt',
    permission: 'inference:use',
    body: requestOf({ prompt: {}, stream, max_tokens: tokens }, ['model', 'prompt']),
    answer: openObject,
    streams: true,
  },
  {
    method: 'post',
    path: '/v1/embeddings',
    summary: 'Embeddings of texts',
    permission: 'inference:use',
    body: requestOf({ input: {} }, ['model', 'input']),
    answer: openObject,
  },
  {
    method: 'post',
    path: '/v1/responses',
    summary: 'A response, passed through where the backend offers it',
    permission: 'inference:use',
    body: requestOf({ input: {}, stream }, ['model', 'input']),
    answer: openObject,
    streams: true,
  },
  {
    method: 'get',
    path: '/v1/models',
    summary: 'The models that the key may use',
    permission: 'models:read',
    query: { name: 'distinct', in: 'query', required: false, schema: { type: 'boolean' } },
    answer: objectOf({ object: { const: 'list' }, data: { type: 'array', items: modelObject } }, [
      'object',
      'data',
    ]),
  },
  {
    method: 'get',
    path: '/v1/models/{model}',
    summary: 'One model; its id may hold slashes',
    permission: 'models:read',
    answer: modelObject,
  },
];

function dataPlaneOperation(operation: DataPlaneOperation): Json {
  const { method, path, summary, permission, query, body, answer, streams } = operation;
  const parameters = [...pathParameters(path), ...(query === undefined ? [] : [query])];
  return {
    operationId: operationIdOf(method, path),
    summary,
    description: `Needs the permission ${permission}.`,
    tags: ['data plane'],
    security: [{ key: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: jsonContent(body) } }),
    responses: {
      200: {
        description: summary,
        content: {
          ...jsonContent(answer),
          ...(streams === true ? { [streamTypeOf(operation)]: { schema: text } } : {}),
        },
      },
      default: { $ref: `#/components/responses/${errorNameOf(operation)}` },
    },
  };
}

function streamTypeOf({ face }: DataPlaneOperation): string {
  return face === undefined ? 'text/event-stream' : streamType[face];
}

function errorNameOf({ face }: DataPlaneOperation): string {
  return face === undefined ? 'OpenAiError' : errorOf[face];
}

/** The document of these routes and the data plane; `build` is the version of the program. */
export function apiDocument(routes: readonly ControlRoute[], build: string): Json {
  const paths = new Map<string, Record<string, Json>>();
  const shared: Schemas = { ...components.schemas };
  const add = (path: string, method: string, operation: Json): void => {
    if (!paths.has(path)) paths.set(path, {});
    present(paths.get(path), 'the path that was just added')[method] = operation;
  };
  for (const operation of [...dataPlane, ...faceOperations]) {
    add(operation.path, operation.method, dataPlaneOperation(operation));
  }
  for (const route of routes) {
    const template = templateOf(route.path);
    add(template, route.method.toLowerCase(), controlOperation(route, template, shared));
  }
  return {
    openapi: '3.1.0',
    info: { title: 'TensorForge', version: build },
    security: [{ key: [] }],
    paths: Object.fromEntries(paths),
    components: { ...components, schemas: shared },
  };
}
