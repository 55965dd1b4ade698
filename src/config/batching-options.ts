// The section `batching`: models whose embeddings and completions go to an engine several at a time.

import { z } from 'zod';
import { structure } from './option.ts';
import { modelPattern } from './traffic-options.ts';

const sizeWords = 'whole items from 2 to 2048';
const waitWords = 'whole milliseconds from 0 to 60 000';

const ruleSchema = z
  .strictObject({
    model_pattern: modelPattern,
    max_batch_size: z.int(sizeWords).min(2, sizeWords).max(2048, sizeWords).optional(),
    max_wait_ms: z.int(waitWords).min(0, waitWords).max(60_000, waitWords).optional(),
  })
  .transform((rule) => ({
    model: rule.model_pattern,
    maxBatchSize: rule.max_batch_size ?? 32,
    maxWaitMs: rule.max_wait_ms ?? 5,
  }));

export const batchingOptions = {
  models: structure<readonly z.output<typeof ruleSchema>[]>({
    schema: z.array(ruleSchema).max(100),
    fallback: [],
    fallbackWords: 'none',
    expected:
      'a list of rules with model_pattern (* and ?), max_batch_size (2 to 2048), max_wait_ms (0 to 60000)',
    words:
      'Models whose embeddings and completions may wait for others and go out as one request; the first whose model_pattern (* and ?) matches holds. max_batch_size 32 items, max_wait_ms 5.',
  }),
} as const;
