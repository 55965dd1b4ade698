// The routing settings within the root of a snapshot document. Members that came later are left out
// where they say nothing, so that documents of before keep their digest and mean what they meant. What
// happens beside decisions and after them, copies and kept answers, is no part of it.

import type { Json } from '../../base/canonical.ts';
import { canonicalJson } from '../../base/canonical.ts';
import {
  type HardLimitAction,
  hardLimitActions,
  type Strategy,
  strategies,
} from '../../base/routing-words.ts';
import type { ModelRule } from '../routing/model-rule.ts';
import {
  type AffinitySettings,
  type Place,
  type RoutingSettings,
  usualSettings,
} from '../routing/snapshot.ts';
import type { SplitArm, TrafficSplit } from '../routing/split.ts';
import type { PriceRule } from '../usage/price-table.ts';
import type { JsonReader } from './json-reader.ts';

function ruleDocument({ model, privacy, minTier, fallbackAllowed }: ModelRule): Json {
  return { model, privacy, min_tier: minTier ?? null, fallback_allowed: fallbackAllowed };
}

function affinityDocument(affinity: AffinitySettings): Json {
  return {
    gate_requests: affinity.gateRequests,
    gate_ratio: affinity.gateRatio,
    load_factor: affinity.loadFactor,
    explore_percent: affinity.explorePercent,
    swap_ms: affinity.swapMs,
  };
}

function splitDocument({ name, model, salt, arms }: TrafficSplit): Json {
  return {
    name,
    model,
    salt,
    arms: arms.map((arm) => ({ name: arm.name, model: arm.model, basis_points: arm.basisPoints })),
  };
}

function priceDocument(rule: PriceRule): Json {
  return {
    model: rule.model ?? null,
    backend: rule.backend ?? null,
    input: rule.inputPerMillion,
    cached_input: rule.cachedInputPerMillion,
    output: rule.outputPerMillion,
    gpu_second: rule.perGpuSecond,
  };
}

/** Those members of `all` that are not what they usually are. */
function unusual(
  all: Readonly<Record<string, Json>>,
  usual: Readonly<Record<string, Json>>,
): Readonly<Record<string, Json>> {
  const kept = Object.entries(all).filter(
    ([name, value]) => canonicalJson(value) !== canonicalJson(usual[name] ?? null),
  );
  return Object.fromEntries(kept);
}

function laterMembers(settings: RoutingSettings): Readonly<Record<string, Json>> {
  const { regions } = settings;
  return {
    fallbacks: Object.fromEntries(
      Object.entries(settings.fallbacks).map(([model, to]) => [model, [...to]]),
    ),
    policies: settings.policies.map(ruleDocument),
    backend_weights: settings.backendWeights,
    regions: Object.fromEntries(
      Object.entries(regions).map(([name, { latitude, longitude }]) => [
        name,
        { latitude, longitude },
      ]),
    ),
    backend_regions: settings.backendRegions,
    affinity: affinityDocument(settings.affinity),
    ttft_penalty_ms: settings.quality.ttftPenaltyMs,
    hard_limit_action: settings.hardLimitAction,
    ejected_percent: settings.ejectedPercent,
    prices: settings.prices.map(priceDocument),
    splits: settings.splits.map(splitDocument),
  };
}

export function settingsDocument(settings: RoutingSettings): Json {
  const { strategy, weights, maxRetries, aliases } = settings;
  const { priority, load, latency } = weights;
  return {
    strategy,
    weights: { priority, load, latency },
    max_retries: maxRetries,
    aliases,
    ...unusual(laterMembers(settings), laterMembers(usualSettings)),
  };
}

/** Notes in `reader` what is no such document. */
export function readSettings(reader: JsonReader, json: unknown): RoutingSettings {
  const at = 'settings';
  const weights = reader.member(json, 'weights');
  const weight = (name: string): number =>
    reader.number(reader.member(weights, name), `${at}.weights.${name}`);
  const aliases = reader.entries(reader.member(json, 'aliases'), `${at}.aliases`);
  return {
    strategy: reader.oneOf<Strategy>(reader.member(json, 'strategy'), strategies, `${at}.strategy`),
    weights: { priority: weight('priority'), load: weight('load'), latency: weight('latency') },
    maxRetries: reader.number(reader.member(json, 'max_retries'), `${at}.max_retries`),
    aliases: Object.fromEntries(
      aliases.map(([name, to]) => [name, reader.text(to, `${at}.aliases.${name}`)]),
    ),
    shadows: usualSettings.shadows,
    shadow: usualSettings.shadow,
    degradation: usualSettings.degradation,
    ...readLater(reader, json, at),
  };
}

type Later = Omit<
  RoutingSettings,
  'strategy' | 'weights' | 'maxRetries' | 'aliases' | 'shadows' | 'shadow' | 'degradation'
>;

function readLater(reader: JsonReader, json: unknown, at: string): Later {
  const read = <T>(name: string, usual: T, how: (value: unknown, at: string) => T): T => {
    const value = reader.member(json, name);
    return value === undefined ? usual : how(value, `${at}.${name}`);
  };
  const record = <T>(value: unknown, place: string, how: (item: unknown, at: string) => T) =>
    Object.fromEntries(
      reader.entries(value, place).map(([name, item]) => [name, how(item, `${place}.${name}`)]),
    );
  const list = <T>(value: unknown, place: string, how: (item: unknown, at: string) => T) =>
    reader.list(value, place).map((item, i) => how(item, `${place}[${i}]`));
  const text = (value: unknown, place: string): string => reader.text(value, place);
  const number = (value: unknown, place: string): number => reader.number(value, place);
  const { quality } = usualSettings;
  return {
    fallbacks: read('fallbacks', usualSettings.fallbacks, (value, place) =>
      record(value, place, (item, inner) => list(item, inner, text)),
    ),
    policies: read('policies', usualSettings.policies, (value, place) =>
      list(value, place, (item, inner) => readRule(reader, item, inner)),
    ),
    backendWeights: read('backend_weights', usualSettings.backendWeights, (value, place) =>
      record(value, place, number),
    ),
    regions: read('regions', usualSettings.regions, (value, place) =>
      record(value, place, (item, inner) => readPlace(reader, item, inner)),
    ),
    backendRegions: read('backend_regions', usualSettings.backendRegions, (value, place) =>
      record(value, place, text),
    ),
    affinity: read('affinity', usualSettings.affinity, (value, place) =>
      readAffinity(reader, value, place),
    ),
    quality: { ttftPenaltyMs: read('ttft_penalty_ms', quality.ttftPenaltyMs, number) },
    hardLimitAction: read('hard_limit_action', usualSettings.hardLimitAction, (value, place) =>
      reader.oneOf<HardLimitAction>(value, hardLimitActions, place),
    ),
    ejectedPercent: read('ejected_percent', usualSettings.ejectedPercent, number),
    prices: read('prices', usualSettings.prices, (value, place) =>
      list(value, place, (item, inner) => readPrice(reader, item, inner)),
    ),
    splits: read('splits', usualSettings.splits, (value, place) =>
      list(value, place, (item, inner) => readSplit(reader, item, inner)),
    ),
  };
}

function readRule(reader: JsonReader, json: unknown, at: string): ModelRule {
  const minTier = reader.member(json, 'min_tier');
  return {
    model: reader.text(reader.member(json, 'model'), `${at}.model`),
    privacy: reader.oneOf<ModelRule['privacy']>(
      reader.member(json, 'privacy'),
      ['unrestricted', 'restricted'],
      `${at}.privacy`,
    ),
    minTier: minTier === null ? undefined : reader.number(minTier, `${at}.min_tier`),
    fallbackAllowed: reader.flag(reader.member(json, 'fallback_allowed'), `${at}.fallback_allowed`),
  };
}

function readSplit(reader: JsonReader, json: unknown, at: string): TrafficSplit {
  const text = (name: string): string => reader.text(reader.member(json, name), `${at}.${name}`);
  const arms = reader.list(reader.member(json, 'arms'), `${at}.arms`);
  return {
    name: text('name'),
    model: text('model'),
    salt: text('salt'),
    arms: arms.map((arm, i) => readArm(reader, arm, `${at}.arms[${i}]`)),
  };
}

function readArm(reader: JsonReader, json: unknown, at: string): SplitArm {
  return {
    name: reader.text(reader.member(json, 'name'), `${at}.name`),
    model: reader.text(reader.member(json, 'model'), `${at}.model`),
    basisPoints: reader.number(reader.member(json, 'basis_points'), `${at}.basis_points`),
  };
}

function readPrice(reader: JsonReader, json: unknown, at: string): PriceRule {
  const figure = (name: string): number =>
    reader.number(reader.member(json, name), `${at}.${name}`);
  const glob = (name: string): string | undefined => {
    const value = reader.member(json, name);
    return value === null ? undefined : reader.text(value, `${at}.${name}`);
  };
  return {
    model: glob('model'),
    backend: glob('backend'),
    inputPerMillion: figure('input'),
    cachedInputPerMillion: figure('cached_input'),
    outputPerMillion: figure('output'),
    perGpuSecond: figure('gpu_second'),
  };
}

function readPlace(reader: JsonReader, json: unknown, at: string): Place {
  const degrees = (name: string): number =>
    reader.number(reader.member(json, name), `${at}.${name}`);
  return { latitude: degrees('latitude'), longitude: degrees('longitude') };
}

function readAffinity(reader: JsonReader, json: unknown, at: string): AffinitySettings {
  const figure = (name: string): number =>
    reader.number(reader.member(json, name), `${at}.${name}`);
  return {
    gateRequests: figure('gate_requests'),
    gateRatio: figure('gate_ratio'),
    loadFactor: figure('load_factor'),
    explorePercent: figure('explore_percent'),
    swapMs: figure('swap_ms'),
  };
}
