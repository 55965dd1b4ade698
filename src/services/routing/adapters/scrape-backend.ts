// Asking one backend how busy it is: its metrics, or for llama.cpp without metrics its slots. None of
// the questions loads a model, and none keeps a llama.cpp awake that puts its model to sleep: `/slots`
// counts as work there, and is asked only of builds that cannot sleep.
// Source: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md, "Sleeping on Idle".

import type { Backend } from '../../../core/backends/backend.ts';
import type { ProbeAnswer, ProbeClient, TextAnswer } from '../../../io/http/probe/probe-client.ts';
import { parseMetrics } from '../../../protocol/prometheus/parse.ts';
import { credentialHeaders, type ReadCredential } from './credential-headers.ts';
import { type LoadReading, loadMetricNames, loadOf, sumOfLoads } from './engine-metrics.ts';
import { flagOf, listOf, memberOf } from './json-shape.ts';
import { routerMode } from './llamacpp.ts';
import type { ProbeContext } from './probe-result.ts';

/** The time-out of one reading over all its questions, ms. */
const scrapeTimeoutMs = 2_000;

/** Loaded models of a router that are asked in one reading. */
const routedMax = 16;

export type ScrapeTarget = Pick<
  Backend,
  | 'id'
  | 'url'
  | 'backendType'
  | 'apiKeyEnv'
  | 'discoverySource'
  | 'approved'
  | 'metadata'
  | 'runtime'
>;

export type Scrape =
  | { readonly kind: 'reading'; readonly load: LoadReading }
  /** It shows no such figures, and will hardly begin to. */
  | { readonly kind: 'absent' }
  /** Not this time. */
  | { readonly kind: 'failed' };

/** Never rejects for anything that the backend does. */
export type ScrapeBackend = (target: ScrapeTarget, signal?: AbortSignal) => Promise<Scrape>;

const absent: Scrape = { kind: 'absent' };
const failed: Scrape = { kind: 'failed' };

/** Answers of servers without that page: not there, not switched on, or not for this key. */
const absentStatuses: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 501]);

function refusalOf(answer: ProbeAnswer | TextAnswer): Scrape | undefined {
  if (!answer.ok) return failed;
  if (answer.status === 200) return undefined;
  return absentStatuses.has(answer.status) ? absent : failed;
}

async function readMetrics({ session, headers }: ProbeContext, path: string): Promise<Scrape> {
  const answer = await session.getText(path, headers);
  const refusal = refusalOf(answer);
  if (refusal !== undefined || !answer.ok) return refusal ?? failed;
  const samples = parseMetrics(answer.text, loadMetricNames);
  if (!samples.ok) return failed;
  const load = loadOf(samples.value);
  return load === undefined ? absent : { kind: 'reading', load };
}

/** Slots that work; builds before 2024-12 wrote `state` 1 for it. */
async function readSlots({ session, headers }: ProbeContext): Promise<Scrape> {
  const answer = await session.get('/slots', headers);
  const refusal = refusalOf(answer);
  if (refusal !== undefined || !answer.ok) return refusal ?? failed;
  const slots = listOf(answer.json);
  if (slots === undefined) return absent;
  const busy = slots.filter(
    (slot) => memberOf(slot, 'is_processing') === true || memberOf(slot, 'state') === 1,
  );
  return { kind: 'reading', load: { running: busy.length, waiting: undefined, kvUse: undefined } };
}

async function scrapeLlamacpp(context: ProbeContext): Promise<Scrape> {
  const { session, headers } = context;
  const answer = await session.get('/props', headers);
  const asleep = answer.ok ? flagOf(memberOf(answer.json, 'is_sleeping')) : undefined;
  if (asleep === true) {
    return { kind: 'reading', load: { running: 0, waiting: 0, kvUse: undefined } };
  }
  const metrics = await readMetrics(context, '/metrics');
  return metrics.kind === 'absent' && asleep === undefined ? readSlots(context) : metrics;
}

/** A router has metrics of each model; asked without `autoload=false` they would load it. */
async function scrapeRouter(context: ProbeContext, target: ScrapeTarget): Promise<Scrape> {
  const loaded = target.runtime.filter((model) => model.loaded === true).slice(0, routedMax);
  if (loaded.length === 0) {
    return { kind: 'reading', load: { running: 0, waiting: 0, kvUse: undefined } };
  }
  const readings: LoadReading[] = [];
  for (const { id } of loaded) {
    const path = `/metrics?model=${encodeURIComponent(id)}&autoload=false`;
    const scrape = await readMetrics(context, path);
    if (scrape.kind === 'reading') readings.push(scrape.load);
    // One that was unloaded meanwhile has no figures; of a failure the sum would be too small.
    else if (scrape.kind === 'failed') return failed;
  }
  const load = sumOfLoads(readings);
  return load === undefined ? absent : { kind: 'reading', load };
}

/** trtllm-serve shows JSON at `/metrics`, and what Prometheus reads beside it. */
async function scrapeGeneric(context: ProbeContext, target: ScrapeTarget): Promise<Scrape> {
  if (target.metadata['engine'] !== 'trtllm') return readMetrics(context, '/metrics');
  const scrape = await readMetrics(context, '/prometheus/metrics');
  return scrape.kind === 'absent' ? readMetrics(context, '/metrics') : scrape;
}

function scrapeByType(context: ProbeContext, target: ScrapeTarget): Promise<Scrape> {
  switch (target.backendType) {
    case 'vllm':
      return readMetrics(context, '/metrics');
    case 'llamacpp':
      return target.metadata['mode'] === routerMode
        ? scrapeRouter(context, target)
        : scrapeLlamacpp(context);
    case 'generic':
      return scrapeGeneric(context, target);
    default:
      // Ollama, LM Studio and exo do not tell; a cloud is nobody's own.
      return Promise.resolve(absent);
  }
}

type ScrapeBackendOptions = {
  readonly client: ProbeClient;
  readonly readCredential: ReadCredential;
  readonly timeoutMs?: number;
};

export function createScrapeBackend(options: ScrapeBackendOptions): ScrapeBackend {
  return async (target, signal) => {
    const credential = credentialHeaders(target, options.readCredential);
    if (!credential.ok) return failed;
    const timeoutMs = options.timeoutMs ?? scrapeTimeoutMs;
    const session = options.client.session(target.url, timeoutMs, signal);
    return scrapeByType({ session, headers: credential.headers }, target);
  };
}
