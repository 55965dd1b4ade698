// Bench `routing`: what the choice of a backend is worth. Production decisions on production counters over
// simulated engines, all on virtual time, so that the figures are the same on every machine and every run.
// What each workload is and what was changed of it stands in workloads.ts and docs/benchmarks.md.
import { existsSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Strategy, strategies } from '../../src/base/routing-words.ts';
import type { EngineProfileName } from '../../src/core/workload/engine/constants.ts';
import type { Benchmark, BenchmarkContext, Measured } from '../harness/benchmark.ts';
import { rounded } from '../harness/statistics.ts';
import {
  capacityOf,
  engineCount,
  fleetOf,
  type Played,
  type PlayOptions,
  play,
  type SpeedRange,
} from './play.ts';
import { type SloPanel, sloPlot } from './slo-plot.ts';
import {
  agentTrace,
  perfectlyCached,
  type SharedShape,
  sharedPrefixes,
  traceFiles,
  traceOf,
  type Workload,
  workingSetTokens,
} from './workloads.ts';

const seed = 20_261_122;
const usualLoad = 0.7;
/** Part of the working set that the cache of one engine holds. */
const usualShare = 0.3;
const otherShares = [0.1, 0.6] as const;
const loads = [0.7, 0.9, 1.1] as const;
const sharedRequests = 2000;
const agentConversations = 12;
const mooncakeRows = 1500;
const azureRows = { conv: 4000, code: 3000 } as const;
const plotFile = join(import.meta.dirname, '..', '..', 'docs', 'routing-slo.svg');

/** Tenants and beginnings as llm-d measured them, questions and answers as short as SGLang's. */
const shared: SharedShape = {
  name: 'shared',
  tenants: 150,
  sharedTokens: 6144,
  questionTokens: 256,
  answerTokens: 256,
};
/** The two published shapes themselves: llm-d's, and `generated-shared-prefix` of SGLang. */
const published: readonly SharedShape[] = [
  { ...shared, name: 'llm_d', questionTokens: 1200, answerTokens: 1000 },
  { name: 'sglang', tenants: 64, sharedTokens: 2048, questionTokens: 128, answerTokens: 256 },
];

type Metrics = Record<string, number>;

type Setting = {
  readonly workload: Workload;
  readonly profile: EngineProfileName;
  readonly range: SpeedRange;
};

const sharedRange: SpeedRange = { from: 1, to: 32, steps: 6 };

export const routingBenchmark: Benchmark = {
  name: 'routing',
  words: 'what routing buys: first tokens, goodput and hot spots on simulated engines',
  targets: { ttft_p90_gain_over_round_robin: { op: '>=', value: 5 } },
  run,
};

async function run({ say }: BenchmarkContext): Promise<Measured> {
  const metrics: Metrics = {};
  const missing: string[] = [];
  playShared(metrics, say);
  for (const shape of published) playUsual(settingOf(shape), metrics, say);
  if (has(traceFiles.mooncake, missing, say)) {
    const workload = await traceOf('mooncake', traceFiles.mooncake, mooncakeRows);
    const range = { from: 0.1, to: 0.8, steps: 4 };
    playMooncake({ workload, profile: 'h100-7b', range }, metrics, say);
  }
  if (has(traceFiles.agents, missing, say)) {
    const workload = await agentTrace(traceFiles.agents, agentConversations, seed);
    const range = { from: 1, to: 16, steps: 5 };
    playAgents({ workload, profile: 'h100-7b', range }, metrics, say);
  }
  const panels = await playAzure(metrics, missing, say);
  if (panels.length > 0) writeFileSync(plotFile, sloPlot(panels, loads.map(loadWords)));
  return { metrics, config: configuration(), missing };
}

function loadWords(load: number): string {
  return `${Math.round(load * 100)} % of capacity`;
}

function configuration(): Measured['config'] {
  return {
    seed,
    engines: engineCount,
    profiles: { shared: 'a100-7b', azure: 'a100-7b', mooncake: 'h100-7b', agents: 'h100-7b' },
    shared,
    published,
    requests: { shared: sharedRequests, mooncake: mooncakeRows, azure: azureRows },
    agent_conversations: agentConversations,
    load: usualLoad,
    cache_share_of_working_set: usualShare,
  };
}

function has(file: string, missing: string[], say: (line: string) => void): boolean {
  if (existsSync(file)) return true;
  say(`skipped: ${file} is not at hand; TENSORFORGE_TRACES says where traces are`);
  missing.push(`trace ${basename(file)}`);
  return false;
}

function settingOf(shape: SharedShape): Setting {
  const workload = sharedPrefixes(shape, sharedRequests, seed);
  return { workload, profile: 'a100-7b', range: sharedRange };
}

function cachedFleet({ workload, profile }: Setting, share: number) {
  return fleetOf(profile, Math.floor(workingSetTokens(workload) * share));
}

/** The workload of the target, each size of the cache at 70 % of its own capacity. */
function playShared(metrics: Metrics, say: (line: string) => void): void {
  const setting = settingOf(shared);
  playUsual(setting, metrics, say);
  for (const share of otherShares) {
    const speed = capacityAt(setting, share, metrics, say);
    if (speed !== undefined) compare(setting, share, speed * usualLoad, metrics, say);
  }
  metrics['ttft_p90_gain_over_round_robin'] = metrics['ttft_p90_gain_shared_30'] ?? Number.NaN;
  metrics['goodput'] = metrics['goodput_shared_30_prefix_affinity'] ?? Number.NaN;
  metrics['hot_spot_index'] = metrics['hot_spot_index_shared_30_prefix_affinity'] ?? Number.NaN;
}

/** At 30 % and its capacity, with what nobody could beat; the speed that it was played at. */
function playUsual(
  setting: Setting,
  metrics: Metrics,
  say: (line: string) => void,
): number | undefined {
  const { workload } = setting;
  const capacity = capacityAt(setting, usualShare, metrics, say);
  if (capacity === undefined) return undefined;
  const speed = capacity * usualLoad;
  const base = compare(setting, usualShare, speed, metrics, say);
  const best = play(cachedFleet(setting, usualShare), perfectlyCached(workload), {
    strategy: 'least_tokens',
    speed,
  });
  metrics[`ttft_p90_gain_bound_${workload.name}`] = rounded(base.p90Ms / best.p90Ms, 2);
  return speed;
}

/** 10 and 60 % at the rate of 30 %: the traces are long, and a search for each would take minutes. */
function playAllShares(
  setting: Setting,
  metrics: Metrics,
  say: (line: string) => void,
): number | undefined {
  const speed = playUsual(setting, metrics, say);
  if (speed === undefined) return undefined;
  for (const share of otherShares) compare(setting, share, speed, metrics, say);
  return speed;
}

/** All its prompts begin with the same 512 tokens, so also as if twice as many were hashed. */
function playMooncake(setting: Setting, metrics: Metrics, say: (line: string) => void): void {
  const speed = playAllShares(setting, metrics, say);
  if (speed === undefined) return;
  const options = { strategy: 'prefix_affinity', speed, keyIds: 2 } as const;
  variant('mooncake_30_longer_key', setting, options, metrics, say);
}

/** Conversations also by their session, and as if all of them began with the same system prompt. */
function playAgents(setting: Setting, metrics: Metrics, say: (line: string) => void): void {
  const speed = playAllShares(setting, metrics, say);
  if (speed === undefined) return;
  variant('agents_30_sticky', setting, { strategy: 'sticky', speed }, metrics, say);
  const options = { strategy: 'prefix_affinity', speed, keyIds: 0 } as const;
  variant('agents_30_one_beginning', setting, options, metrics, say);
}

/** Played in another way beside what {@link compare} has told of 30 %. */
function variant(
  name: string,
  setting: Setting,
  options: PlayOptions,
  metrics: Metrics,
  say: (line: string) => void,
): void {
  const played = play(cachedFleet(setting, usualShare), setting.workload, options);
  const baseMs = metrics[`ttft_p90_ms_${nameOf(setting, usualShare)}_round_robin`] ?? Number.NaN;
  metrics[`ttft_p90_gain_${name}`] = rounded(baseMs / played.p90Ms, 2);
  tell(name, played, metrics);
  say(`${name}: gain ${metrics[`ttft_p90_gain_${name}`]}`);
}

function nameOf({ workload }: Setting, share: number): string {
  return `${workload.name}_${Math.round(share * 100)}`;
}

function capacityAt(
  setting: Setting,
  share: number,
  metrics: Metrics,
  say: (line: string) => void,
): number | undefined {
  const { workload, range } = setting;
  const speed = capacityOf(cachedFleet(setting, share), workload, range);
  const name = nameOf(setting, share);
  if (speed !== undefined) metrics[`capacity_rps_${name}`] = rounded(speed * rateOf(workload), 2);
  say(`${name}: capacity ${metrics[`capacity_rps_${name}`] ?? 'none'} requests a second`);
  return speed;
}

/** Requests a second at speed 1. */
function rateOf({ arrivals }: Workload): number {
  return arrivals.length / ((arrivals.at(-1)?.atUs ?? 0) / 1e6);
}

/** Round robin and prefix affinity on the same requests; answers with round robin's. */
function compare(
  setting: Setting,
  share: number,
  speed: number,
  metrics: Metrics,
  say: (line: string) => void,
): Played {
  const name = nameOf(setting, share);
  const fleet = cachedFleet(setting, share);
  const base = play(fleet, setting.workload, { strategy: 'round_robin', speed });
  const own = play(fleet, setting.workload, { strategy: 'prefix_affinity', speed });
  metrics[`ttft_p90_gain_${name}`] = rounded(base.p90Ms / own.p90Ms, 2);
  const both: readonly [Strategy, Played][] = [
    ['round_robin', base],
    ['prefix_affinity', own],
  ];
  for (const [strategy, played] of both) tell(`${name}_${strategy}`, played, metrics);
  const words = both.map(([strategy, { p90Ms }]) => `${strategy} p90 ${p90Ms.toFixed(0)} ms`);
  say(`${name}: ${words.join(', ')}, gain ${metrics[`ttft_p90_gain_${name}`]}`);
  return base;
}

function tell(name: string, played: Played, metrics: Metrics): void {
  metrics[`ttft_p90_ms_${name}`] = rounded(played.p90Ms, 1);
  metrics[`goodput_${name}`] = rounded(played.goodput, 4);
  metrics[`hot_spot_index_${name}`] = rounded(played.hotSpotIndex, 3);
  metrics[`cached_share_${name}`] = rounded(played.cachedShare, 4);
}

/** Every policy at three loads; the caches as large as the engine has them, and nothing shared. */
async function playAzure(
  metrics: Metrics,
  missing: string[],
  say: (line: string) => void,
): Promise<SloPanel[]> {
  const panels: SloPanel[] = [];
  const sources = [
    { name: 'conv', title: 'Azure conversation', file: traceFiles.azureConversation },
    { name: 'code', title: 'Azure code', file: traceFiles.azureCode },
  ] as const;
  for (const { name, title, file } of sources) {
    if (!has(file, missing, say)) continue;
    const workload = await traceOf(`azure_${name}`, file, azureRows[name]);
    panels.push({ title, rows: sloRows(workload, metrics, say) });
  }
  return panels;
}

function sloRows(
  workload: Workload,
  metrics: Metrics,
  say: (line: string) => void,
): SloPanel['rows'] {
  const fleet = fleetOf('a100-7b', usualKvTokens);
  const capacity = capacityOf(fleet, workload, { from: 0.5, to: 16, steps: 6 });
  if (capacity === undefined) return [];
  metrics[`capacity_rps_${workload.name}`] = rounded(capacity * rateOf(workload), 2);
  return strategies.map((strategy) => {
    const shares = loads.map((load) => {
      const { goodput } = play(fleet, workload, { strategy, speed: capacity * load });
      metrics[`slo_${workload.name}_${Math.round(load * 100)}_${strategy}`] = rounded(goodput, 4);
      return goodput;
    });
    const words = shares.map((share) => `${(share * 100).toFixed(1)} %`);
    say(`${workload.name} ${strategy}: ${words.join(', ')} served well at 70, 90, 110 %`);
    return { name: strategy, shares };
  });
}

/** Of the profile: a key-value cache in what the weights leave of 80 GB. */
const usualKvTokens = 121_752;
