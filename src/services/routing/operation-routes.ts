// The routes of operations on models. Those under /v1 are documented and speak OpenAI's envelope.

import { z } from 'zod';
import type { LifecycleOperation } from '../../core/backends/operation.ts';
import { gigabyte } from '../../core/backends/vram-check.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import {
  type ControlAnswer,
  type ControlCall,
  type ControlRoute,
  json,
  needs,
} from '../../io/http/control-route.ts';
import {
  modelLoadSchema,
  modelMigrateSchema,
  modelUnloadedSchema,
  modelUnloadQuerySchema,
  type OperationOrder,
  operationAcceptedSchema,
  operationListSchema,
  operationOrderSchema,
  operationSchema,
  recommendationListSchema,
} from '../../protocol/control/fleet-schemas.ts';
import { operationView } from './backend-view.ts';
import type { FleetAdvice } from './fleet-advice.ts';
import type { LifecycleService, Unloaded } from './lifecycle-service.ts';

export type OperationRoutesOptions = {
  readonly lifecycle: LifecycleService;
  readonly advice: FleetAdvice;
};

const listedDefault = 50;
const listQuerySchema = z.strictObject({
  backend: z.string().min(1).max(63).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(listedDefault),
});

function accepted(operation: LifecycleOperation, message?: string): ControlAnswer {
  const body = {
    operation_id: operation.operationId,
    model_id: operation.modelId,
    backend_id: operation.targetBackendId,
    status: operation.status,
    ...(message === undefined ? {} : { message }),
  };
  return json(body, 202);
}

/** 200 when it is done, 202 while it still waits for requests. */
function unloaded({ operation, freeBytes }: Unloaded): ControlAnswer {
  if (operation.status !== 'completed') {
    return accepted(operation, 'It waits for the requests of this model.');
  }
  const body = {
    operation_id: operation.operationId,
    model_id: operation.modelId,
    backend_id: operation.targetBackendId,
    status: operation.status,
    vram_free_bytes: freeBytes ?? null,
    vram_free_gb: freeBytes === undefined ? null : freeBytes / gigabyte,
  };
  return json(body);
}

/** The model of a path that may hold slashes: all that follows `/v1/models/`. */
function modelOf({ params }: ControlCall): string {
  const modelId = params['*'] ?? '';
  if (modelId.length >= 1 && modelId.length <= 1000) return modelId;
  const words = `The model id has ${modelId.length} characters, but must have 1 to 1000.`;
  throw new TensorForgeError('invalid_request', words, { param: 'model_id' });
}

/** Begins what was ordered; an unload is over when it answers, unless it waits for requests. */
async function begin(
  lifecycle: LifecycleService,
  order: OperationOrder,
  actor: string,
): Promise<LifecycleOperation> {
  const modelId = order.model_id;
  switch (order.operation_type) {
    case 'load': {
      const { backend_id: backendId, download } = order;
      return lifecycle.load({ modelId, backendId, download }, actor);
    }
    case 'migrate': {
      const { source_backend_id: sourceBackendId, target_backend_id: targetBackendId } = order;
      return lifecycle.migrate({ modelId, sourceBackendId, targetBackendId }, actor);
    }
    case 'unload': {
      const { backend_id: backendId, drain } = order;
      return (await lifecycle.unload({ modelId, backendId, drain }, actor)).operation;
    }
  }
}

function modelRoutes(lifecycle: LifecycleService): ControlRoute[] {
  const common = { service: 'routing', needs: needs('models:operate') } as const;
  return [
    {
      ...common,
      method: 'POST',
      path: '/v1/models/load',
      summary: 'Begins to load a model on a backend; other models of the backend go on serving',
      body: modelLoadSchema,
      answer: operationAcceptedSchema,
      successStatus: 202,
      handle: async ({ body, principal }) => {
        const wanted = modelLoadSchema.parse(body);
        const request = {
          modelId: wanted.model_id,
          backendId: wanted.backend_id,
          download: wanted.download,
        };
        const operation = await lifecycle.load(request, principal.text);
        const waits = 'It is downloaded first, and then loaded.';
        return accepted(operation, operation.status === 'pending' ? waits : undefined);
      },
    },
    {
      ...common,
      method: 'POST',
      path: '/v1/models/migrate',
      summary: 'Begins to load a model of one backend on another; the first goes on serving it',
      body: modelMigrateSchema,
      answer: operationAcceptedSchema,
      successStatus: 202,
      handle: async ({ body, principal }) => {
        const wanted = modelMigrateSchema.parse(body);
        const request = {
          modelId: wanted.model_id,
          sourceBackendId: wanted.source_backend_id,
          targetBackendId: wanted.target_backend_id,
        };
        const operation = await lifecycle.migrate(request, principal.text);
        const next = `When it is done, unload it from ${wanted.source_backend_id}.`;
        return accepted(operation, next);
      },
    },
    {
      ...common,
      method: 'DELETE',
      path: '/v1/models/*',
      summary: 'Unloads a model from a backend; 202 while it waits for its requests',
      query: modelUnloadQuerySchema,
      answer: modelUnloadedSchema,
      handle: async (call) => {
        const query = modelUnloadQuerySchema.parse(call.query);
        const request = {
          modelId: modelOf(call),
          backendId: query.backend_id,
          drain: query.drain === 'true',
        };
        return unloaded(await lifecycle.unload(request, call.principal.text));
      },
    },
  ];
}

export function operationRoutes({ lifecycle, advice }: OperationRoutesOptions): ControlRoute[] {
  const common = { service: 'routing', method: 'GET', needs: needs('backends:read') } as const;
  return [
    ...modelRoutes(lifecycle),
    {
      ...common,
      path: '/v1/fleet/recommendations',
      summary:
        'Models that are worth loading before they are asked for; nothing loads them by itself',
      answer: recommendationListSchema,
      handle: () => json(advice.recommendations()),
    },
    {
      ...common,
      path: '/api/v1/operations',
      summary: 'Operations on models of backends, newest first',
      query: listQuerySchema,
      answer: operationListSchema,
      handle: async ({ query }) => {
        const operations = await lifecycle.list(listQuerySchema.parse(query));
        return json({ count: operations.length, operations: operations.map(operationView) });
      },
    },
    {
      method: 'POST',
      path: '/api/v1/operations',
      needs: needs('models:operate'),
      service: 'routing',
      summary: 'Loads, unloads or migrates a model',
      body: operationOrderSchema,
      answer: operationSchema,
      successStatus: 202,
      handle: async ({ body, principal }) => {
        const order = operationOrderSchema.parse(body);
        return json(operationView(await begin(lifecycle, order, principal.text)), 202);
      },
    },
    {
      ...common,
      path: '/api/v1/recommendations',
      summary: 'Models that are worth loading before they are asked for',
      answer: recommendationListSchema,
      handle: () => json(advice.recommendations()),
    },
    {
      ...common,
      path: '/api/v1/operations/:id',
      summary: 'One operation with its progress',
      answer: operationSchema,
      handle: async ({ params }) => {
        const id = params['id'] ?? '';
        const operation = await lifecycle.get(id);
        if (operation !== undefined) return json(operationView(operation));
        throw new TensorForgeError('not_found', `There is no operation ${id.slice(0, 100)}.`);
      },
    },
  ];
}
