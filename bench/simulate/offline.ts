// Simulated against recorded durations of an offline batch (ServeGen, data/offline). The records
// name neither model nor hardware nor replicas, are the head of a far larger batch, and two replica
// speeds show in one of them. So this proves nothing; it says how far two plain guesses are off,
// both of h100-7b: every request on an idle replica of its own, and the whole head on one replica
// at once.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Arrival } from '../../src/core/workload/traces/arrivals.ts';
import { textLines } from '../../src/io/files/text-lines.ts';
import { median, rounded } from '../harness/statistics.ts';
import { fleetOf, planned } from './plan.ts';

const files = { d: 'trace_d.head165.jsonl', e: 'trace_e.head171.jsonl' } as const;
const profile = 'h100-7b';

const recordSchema = z.object({
  input_length: z.int().min(0),
  output_length: z.int().min(0),
  duration: z.number().min(0),
});
type OfflineRecord = z.infer<typeof recordSchema>;

type Offline = {
  readonly metrics: Readonly<Record<string, number>>;
  readonly config: Readonly<Record<string, unknown>>;
};

/** Medians of |simulated - recorded| / recorded: over both files, for each, and on one replica. */
export async function offlineErrors(folder: string, say: (line: string) => void): Promise<Offline> {
  if (!existsSync(folder)) {
    say(`skipped: ${folder} is not at hand`);
    return { metrics: {}, config: { skipped: folder } };
  }
  const alone: number[] = [];
  const together: number[] = [];
  const metrics: Record<string, number> = {};
  for (const [name, file] of Object.entries(files)) {
    const records = await recordsOf(join(folder, file));
    const errors = errorsOf(records, records.length);
    metrics[`offline_duration_error_${name}`] = rounded(median(errors), 4);
    alone.push(...errors);
    together.push(...errorsOf(records, 1));
  }
  return {
    metrics: {
      offline_duration_error: rounded(median(alone), 4),
      ...metrics,
      offline_duration_error_one_replica: rounded(median(together), 4),
    },
    config: { profile, records: alone.length, replicas: 'one for each request' },
  };
}

async function recordsOf(file: string): Promise<OfflineRecord[]> {
  const records: OfflineRecord[] = [];
  for await (const line of textLines(file)) {
    if (line.trim() !== '') records.push(recordSchema.parse(JSON.parse(line)));
  }
  return records.filter((record) => record.output_length > 0 && record.duration > 0);
}

function errorsOf(records: readonly OfflineRecord[], replicas: number): number[] {
  const arrivals = records.map(
    (record): Arrival => ({
      atUs: 0,
      promptTokens: Math.max(1, record.input_length),
      outputTokens: record.output_length,
      model: undefined,
      prefixIds: [],
      stream: false,
    }),
  );
  const { log } = planned(fleetOf(replicas, profile), arrivals);
  return records.map((record, index) => {
    const simulatedMs = (log.totalUs[index] ?? 0) / 1000;
    return Math.abs(simulatedMs - record.duration) / record.duration;
  });
}
