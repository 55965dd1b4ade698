// `/v1/batches` as OpenAI's API has it, and `/api/v1/batches` for whoever runs the installation.

import type { Instant } from '../../base/time.ts';
import type { LaneState } from '../../core/batches/batch-lane.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import {
  type ControlRoute,
  json,
  needs,
  type Principal,
  signedIn,
} from '../../io/http/control-route.ts';
import type { StoredBatch } from '../../io/postgres/inference-batch-store.ts';
import {
  type BatchWire,
  batchesQuerySchema,
  batchesSchema,
  batchSchema,
} from '../../protocol/control/batch-schemas.ts';
import {
  type BatchObject,
  batchListQuerySchema,
  batchListSchema,
  batchObjectSchema,
  newBatchSchema,
} from '../../protocol/openai/batch-objects.ts';
import type { BatchDesk } from './batch-desk.ts';
import { listObject } from './file-routes.ts';

export type BatchRoutesOptions = {
  readonly desk: BatchDesk;
  /** How many lines may run, how many do, and why. */
  readonly lane: () => LaneState & { readonly underWay: number };
};

function seconds(at: Instant | undefined): number | null {
  return at === undefined ? null : Math.floor(at / 1000);
}

function batchObject(batch: StoredBatch): BatchObject {
  return {
    id: batch.batchId,
    object: 'batch',
    endpoint: batch.endpoint,
    errors: batch.errors === undefined ? null : { object: 'list', data: [...batch.errors] },
    input_file_id: batch.inputFileId,
    completion_window: '24h',
    status: batch.status,
    output_file_id: batch.outputFileId ?? null,
    error_file_id: batch.errorFileId ?? null,
    created_at: Math.floor(batch.createdAt / 1000),
    in_progress_at: seconds(batch.inProgressAt),
    expires_at: seconds(batch.expiresAt),
    finalizing_at: seconds(batch.finalizingAt),
    completed_at: seconds(batch.completedAt),
    failed_at: seconds(batch.failedAt),
    expired_at: seconds(batch.expiredAt),
    cancelling_at: seconds(batch.cancellingAt),
    cancelled_at: seconds(batch.cancelledAt),
    request_counts: { total: batch.total, completed: batch.completed, failed: batch.failed },
    metadata: batch.metadata ?? null,
  };
}

function batchWire(batch: StoredBatch): BatchWire {
  return { ...batchObject(batch), group_name: batch.groupName, key_id: batch.keyId };
}

/** The group whose batches may be seen; undefined for all. Throws `permission_denied`. */
function groupFor({ permissions, groupName }: Principal): string | undefined {
  if (permissions.has('telemetry:read')) return undefined;
  if (permissions.has('inference:batch') || permissions.has('group:read')) return groupName;
  const words = 'Batches are seen with telemetry:read, or with inference:batch those of the group.';
  throw new TensorForgeError('permission_denied', words);
}

const idOf = (params: Readonly<Record<string, string>>): string => params['id'] ?? '';

export function batchRoutes(options: BatchRoutesOptions): ControlRoute[] {
  return [...openAiRoutes(options.desk), ...operatorRoutes(options)];
}

function openAiRoutes(desk: BatchDesk): ControlRoute[] {
  const common = { service: 'gateway', needs: needs('inference:batch') } as const;
  return [
    {
      ...common,
      method: 'POST',
      path: '/v1/batches',
      summary: 'Run the lines of a file when there is room for them',
      body: newBatchSchema,
      answer: batchObjectSchema,
      handle: async ({ principal, body }) => {
        const asked = newBatchSchema.parse(body);
        const batch = await desk.create(principal, {
          inputFileId: asked.input_file_id,
          endpoint: asked.endpoint,
          metadata: asked.metadata ?? undefined,
        });
        return json(batchObject(batch));
      },
    },
    {
      ...common,
      method: 'GET',
      path: '/v1/batches',
      summary: 'Batches of the group, newest first',
      query: batchListQuerySchema,
      answer: batchListSchema,
      handle: async ({ principal, query }) => {
        const page = await desk.list(principal.groupName, batchListQuerySchema.parse(query));
        return json(listObject({ ...page, items: page.items.map(batchObject) }));
      },
    },
    {
      ...common,
      method: 'GET',
      path: '/v1/batches/:id',
      summary: 'One batch',
      answer: batchObjectSchema,
      handle: async ({ principal, params }) =>
        json(batchObject(await desk.get(principal.groupName, idOf(params)))),
    },
    {
      ...common,
      method: 'POST',
      path: '/v1/batches/:id/cancel',
      summary: 'Cancel a batch; what was answered is kept',
      answer: batchObjectSchema,
      handle: async ({ principal, params }) =>
        json(batchObject(await desk.cancel(principal, idOf(params)))),
    },
  ];
}

function operatorRoutes({ desk, lane }: BatchRoutesOptions): ControlRoute[] {
  const common = { service: 'gateway' } as const;
  return [
    {
      ...common,
      method: 'GET',
      path: '/api/v1/batches',
      needs: signedIn,
      summary: 'OpenAI batches, newest first, and how many of their lines run now',
      query: batchesQuerySchema,
      answer: batchesSchema,
      handle: async ({ principal, query }) => {
        const asked = batchesQuerySchema.parse(query);
        const { items, hasMore } = await desk.list(groupFor(principal), asked);
        const { limit, reason, underWay } = lane();
        return json({
          batches: items.map(batchWire),
          has_more: hasMore,
          lane: { limit, under_way: underWay, reason },
        });
      },
    },
    {
      ...common,
      method: 'GET',
      path: '/api/v1/batches/:id',
      needs: signedIn,
      summary: 'One OpenAI batch',
      answer: batchSchema,
      handle: async ({ principal, params }) =>
        json(batchWire(await desk.get(groupFor(principal), idOf(params)))),
    },
    {
      ...common,
      method: 'POST',
      path: '/api/v1/batches/:id/cancel',
      needs: needs('inference:batch'),
      summary: 'Cancel an OpenAI batch of the own group',
      answer: batchSchema,
      handle: async ({ principal, params }) =>
        json(batchWire(await desk.cancel(principal, idOf(params)))),
    },
  ];
}
