// The price list as a file of our own format: dated, in USD, most particular price first.
//
//   dated: 2026-11-01
//   prices:
//     - model: gpt-4o*                    # a glob; holds for cloud backends
//       input_usd_per_million: 2.5
//       cached_input_usd_per_million: 1.25
//       output_usd_per_million: 10
//     - backend: gpu-box-*                # backends by id, of one's own too
//       gpu_usd_per_second: 0.0008
//
//   P1  A result is a whole list without a fault, or at least one fault.

import { z } from 'zod';
import { err, ok, type Result } from '../base/result.ts';
import { type ConfigurationFault, shownValue } from './fault.ts';
import { parseYamlFile } from './yaml-file.ts';

const usdPerMillionMax = 1000;
const perMillionWords = `a number from 0 to ${usdPerMillionMax}, USD for a million tokens`;
const perSecondWords = 'a number from 0 to 1, USD for a second of work';
const globWords = 'a text of 1 to 1000 characters; * and ? stand for others';
const entryWords =
  'an entry with model or backend, and input_usd_per_million with output_usd_per_million, or gpu_usd_per_second';

const perMillion = z
  .number(perMillionWords)
  .min(0, perMillionWords)
  .max(usdPerMillionMax, perMillionWords);
const glob = z.string(globWords).min(1, globWords).max(1000, globWords);

const entrySchema = z
  .strictObject({
    model: glob.optional(),
    backend: glob.optional(),
    input_usd_per_million: perMillion.optional(),
    cached_input_usd_per_million: perMillion.optional(),
    output_usd_per_million: perMillion.optional(),
    gpu_usd_per_second: z
      .number(perSecondWords)
      .min(0, perSecondWords)
      .max(1, perSecondWords)
      .optional(),
  })
  .superRefine((entry, context) => {
    const { input_usd_per_million: input, output_usd_per_million: output } = entry;
    const isNamed = entry.model !== undefined || entry.backend !== undefined;
    const isPriced = entry.gpu_usd_per_second !== undefined || input !== undefined;
    const isPair = (input === undefined) === (output === undefined);
    const hasInput = entry.cached_input_usd_per_million === undefined || input !== undefined;
    if (isNamed && isPriced && isPair && hasInput) return;
    context.addIssue({ code: 'custom', message: entryWords });
  })
  .transform((entry) => ({
    model: entry.model,
    backend: entry.backend,
    inputUsdPerMillion: entry.input_usd_per_million ?? 0,
    cachedInputUsdPerMillion:
      entry.cached_input_usd_per_million ?? entry.input_usd_per_million ?? 0,
    outputUsdPerMillion: entry.output_usd_per_million ?? 0,
    gpuUsdPerSecond: entry.gpu_usd_per_second ?? 0,
  }));

const datedWords = 'a day, such as 2026-11-01';
const entriesMax = 10_000;
const listWords = `a list of 1 to ${entriesMax} prices`;

const fileSchema = z.strictObject({
  dated: z
    .string(datedWords)
    .refine(
      (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)),
      datedWords,
    ),
  prices: z.array(entrySchema, listWords).min(1, listWords).max(entriesMax, listWords),
});

export type PriceFile = z.output<typeof fileSchema>;

function pathWords(steps: readonly (string | number)[]): string {
  return steps
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

function valueAt(values: unknown, steps: readonly (string | number)[]): unknown {
  return steps.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined),
    values,
  );
}

/** Reads the text of the file named `origin`; every fault of it, each with its line. */
export function readPriceFile(
  text: string,
  origin: string,
): Result<PriceFile, readonly ConfigurationFault[]> {
  const file = parseYamlFile(text, origin);
  if (file.faults.length > 0) return err(file.faults);
  const outcome = fileSchema.safeParse(file.values);
  if (outcome.success) return ok(outcome.data);
  const faults = outcome.error.issues.flatMap((issue) => {
    const above = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [key]) : [[]];
    return unknown.map((key): ConfigurationFault => {
      const steps = [...above, ...key];
      const line = file.lineOf(steps);
      const where = line === undefined ? {} : { line };
      const value = shownValue(valueAt(file.values, steps), false);
      const expected = key.length === 0 ? issue.message : 'no key of this name';
      return { path: pathWords(steps), value, expected, source: 'file', origin, ...where };
    });
  });
  return err(faults);
}
