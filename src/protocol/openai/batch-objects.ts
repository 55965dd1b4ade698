// The objects of OpenAI's Files and Batch API on the wire, and what its requests may say. Times are
// Unix seconds; what does not apply is null.

import { z } from 'zod';
import { batchEndpoints } from './batch-line.ts';

const seconds = z.int().min(0);
const maybeSeconds = seconds.nullable();

export const fileObjectSchema = z.object({
  id: z.string(),
  object: z.literal('file'),
  bytes: z.int().min(0),
  created_at: seconds,
  expires_at: maybeSeconds,
  filename: z.string(),
  purpose: z.enum(['batch', 'batch_output']),
  status: z.literal('processed'),
  status_details: z.null(),
});
export type FileObject = z.infer<typeof fileObjectSchema>;

export const deletedFileSchema = z.object({
  id: z.string(),
  object: z.literal('file'),
  deleted: z.literal(true),
});

export const batchStatusSchema = z.enum([
  'validating',
  'failed',
  'in_progress',
  'finalizing',
  'completed',
  'expired',
  'cancelling',
  'cancelled',
]);

const batchErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  param: z.string().nullable(),
  /** From 1 on. */
  line: z.int().nullable(),
});
export type BatchError = z.infer<typeof batchErrorSchema>;

export const batchObjectSchema = z.object({
  id: z.string(),
  object: z.literal('batch'),
  endpoint: z.string(),
  errors: z.object({ object: z.literal('list'), data: z.array(batchErrorSchema) }).nullable(),
  input_file_id: z.string(),
  completion_window: z.string(),
  status: batchStatusSchema,
  output_file_id: z.string().nullable(),
  error_file_id: z.string().nullable(),
  created_at: seconds,
  in_progress_at: maybeSeconds,
  expires_at: maybeSeconds,
  finalizing_at: maybeSeconds,
  completed_at: maybeSeconds,
  failed_at: maybeSeconds,
  expired_at: maybeSeconds,
  cancelling_at: maybeSeconds,
  cancelled_at: maybeSeconds,
  request_counts: z.object({
    total: z.int().min(0),
    completed: z.int().min(0),
    failed: z.int().min(0),
  }),
  metadata: z.record(z.string(), z.string()).nullable(),
});
export type BatchObject = z.infer<typeof batchObjectSchema>;

function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    object: z.literal('list'),
    data: z.array(item),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  });
}

export const fileListSchema = listOf(fileObjectSchema);
export const batchListSchema = listOf(batchObjectSchema);

/** Unknown members are ignored, as everywhere under `/v1`. */
export const newBatchSchema = z.object({
  input_file_id: z.string().min(1).max(100),
  endpoint: z.enum(batchEndpoints),
  completion_window: z.literal('24h'),
  metadata: z
    .record(z.string().min(1).max(64), z.string().max(512))
    .refine((pairs) => Object.keys(pairs).length <= 16, 'must have at most 16 members')
    .nullish(),
});

const after = z.string().max(100).optional();

export const batchListQuerySchema = z.object({
  after,
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

export const fileListQuerySchema = z.object({
  after,
  limit: z.coerce.number().int().min(1).max(10_000).default(10_000),
  order: z.enum(['asc', 'desc']).default('desc'),
  purpose: z.string().max(100).optional(),
});
