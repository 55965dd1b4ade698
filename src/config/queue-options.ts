// The options of the queue: requests that find every backend at its capacity wait in it.

import { integer, switched } from './option.ts';

export const queueOptions = {
  enabled: switched({
    fallback: true,
    words: 'Let requests wait while every backend is at its capacity; else they get 503 at once.',
  }),
  maxSize: integer({
    fallback: 100,
    min: 0,
    max: 100_000,
    unit: 'requests',
    words: 'Requests that wait at once over all threads; 0 lets none wait. Beyond it, 503.',
  }),
  maxWaitSeconds: integer({
    fallback: 30,
    min: 1,
    max: 3600,
    unit: 's',
    words: 'How long a request waits at most; then 503.',
  }),
  ageingSeconds: integer({
    fallback: 5,
    min: 1,
    max: 3600,
    unit: 's',
    words: 'Waiting for so long counts as one priority class more.',
  }),
  pingSeconds: integer({
    fallback: 15,
    min: 1,
    max: 3600,
    unit: 's',
    words: 'A stream that waits hears a comment so often; from the first on its status is 200.',
  }),
} as const;
