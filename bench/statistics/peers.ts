// The libraries beside which bench statistics measures. Each is loaded by itself, so that one that
// is not there is told as missing and the rest is measured all the same.
import { createHistogram } from 'node:perf_hooks';
import { z } from 'zod';

type Digest = { push(value: number): void; percentile(share: number): number };

/** tdigest has no types of its own. */
const digestModule = z.object({
  TDigest: z.custom<new () => Digest>((value) => typeof value === 'function'),
});

async function loadDatadog() {
  const { DDSketch } = await import('@datadog/sketches-js');
  return DDSketch;
}

async function loadHdr() {
  const { build, initWebAssembly } = await import('hdr-histogram-js');
  await initWebAssembly();
  return build;
}

async function loadDigest() {
  // A name that is not constant, because the package declares no types to check against.
  const name: string = 'tdigest';
  return digestModule.parse((await import(name)).default).TDigest;
}

async function loadSimpleStatistics() {
  const { quantile, sampleCorrelation } = await import('simple-statistics');
  return { quantile, sampleCorrelation };
}

/** What `load` gives, or undefined with `name` among the missing. */
async function loaded<T>(
  name: string,
  load: () => Promise<T>,
  missing: string[],
): Promise<T | undefined> {
  try {
    return await load();
  } catch (error) {
    missing.push(`${name} (${error instanceof Error ? error.message.split('\n')[0] : error})`);
    return undefined;
  }
}

export async function loadPeers() {
  const missing: string[] = [];
  const datadog = await loaded('@datadog/sketches-js', loadDatadog, missing);
  const hdr = await loaded('hdr-histogram-js', loadHdr, missing);
  const digest = await loaded('tdigest', loadDigest, missing);
  const simple = await loaded('simple-statistics', loadSimpleStatistics, missing);
  return {
    datadog,
    hdr,
    digest,
    simple,
    histogram: () => createHistogram({ figures: 2 }),
    missing,
  };
}

export type Peers = Awaited<ReturnType<typeof loadPeers>>;
