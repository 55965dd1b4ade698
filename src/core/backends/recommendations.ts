// Which models to load where before they are asked for (specification BR 19). Advice only: nothing is
// ever loaded by it, and nothing is ever recommended that would push another model out.

import type { BackendId } from '../../base/brand.ts';
import { compareNumbers, compareText } from '../../base/compare.ts';
import type { Backend } from './backend.ts';
import { confidenceOf, type DemandBounds, type DemandPattern, isWorthLoading } from './demand.ts';
import { canOperate } from './lifecycle.ts';
import {
  checkVram,
  freeBytes,
  type MemoryVerdict,
  memoryOfModels,
  type VramRules,
} from './vram-check.ts';

export type ModelDemand = { readonly modelId: string; readonly pattern: DemandPattern };

export type AdviceRules = DemandBounds & VramRules & { readonly maxRecommendations: number };

export type Recommendation = {
  readonly modelId: string;
  /** Those that have its weights before those that would have to fetch them, then by id. */
  readonly targets: readonly BackendId[];
  /** 0 to 1. */
  readonly confidence: number;
  readonly reasoning: string;
  /** Undefined when no engine ever told. */
  readonly vramRequiredBytes: number | undefined;
};

type Candidate = {
  readonly id: BackendId;
  readonly hasWeights: boolean;
  readonly memory: MemoryVerdict;
};

/** The most that any backend tells the model to take; its weights where none had it loaded. */
function vramOf(modelId: string, backends: readonly Backend[]): number | undefined {
  const told = backends.flatMap((backend) => backend.runtime.filter(({ id }) => id === modelId));
  const sizes = told.flatMap(({ vramBytes, sizeBytes }) => vramBytes ?? sizeBytes ?? []);
  return sizes.length === 0 ? undefined : Math.max(...sizes);
}

/** Listed is loaded, unless the engine says that it is not. */
function hasLoaded(backend: Backend, modelId: string): boolean {
  if (!backend.models.some(({ id }) => id === modelId)) return false;
  return backend.runtime.find(({ id }) => id === modelId)?.loaded !== false;
}

function takesLoads(backend: Backend): boolean {
  const isIdle = backend.currentOperation === undefined && backend.closures.length === 0;
  return (
    backend.approved &&
    backend.status === 'healthy' &&
    isIdle &&
    canOperate(backend.backendType, 'load')
  );
}

function candidateOf(
  backend: Backend,
  modelId: string,
  required: number | undefined,
  rules: VramRules,
): Candidate | undefined {
  if (!takesLoads(backend) || hasLoaded(backend, modelId)) return undefined;
  const hasWeights = backend.models.some(({ id }) => id === modelId);
  if (!hasWeights && !canOperate(backend.backendType, 'download')) return undefined;
  const memory = memoryOfModels(backend.runtime);
  const verdict = checkVram(memory, rules);
  if (!verdict.ok) return undefined;
  const free = freeBytes(memory);
  if (free !== undefined && required !== undefined && required > free) return undefined;
  return { id: backend.id, hasWeights, memory: verdict.value };
}

function demandWords({ pattern }: ModelDemand): string {
  const times = pattern.peakRatio.toFixed(1);
  const peak = `peaks at ${String(pattern.peakHour).padStart(2, '0')}:00 UTC with ${times} times its mean`;
  const facts = [
    ...(pattern.isPatterned ? [peak] : []),
    ...(pattern.trend === 'stable' ? [] : [`demand is ${pattern.trend}`]),
    `${pattern.total} requests in ${pattern.spanDays} days`,
  ];
  return facts.join(', ');
}

function targetWords(candidates: readonly Candidate[]): string {
  const unknown = candidates.filter(({ memory }) => memory === 'unknown').map(({ id }) => id);
  const fetching = candidates.filter(({ hasWeights }) => !hasWeights).map(({ id }) => id);
  const words = [
    ...(unknown.length === 0 ? ['GPU memory suffices'] : []),
    ...(unknown.length === 0
      ? []
      : [`whether the GPU memory suffices is not known of ${unknown.join(', ')}`]),
    ...(fetching.length === 0 ? [] : [`${fetching.join(', ')} must download it first`]),
  ];
  return words.join('; ');
}

function recommendationOf(
  demand: ModelDemand,
  backends: readonly Backend[],
  rules: AdviceRules,
): Recommendation | undefined {
  const { modelId, pattern } = demand;
  const vramRequiredBytes = vramOf(modelId, backends);
  const candidates = backends
    .flatMap((backend) => candidateOf(backend, modelId, vramRequiredBytes, rules) ?? [])
    .sort(
      (a, b) =>
        compareNumbers(Number(b.hasWeights), Number(a.hasWeights)) || compareText(a.id, b.id),
    );
  if (candidates.length === 0) return undefined;
  return {
    modelId,
    targets: candidates.map(({ id }) => id),
    confidence: confidenceOf(pattern, rules),
    reasoning: `${demandWords(demand)}; ${targetWords(candidates)}.`,
    vramRequiredBytes,
  };
}

/** The surest first, equals by model id; at most `maxRecommendations`. */
export function recommend(
  demands: readonly ModelDemand[],
  backends: readonly Backend[],
  rules: AdviceRules,
): readonly Recommendation[] {
  return demands
    .filter(({ pattern }) => isWorthLoading(pattern, rules))
    .flatMap((demand) => recommendationOf(demand, backends, rules) ?? [])
    .sort((a, b) => compareNumbers(b.confidence, a.confidence) || compareText(a.modelId, b.modelId))
    .slice(0, rules.maxRecommendations);
}
