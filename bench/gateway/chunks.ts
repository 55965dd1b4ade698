// What a chunk of a stream costs on its way, in CPU and in time. The mock stamps each event when it writes
// it, and the load client reads the same clock, so the delay of every single chunk is known.
import { cpuTimeNs } from '../harness/process-usage.ts';
import { median } from '../harness/statistics.ts';
import { chatBody, type Endpoint, rawRequest, requestFile } from './requests.ts';
import { type Contender, rounds } from './rounds.ts';
import type { LoadClient } from './tools.ts';

/** Streams for the CPU of a chunk: enough that the rest of the process hardly shows. */
export const costedStreams = { count: 128, chunks: 300, intervalMs: 10, spreadMs: 200 } as const;
/** Streams for the delay of a chunk; they begin anywhere within ten of its intervals. */
export const timedStreams = { count: 16, chunks: 64, intervalMs: 20, spreadMs: 200 } as const;

type Streams = typeof costedStreams | typeof timedStreams;

function fileFor(scratch: string, name: string, endpoint: Endpoint, streams: Streams): string {
  const { chunks, intervalMs } = streams;
  return requestFile(scratch, name, rawRequest(endpoint, chatBody({ chunks, intervalMs })));
}

/** CPU of each contender for a chunk, us: medians over interleaved rounds, after one that warms up. */
export async function chunkCosts(
  client: LoadClient,
  scratch: string,
  contenders: readonly Contender[],
): Promise<ReadonlyMap<string, number>> {
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  const files = contenders.map((contender, at) =>
    fileFor(scratch, `chunks-${at}.http`, contender, costedStreams),
  );
  for (let round = 0; round <= rounds; round += 1) {
    for (const [at, { name, pid, port }] of contenders.entries()) {
      const before = cpuTimeNs(pid);
      const { events } = await client.streams(port, files[at] ?? '', costedStreams);
      const usedUs = (cpuTimeNs(pid) - before) / 1000;
      if (round > 0) samples.get(name)?.push(usedUs / events);
    }
  }
  return new Map([...samples].map(([name, list]) => [name, median(list)]));
}

/** p99 of the delays of chunks through it minus without it, us: the median over the rounds. */
export async function addedPerChunk(
  client: LoadClient,
  scratch: string,
  endpoints: { readonly direct: Endpoint; readonly through: Endpoint },
): Promise<number> {
  const added: number[] = [];
  const p99Us = async (name: string, endpoint: Endpoint): Promise<number> => {
    const file = fileFor(scratch, `phase-${name}.http`, endpoint, timedStreams);
    return (await client.streams(endpoint.port, file, timedStreams)).chunk.p99_ns / 1000;
  };
  for (let round = 0; round < rounds; round += 1) {
    const direct = await p99Us('direct', endpoints.direct);
    added.push((await p99Us('through', endpoints.through)) - direct);
  }
  return median(added);
}
