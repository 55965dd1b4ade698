// The fleets of bench registry: 1000 backends of ten models each in three shapes, in the registry of
// the product, with texts of their own as answers of probes have them.
import type { BackendId } from '../../src/base/brand.ts';
import { instant } from '../../src/base/time.ts';
import type { Model } from '../../src/core/backends/backend.ts';
import { type RoutingSettings, usualSettings } from '../../src/core/routing/snapshot.ts';
import { Arena } from '../../src/io/shared-memory/arena.ts';
import { Fleet, type FleetDelta } from '../../src/services/routing/fleet.ts';

export const backendCount = 1000;
export const modelsEach = 10;
/** Threads that follow the owner. */
export const threadCount = 4;

/** `same`: all list the same ten models; `hundred`: ten of a hundred each; `distinct`: ten of its own. */
export const shapes = ['same', 'hundred', 'distinct'] as const;
export type Shape = (typeof shapes)[number];

export const routing: RoutingSettings = usualSettings;

/** The model in this place of this backend. */
export function modelId(shape: Shape, backend: number, place: number): string {
  const own = backend * modelsEach + place;
  const number = shape === 'same' ? place : shape === 'hundred' ? own % 100 : own;
  return `vendor/model-${number}-instruct:70b`;
}

/** As they were read from an answer: nothing is shared with another backend. */
export function modelsOf(shape: Shape, backend: number): readonly Model[] {
  const models = Array.from({ length: modelsEach }, (_, place) => {
    const id = modelId(shape, backend, place);
    return {
      id,
      name: id,
      contextLength: 32_768,
      supportsVision: false,
      supportsTools: true,
      supportsJsonMode: true,
      maxOutputTokens: undefined,
    };
  });
  return structuredClone(models);
}

export function backendName(backend: number): string {
  return `backend-${String(backend).padStart(4, '0')}`;
}

export type Build = {
  readonly shape: Shape;
  readonly urlOf?: (backend: number) => string;
  readonly onDelta?: (delta: FleetDelta) => void;
};

/** All backends are healthy. */
export function buildFleet({ shape, urlOf, onDelta }: Build): {
  readonly fleet: Fleet;
  readonly arena: Arena;
} {
  const arena = Arena.create({ threads: threadCount });
  const events = { onDelta: onDelta ?? (() => {}), onStatus: () => {} };
  const fleet = new Fleet(arena, events, () => instant(Date.now()));
  for (let backend = 0; backend < backendCount; backend++) {
    const name = backendName(backend);
    fleet.insert(
      fleet.compose(name as BackendId, {
        name,
        url: urlOf?.(backend) ?? `http://${name}.example:8000`,
        type: 'vllm',
        source: 'static',
        priority: 50,
        zone: undefined,
        tier: 3,
        capacity: 0,
        apiKeyEnv: undefined,
        metadata: { version: `0.10.${backend % 7}` },
        approved: true,
        draining: false,
        simulated: false,
        models: modelsOf(shape, backend),
      }),
    );
  }
  return { fleet, arena };
}

/** A probe that came to this. */
export function applyProbe(
  fleet: Fleet,
  backend: number,
  status: 'healthy' | 'unhealthy',
  models?: readonly Model[],
): void {
  const isGood = status === 'healthy';
  fleet.applyProbe(
    backendName(backend) as BackendId,
    {
      status,
      statusReason: undefined,
      lastError: isGood ? undefined : 'connection failed: refused',
      facts: isGood
        ? {
            latencyMs: 5,
            models,
            capacity: undefined,
            metadata: undefined,
            runtime: undefined,
            busy: false,
          }
        : undefined,
    },
    instant(Date.now()),
  );
}
