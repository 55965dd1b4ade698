// The wire shapes of OpenAI batches on the control API: OpenAI's object, and whose it is.

import { z } from 'zod';
import { batchObjectSchema } from '../openai/batch-objects.ts';

export const batchSchema = batchObjectSchema.extend({
  group_name: z.string(),
  key_id: z.string(),
});
export type BatchWire = z.infer<typeof batchSchema>;

export const batchesQuerySchema = z.strictObject({
  /** The id of the last batch of the page before. */
  after: z.string().max(100).optional(),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .default(50)
    .transform((limit) => Math.min(limit, 100)),
});

export type BatchesWire = z.infer<typeof batchesSchema>;

export const batchesSchema = z.object({
  batches: z.array(batchSchema),
  has_more: z.boolean(),
  /** The lines of all batches together. */
  lane: z.object({
    limit: z.int().min(0),
    under_way: z.int().min(0),
    /** Why the limit is what it is. */
    reason: z.enum([
      'starting',
      'filling',
      'full',
      'serving_mode',
      'interactive_waits',
      'first_tokens',
      'no_room',
    ]),
  }),
});
