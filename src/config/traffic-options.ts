// Options of the section `routing` about what happens beside a decision: experiments that split the
// traffic of a model, copies to what is being tried out, and answers kept for when nobody is left.
// Members have the shape in which they are read.

import { z } from 'zod';
import { decimal, integer, structure, switched } from './option.ts';

const modelName = z.string('a model id').min(1, 'a model id').max(1000);
const word = z
  .string('a name')
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'a name of up to 64 letters, digits, dots, - and _');
const backendId = z
  .string('an id of a backend')
  .regex(/^[a-z0-9-]{1,63}$/, 'an id of a backend: a-z, 0-9 and -');

/** A glob of model ids. */
export const modelPattern = z
  .string()
  .min(1, 'a pattern of model ids: * any characters, ? any one')
  .max(1000)
  .refine((text) => !/[[\]{}\\]/.test(text), 'a pattern of * and ? only; no [ ] { } or \\');

const pointsWords = 'whole basis points from 0 to 10 000';

const armSchema = z
  .strictObject({
    name: word.optional(),
    model: modelName,
    basis_points: z.int(pointsWords).min(0, pointsWords).max(10_000, pointsWords),
  })
  .transform(({ name, model, basis_points: basisPoints }) => ({
    name: name ?? model.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 64),
    model,
    basisPoints,
  }));

const splitSchema = z
  .strictObject({
    name: word,
    model_pattern: modelPattern,
    salt: z.string().min(1).max(64).optional(),
    arms: z.array(armSchema).min(2, 'at least two arms').max(20, 'at most 20 arms'),
  })
  .transform(({ name, model_pattern: model, salt, arms }) => ({
    name,
    model,
    salt: salt ?? name,
    arms,
  }));

const percentWords = 'a percentage from 0 to 100';

const shadowSchema = z
  .strictObject({
    name: word,
    model_pattern: modelPattern,
    to_backend: backendId.optional(),
    to_model: modelName.optional(),
    percent: z.number(percentWords).min(0, percentWords).max(100, percentWords),
    except_groups: z.array(z.string().min(1).max(255)).max(1000).optional(),
  })
  .refine(({ to_backend, to_model }) => to_backend !== undefined || to_model !== undefined, {
    message: 'to_backend or to_model, or both: where the copies go',
    path: ['to_backend'],
  })
  .transform((rule) => ({
    name: rule.name,
    model: rule.model_pattern,
    toBackend: rule.to_backend,
    toModel: rule.to_model,
    basisPoints: Math.round(rule.percent * 100),
    exceptGroups: rule.except_groups ?? [],
  }));

export const trafficOptions = {
  splits: structure<readonly z.output<typeof splitSchema>[]>({
    schema: z.array(splitSchema).max(100),
    fallback: [],
    fallbackWords: 'none',
    expected: 'a list of experiments with name, model_pattern, arms [name, model, basis_points]',
    words:
      'Experiments: the first whose model_pattern matches the resolved model gives each client an arm, always the same one, and the request goes to the model of that arm. The basis points of its arms sum to 10 000; the first arm is the base, from which the others take.',
  }),
  shadows: structure<readonly z.output<typeof shadowSchema>[]>({
    schema: z.array(shadowSchema).max(100),
    fallback: [],
    fallbackWords: 'none',
    expected: 'a list of rules with name, model_pattern, to_backend, to_model, percent',
    words:
      'Copies: of answered requests for a matching model the given per cent are sent once more, to a backend or a model that is tried out. Nobody waits for a copy or gets its answer; the two answers are compared. Groups in except_groups are left out.',
  }),
  shadow: {
    queueSize: integer({
      fallback: 100,
      min: 0,
      max: 10_000,
      unit: 'requests',
      words: 'Copies that wait on one gateway thread; more are dropped and counted.',
    }),
    inFlight: integer({
      fallback: 2,
      min: 1,
      max: 64,
      unit: 'requests',
      words: 'Copies that one gateway thread has under way at once, on connections of their own.',
    }),
    timeoutSeconds: integer({
      fallback: 120,
      min: 1,
      max: 3600,
      unit: 's',
      words: 'Time after which a copy is given up.',
    }),
  },
  degradation: {
    enabled: switched({
      fallback: false,
      words:
        'Keep whole answers in memory, and give the one to the same question of the same group when no backend is left, marked as degraded.',
    }),
    maxAgeSeconds: integer({
      fallback: 300,
      min: 1,
      max: 86_400,
      unit: 's',
      words: 'How old such an answer may be.',
    }),
    cacheMb: decimal({
      fallback: 32,
      min: 0.1,
      max: 4096,
      unit: 'MB',
      words: 'Memory for such answers on each gateway thread; the oldest go first.',
    }),
    restricted: switched({
      fallback: false,
      words: 'Keep answers of models that a rule holds in the restricted zone, too.',
    }),
  },
} as const;
