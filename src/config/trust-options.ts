// The options of trust: when the serving mode moves, and what is kept of decisions.

import { choice, decimal, filePath, integer, switched } from './option.ts';

const day = 86_400;

export const policyOptions = {
  tickSeconds: integer({
    fallback: 10,
    min: 1,
    max: 300,
    unit: 's',
    words: 'Time between two evaluations of the serving mode.',
  }),
  failurePercent: integer({
    fallback: 5,
    min: 0,
    max: 100,
    unit: '%',
    words: 'An evaluation is bad when at least two requests failed, and more than this share.',
  }),
  cooldownSeconds: integer({
    fallback: 60,
    min: 0,
    max: day,
    unit: 's',
    words: 'Least time between two escalations; 2, 4, 8 times as long in the stricter modes.',
  }),
  holdSeconds: integer({
    fallback: 120,
    min: 0,
    max: day,
    unit: 's',
    words: 'Least time in a mode before a step down.',
  }),
  riskPercent: integer({
    fallback: 60,
    min: 0,
    max: 100,
    unit: '%',
    words: 'Aggregate risk above which an evaluation counts as a failure burst.',
  }),
  graceSeconds: integer({
    fallback: 60,
    min: 0,
    max: day,
    unit: 's',
    words: 'Time after a start in which the mode does not escalate.',
  }),
  firstByteMs: integer({
    fallback: 2000,
    min: 1,
    max: 600_000,
    unit: 'ms',
    words: 'First byte within which a request meets the service-level objective.',
  }),
  objective: decimal({
    fallback: 0.99,
    min: 0.5,
    max: 0.99999,
    words: 'Share of the requests that are to meet it; the rest is the error budget.',
  }),
  periodDays: integer({
    fallback: 30,
    min: 1,
    max: 90,
    unit: 'days',
    words: 'Period of the error budget.',
  }),
  minRequests: integer({
    fallback: 50,
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    words: 'Requests that a window must hold before its burn rate is told.',
  }),
  minBad: integer({
    fallback: 10,
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    words: 'Requests outside the objective that a window must hold before its burn rate counts.',
  }),
} as const;

export const decisionOptions = {
  enabled: switched({ fallback: true, words: 'Keep every request decision in the decision log.' }),
  sample: integer({
    fallback: 1,
    min: 1,
    max: 1_000_000,
    words: 'Keep one request of so many; 1 keeps all. A sampled log says so.',
  }),
  diskMb: integer({
    fallback: 1024,
    min: 16,
    max: 16_777_216,
    unit: 'MB',
    words: 'Disk that the decision log may take; the oldest sealed segments go first.',
  }),
  retentionDays: integer({
    fallback: 30,
    min: 1,
    max: 3650,
    unit: 'days',
    words: 'Age at which a sealed segment is removed.',
  }),
  segmentMb: integer({
    fallback: 16,
    min: 1,
    max: 1024,
    unit: 'MB',
    words: 'Size at which a segment is sealed and the next one begun.',
  }),
  queueMb: integer({
    fallback: 8,
    min: 1,
    max: 1024,
    unit: 'MB',
    words: 'Records of one thread that may wait for the disk.',
  }),
  onFull: choice({
    of: ['drop', 'refuse'],
    fallback: 'drop',
    words:
      'When records cannot be written: drop and count them, or refuse requests (503) until they can.',
  }),
  archive: filePath({
    words: 'Folder, or s3://bucket/prefix, to which sealed segments are copied. Not set: none.',
  }),
} as const;
