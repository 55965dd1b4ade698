// The options of circuit breakers and of the retry budget: when a backend that fails is left alone,
// and how many failed attempts may be followed by another one.

import { integer } from './option.ts';

export const breakerOptions = {
  failures: integer({
    fallback: 5,
    min: 1,
    max: 100,
    words: 'Failed attempts in a row that open the breaker of a backend, or of a model on it.',
  }),
  successes: integer({
    fallback: 2,
    min: 1,
    max: 100,
    words: 'Good attempts in a row that close a half-open breaker.',
  }),
  openSeconds: integer({
    fallback: 30,
    min: 1,
    max: 3600,
    unit: 's',
    words: 'How long a breaker is open before it lets a probe through.',
  }),
  probes: integer({
    fallback: 1,
    min: 1,
    max: 100,
    unit: 'requests',
    words: 'Requests that may try a half-open breaker at once, over all threads.',
  }),
  ejectedPercent: integer({
    fallback: 50,
    min: 0,
    max: 100,
    unit: '%',
    words:
      'Share of the backends of a model that breakers and quality may put out; never the last one.',
  }),
} as const;

/** Members of the section `routing`. */
export const retryBudgetOptions = {
  retryBudgetPercent: integer({
    fallback: 20,
    min: 0,
    max: 1000,
    unit: '%',
    words: 'Retries per hundred requests, over all threads; beyond budget and floor, none is made.',
  }),
  retryBudgetFloorPerSecond: integer({
    fallback: 10,
    min: 0,
    max: 100_000,
    unit: 'retries/s',
    words: 'Retries per second that may be made whatever the share says.',
  }),
  hedgeAfterMs: integer({
    fallback: 0,
    min: 0,
    max: 600_000,
    unit: 'ms',
    words:
      'A second backend is asked beside one that has not begun to answer for so long; 0 never asks two.',
  }),
  hedgeBudgetPercent: integer({
    fallback: 5,
    min: 1,
    max: 100,
    unit: '%',
    words: 'Expected tokens of second attempts per hundred of requests; beyond it none is made.',
  }),
} as const;
