// Requests as a gateway thread decides them: ten backends of one model, live figures that move, one
// decision each by the production function. What a benchmark writes down is what it would write.

import type { BackendId } from '../../src/base/brand.ts';
import { seededRandom } from '../../src/base/random.ts';
import type { AdmissionRecord, SettledRecord } from '../../src/core/decisions/decision-record.ts';
import type { RoutingFacts } from '../../src/core/decisions/record-encoder.ts';
import { type Decision, decide } from '../../src/core/routing/decide.ts';
import { type CounterSource, noHints, unread } from '../../src/core/routing/decision-input.ts';
import {
  buildSnapshot,
  type RoutingSnapshot,
  type Target,
  usualSettings,
} from '../../src/core/routing/snapshot.ts';

export const candidates = 10;
const models = ['chat-small', 'chat-large', 'code', 'embed'];
const keys = 20;

export type DecidedRequest = {
  readonly admission: AdmissionRecord;
  readonly facts: RoutingFacts;
  readonly decision: Decision;
  readonly settled: SettledRecord;
};

function targetOf(slot: number): Target {
  return {
    id: `backend-${slot}` as BackendId,
    name: `backend-${slot}`,
    url: `http://127.0.0.1:${9000 + slot}`,
    backendType: 'vllm',
    status: 'healthy',
    statusReason: undefined,
    approved: true,
    priority: slot % 3,
    zone: 'restricted',
    tier: 3,
    slot,
    generation: 1,
    models: models.map((id) => ({
      id,
      name: id,
      contextLength: 32_768,
      supportsVision: false,
      supportsTools: true,
      supportsJsonMode: true,
      maxOutputTokens: undefined,
    })),
    closures: [],
    apiKeyEnv: undefined,
    simulated: false,
    loadedModels: undefined,
  };
}

export function benchSnapshot(): RoutingSnapshot {
  const targets = Array.from({ length: candidates }, (_, slot) => targetOf(slot));
  return buildSnapshot(1, targets, usualSettings);
}

/** A version 7 id from counters, as unlike each other as real ones. */
function requestId(at: number, random: () => number): string {
  const time = at.toString(16).padStart(12, '0');
  const hex = (digits: number): string => random().toString(16).padStart(8, '0').slice(0, digits);
  const variant = (8 + (random() % 4)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-${variant}${hex(3)}-${hex(8)}${hex(4)}`;
}

/** Makes `count` requests from a seed, 2 ms apart; now and then a backend is full or down. */
export function* decidedRequests(
  snapshot: RoutingSnapshot,
  snapshotDigest: string,
  count: number,
  seed: number,
): Generator<DecidedRequest> {
  const random = seededRandom(seed);
  const draw = (): number => random.nextUint32();
  const counters: CounterSource = {
    read: ({ target: { slot } }) => ({
      ...unread,
      pending: random.nextBelow(40),
      capacity: slot % 4 === 0 ? 32 : 0,
      latencyMs: 20 + slot * 15 + random.nextBelow(60),
      statusCode: random.nextBelow(50) === 0 ? 2 : 1,
      isCurrent: true,
    }),
  };
  for (let i = 0; i < count; i += 1) {
    const at = 1_790_000_000_000 + i * 2;
    const id = requestId(at, draw);
    const model = models[random.nextBelow(models.length)] ?? 'chat-small';
    const features = {
      model,
      resolvedModel: model,
      operation: 'chat' as const,
      estimatedTokens: 1 + random.nextBelow(4000),
      maxOutputTokens: random.nextBelow(2) === 0 ? undefined : 1 + random.nextBelow(1000),
      needsVision: false,
      needsTools: random.nextBelow(8) === 0,
      needsJsonMode: false,
      remoteMedia: false,
      ...noHints,
    };
    const input = { tried: [], cursor: i, seed: draw(), budget: 'Normal' as const };
    const decision = decide(snapshot, counters, features, input);
    yield {
      admission: {
        kind: 'admitted',
        requestId: id,
        at,
        keyId: `key_${String(random.nextBelow(keys)).padStart(12, '0')}`,
        groupName: `group-${random.nextBelow(5)}`,
        path: '/v1/chat/completions',
        priorityClass: 3,
        reading: {
          mode: 'normal',
          inFlight: 1 + random.nextBelow(200),
          inFlightMax: 1000,
          keyInFlight: 1 + random.nextBelow(20),
          keyInFlightMax: 64,
        },
        code: undefined,
      },
      facts: {
        requestId: id,
        at,
        attempt: 1,
        mode: 'normal',
        snapshotDigest,
        features,
        tried: [],
        cursor: input.cursor,
        seed: input.seed,
        budget: input.budget,
      },
      decision,
      settled: {
        kind: 'settled',
        requestId: id,
        at: at + 900,
        status: 200,
        code: undefined,
        attempts: 1,
        backendId: decision.kind === 'route' ? decision.target.id : undefined,
        stream: random.nextBelow(2) === 0,
        firstByteMs: 20 + random.nextUnit() * 400,
        totalMs: 500 + random.nextUnit() * 4000,
        overheadMs: random.nextUnit(),
        promptTokens: features.estimatedTokens,
        completionTokens: random.nextBelow(800),
      },
    };
  }
}
