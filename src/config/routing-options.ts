// The section `routing`: how one of several backends of a model is chosen, and what a model asks of it.
// Members have the shape in which decisions read them.

import { z } from 'zod';
import { strategies } from '../base/routing-words.ts';
import { retryBudgetOptions } from './breaker-options.ts';
import { choice, decimal, integer, structure } from './option.ts';
import { modelPattern, trafficOptions } from './traffic-options.ts';

function weight(fallback: number, words: string) {
  return integer({ fallback, min: 0, max: 100, words: `${words} The three sum to 100.` });
}

const modelName = z.string().min(1).max(1000);
const backendId = z.string().regex(/^[a-z0-9-]{1,63}$/, 'an id of a backend: a-z, 0-9 and -');
const regionName = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'a name of a region');

/** What is said of a model whose resolved id matches. */
const modelRuleSchema = z
  .strictObject({
    model_pattern: modelPattern,
    privacy: z.enum(['unrestricted', 'restricted'], 'unrestricted or restricted').optional(),
    min_tier: z.int('a tier from 1 to 5').min(1, 'a tier from 1 to 5').max(5).optional(),
    fallback_allowed: z.boolean('true or false').optional(),
  })
  .transform((rule) => ({
    model: rule.model_pattern,
    privacy: rule.privacy ?? 'unrestricted',
    minTier: rule.min_tier,
    fallbackAllowed: rule.fallback_allowed ?? true,
  }));

type ModelRuleOption = z.output<typeof modelRuleSchema>;

const placeSchema = z.strictObject({
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
});

export const routingOptions = {
  strategy: choice({
    of: strategies,
    fallback: 'smart',
    flag: '--strategy',
    words:
      'How one of several backends of a model is chosen; docs/routing.md says when to use which.',
  }),
  maxRetries: integer({
    fallback: 2,
    min: 0,
    max: 10,
    words: 'Further backends tried before the first byte reached the client.',
  }),
  ...retryBudgetOptions,
  weights: {
    priority: weight(50, 'Weight of the backend priority in the smart score.'),
    load: weight(30, 'Weight of the requests in flight in the smart score.'),
    latency: weight(20, 'Weight of the latency in the smart score.'),
  },
  aliases: structure<Readonly<Record<string, string>>>({
    schema: z.record(modelName, modelName),
    fallback: {},
    fallbackWords: 'none',
    expected: 'a map of alias to model id',
    words: 'Further names of models; a real model of that name wins. At most 3 steps, no cycles.',
  }),
  fallbacks: structure<Readonly<Record<string, readonly string[]>>>({
    schema: z.record(modelName, z.array(modelName).min(1).max(10)),
    fallback: {},
    fallbackWords: 'none',
    expected: 'a map of model id to a list of up to 10 model ids',
    words:
      'Models that stand in, in order, when no backend of a model takes requests. One level: the fallbacks of a fallback are not looked at.',
  }),
  policies: structure<readonly ModelRuleOption[]>({
    schema: z.array(modelRuleSchema).max(1000),
    fallback: [],
    fallbackWords: 'none',
    expected: 'a list of rules with model_pattern, privacy, min_tier, fallback_allowed',
    words:
      'Rules by model; the first whose model_pattern (* and ?) matches the resolved id holds. privacy: restricted keeps a model out of the open zone, min_tier asks for a tier, fallback_allowed: false forbids stand-ins.',
  }),
  backendWeights: structure<Readonly<Record<string, number>>>({
    schema: z.record(backendId, z.int().min(0).max(1000)),
    fallback: {},
    fallbackWords: 'none',
    expected: 'a map of backend id to a whole weight from 0 to 1000',
    words: 'Turns of a backend under strategy weighted; 1 where it is not named, and 0 takes none.',
  }),
  regions: structure<Readonly<Record<string, z.output<typeof placeSchema>>>>({
    schema: z.record(regionName, placeSchema),
    fallback: {},
    fallbackWords: 'none',
    expected: 'a map of region name to {latitude, longitude} in degrees',
    words: 'Where regions are, for strategy geographic.',
  }),
  backendRegions: structure<Readonly<Record<string, string>>>({
    schema: z.record(backendId, regionName),
    fallback: {},
    fallbackWords: 'none',
    expected: 'a map of backend id to region name',
    words: 'Which region a backend stands in; clients name theirs in x-tensorforge-region.',
  }),
  affinity: {
    gateRequests: integer({
      fallback: 32,
      min: 1,
      max: 100_000,
      unit: 'requests',
      words:
        'Beyond this difference in requests in flight, and beyond gate_ratio, prefix_affinity goes by load.',
    }),
    gateRatio: decimal({
      fallback: 1.1,
      min: 1,
      max: 100,
      words: 'Most requests in flight over least, beyond which prefix_affinity goes by load.',
    }),
    loadFactor: decimal({
      fallback: 1.25,
      min: 1.01,
      max: 100,
      words: 'A backend takes at most this many times the average load for its prefixes.',
    }),
    explorePercent: decimal({
      fallback: 1,
      min: 0,
      max: 100,
      unit: 'per cent',
      words: 'Requests that prefix_affinity sends to any backend, so that others learn the prompt.',
    }),
    swapMs: integer({
      fallback: 10_000,
      min: 0,
      max: 3_600_000,
      unit: 'ms',
      words: 'What loading a model costs a request, for strategy model_affinity.',
    }),
  },
  ...trafficOptions,
} as const;

export const qualityOptions = {
  ttftPenaltyThresholdMs: integer({
    fallback: 3000,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    words: 'First byte beyond which strategy smart takes from the score; 0 never.',
  }),
} as const;
