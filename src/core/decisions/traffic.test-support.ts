// Seeded traffic over small fleets that change, decided by the production functions and written as
// the product writes it: every strategy, stage, refusal and verdict, failovers, ties, full backends.
// The same seed writes the same bytes.

import { apiOperations } from '../../base/api-operation.ts';
import { type Random, seededRandom } from '../../base/random.ts';
import { hardLimitActions, strategies } from '../../base/routing-words.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import { isPriorityClass } from '../jobs/priority-class.ts';
import { judgeAdmission } from '../policy/admission.ts';
import type { ServingMode } from '../policy/serving-mode.ts';
import { type Decision, decide } from '../routing/decide.ts';
import { budgetStatuses, type RouteFeatures } from '../routing/decision-input.ts';
import {
  type Figures,
  features,
  fleetOf,
  model,
  type TestTarget,
  target,
} from '../routing/fleet.test-support.ts';
import type { RoutingSettings, RoutingSnapshot } from '../routing/snapshot.ts';
import { modesInOrder } from './block-layout.ts';
import type { RecordEncoder } from './record-encoder.ts';
import { admissionOutcome } from './redecision.ts';
import { SnapshotDigester } from './snapshot-digester.ts';

type Fleet = {
  readonly targets: readonly TestTarget[];
  readonly snapshot: RoutingSnapshot;
  readonly digest: string;
};

const startMs = 1_763_700_000_000;
const types = ['vllm', 'ollama', 'llamacpp', 'openai', 'google'] as const;
const reasons = [undefined, undefined, 'busy', 'rate_limited'] as const;

export class Traffic {
  /** Digest -> canonical text of the snapshots that were decided on. */
  readonly documents = new Map<string, string>();
  readonly snapshots = new Map<string, RoutingSnapshot>();
  readonly #random: Random;
  readonly #digester = new SnapshotDigester(nodeCrypto.sha256Hex);
  readonly #backends: number;
  readonly #requestsPerFleet: number;
  #fleet: Fleet;
  #fleets = 0;
  #requests = 0;
  #now = startMs;
  #cursor = 4_294_967_290;

  constructor(
    seed: number,
    options: { readonly backends?: number; readonly requestsPerFleet?: number } = {},
  ) {
    this.#random = seededRandom(seed);
    this.#backends = options.backends ?? 6;
    this.#requestsPerFleet = options.requestsPerFleet ?? 40;
    this.#fleet = this.#newFleet();
  }

  /** Writes the records of the next request. */
  request(encoder: RecordEncoder): void {
    if (this.#requests > 0 && this.#requests % this.#requestsPerFleet === 0) {
      this.#fleet = this.#newFleet();
    }
    this.#requests += 1;
    this.#now += this.#below(40) - 2;
    const requestId = this.#uuid();
    const mode = this.#chance(70) ? 'normal' : this.#one(modesInOrder);
    if (this.#admit(encoder, requestId, mode)) this.#attempts(encoder, requestId, mode);
  }

  #admit(encoder: RecordEncoder, requestId: string, mode: ServingMode): boolean {
    const drawn = 1 + this.#below(5);
    const priorityClass = isPriorityClass(drawn) ? drawn : 3;
    const reading = {
      mode,
      inFlight: 1 + this.#below(this.#chance(95) ? 95 : 130),
      inFlightMax: 100,
      keyInFlight: 1 + this.#below(this.#chance(90) ? 9 : 14),
      keyInFlightMax: this.#chance(80) ? 10 : 0,
    };
    const { kind, code } = admissionOutcome(judgeAdmission(priorityClass, reading));
    encoder.admission({
      kind,
      code,
      requestId,
      at: this.#now,
      keyId: `key_${this.#below(5)}`,
      groupName: this.#one(['research', 'ops']),
      path: this.#one(['/v1/chat/completions', '/v1/embeddings']),
      priorityClass,
      reading,
    });
    return kind === 'admitted';
  }

  #attempts(encoder: RecordEncoder, requestId: string, mode: ServingMode): void {
    const needs = this.#features();
    const tried: string[] = [];
    let decision = this.#attempt(encoder, requestId, mode, needs, tried);
    while (decision.kind === 'route' && tried.length < 2 && this.#chance(30)) {
      tried.push(decision.target.id);
      this.#now += this.#below(300);
      decision = this.#attempt(encoder, requestId, mode, needs, tried);
    }
    const totalMs = this.#below(3_000_000) / 1000;
    encoder.settled({
      kind: 'settled',
      requestId,
      at: this.#now,
      status: decision.kind === 'route' ? 200 : 503,
      code: decision.kind === 'route' ? undefined : decision.refusal.code,
      attempts: tried.length + (decision.kind === 'route' ? 1 : 0),
      backendId: decision.kind === 'route' ? decision.target.id : undefined,
      stream: this.#chance(50),
      firstByteMs: decision.kind === 'route' ? totalMs / 4 : undefined,
      totalMs,
      overheadMs: this.#below(900) / 1000,
      promptTokens: needs.estimatedTokens,
      completionTokens: this.#below(500),
    });
  }

  #attempt(
    encoder: RecordEncoder,
    requestId: string,
    mode: ServingMode,
    needs: RouteFeatures,
    tried: readonly string[],
  ): Decision {
    const { targets, snapshot, digest } = this.#fleet;
    const { counters } = fleetOf(targets.map((one) => ({ ...one, figures: this.#figures() })));
    this.#cursor = (this.#cursor + 1) >>> 0;
    const input = {
      tried,
      cursor: this.#cursor,
      seed: this.#random.nextUint32(),
      budget: this.#chance(85) ? 'Normal' : this.#one(budgetStatuses),
    };
    const decision = decide(snapshot, counters, needs, input);
    const placeOf = (id: string) => decision.considered.findIndex((one) => one.target.id === id);
    encoder.routing(
      {
        requestId,
        at: this.#now,
        attempt: tried.length + 1,
        mode,
        snapshotDigest: digest,
        features: needs,
        tried: tried.map(placeOf),
        cursor: input.cursor,
        seed: input.seed,
        budget: input.budget,
      },
      decision,
    );
    return decision;
  }

  #newFleet(): Fleet {
    // Now and then one model is closed everywhere.
    const isClosed = this.#chance(8);
    const targets = Array.from({ length: this.#backends }, (_, i) =>
      target(`${this.#one(['spark', 'rack'])}-${i}`, {
        zone: this.#one(['restricted', 'open']),
        tier: 1 + this.#below(3),
        loadedModels: this.#one([undefined, [], ['chat']]),
        backendType: this.#one(types),
        priority: 50 + 10 * this.#below(2),
        approved: this.#chance(93),
        statusReason: this.#one(reasons),
        closures:
          isClosed || this.#chance(8)
            ? [{ modelId: 'chat', reason: this.#one(['loading', 'unloading']) }]
            : [],
        models: [this.#model('chat'), ...(this.#chance(50) ? [this.#model('embed')] : [])],
      }),
    ).sort((a, b) => (a.id < b.id ? -1 : 1));
    const strategy = strategies[this.#fleets % strategies.length] ?? 'smart';
    this.#fleets += 1;
    const { snapshot } = fleetOf(targets, {
      strategy,
      aliases: { default: 'chat' },
      ...this.#settings(),
    });
    const { digest, documents } = this.#digester.digested(snapshot);
    for (const one of documents) this.documents.set(one.digest, one.text);
    this.snapshots.set(digest, snapshot);
    return { targets, snapshot, digest };
  }

  /** In most fleets the usual ones. */
  #settings(): Partial<RoutingSettings> {
    const rule = { model: 'ch?t', minTier: 2, fallbackAllowed: this.#chance(50) };
    return {
      policies: this.#chance(70)
        ? []
        : [{ ...rule, privacy: this.#one(['restricted', 'unrestricted']) }],
      backendWeights: { 'spark-0': 0, 'rack-1': 3, 'spark-2': 5 },
      regions: {
        north: { latitude: 60, longitude: 10 },
        south: { latitude: -33, longitude: 151 },
      },
      backendRegions: { 'spark-0': 'north', 'rack-1': 'south', 'rack-3': 'north' },
      quality: { ttftPenaltyMs: this.#chance(50) ? 0 : 200 },
      hardLimitAction: this.#one(hardLimitActions),
      ejectedPercent: this.#one([50, 100, 0]),
    };
  }

  #model(id: string) {
    return model(id, {
      contextLength: this.#one([2048, 4096, 8192]),
      supportsVision: this.#chance(60),
      supportsTools: this.#chance(80),
      supportsJsonMode: this.#chance(90),
    });
  }

  #figures(): Figures {
    return {
      pending: this.#below(4),
      capacity: this.#chance(50) ? 0 : 1 + this.#below(4),
      latencyMs: 50 * this.#below(8),
      status: this.#chance(90) ? 1 : this.#below(4),
      generation: this.#chance(97) ? 1 : 3,
      gates: this.#chance(85) ? 0 : this.#below(8),
      peakMs: this.#chance(20) ? 0 : this.#below(900),
      tokens: this.#below(5000),
      engineRequests: this.#chance(30) ? -1 : this.#below(20),
      kvUse: this.#chance(30) ? -1 : this.#below(1_000_001) / 1e6,
    };
  }

  #features(): RouteFeatures {
    const hasEmbed = this.#fleet.snapshot.byModel.has('embed');
    const resolvedModel = hasEmbed && this.#chance(20) ? 'embed' : 'chat';
    return features({
      model: resolvedModel === 'chat' && this.#chance(30) ? 'default' : resolvedModel,
      resolvedModel,
      operation: this.#chance(85) ? 'chat' : this.#one(apiOperations),
      estimatedTokens: this.#below(this.#chance(92) ? 2000 : 9000),
      maxOutputTokens: this.#chance(50) ? undefined : 1 + this.#below(3000),
      needsVision: this.#chance(15),
      needsTools: this.#chance(15),
      needsJsonMode: this.#chance(10),
      remoteMedia: this.#chance(8),
      prefixKey: this.#chance(50) ? undefined : this.#below(2 ** 32),
      affinityKey: this.#chance(50) ? undefined : this.#below(2 ** 32),
      region: this.#one([undefined, 'north', 'south', 'nowhere']),
      mayUseLowerTier: this.#chance(20),
      restrictedOnly: this.#chance(5),
      isFallback: this.#chance(10),
    });
  }

  #uuid(): string {
    const hex = (digits: number): string =>
      Array.from({ length: digits }, () => this.#below(16).toString(16)).join('');
    return `${hex(8)}-${hex(4)}-7${hex(3)}-8${hex(3)}-${hex(12)}`;
  }

  #below(bound: number): number {
    return this.#random.nextBelow(bound);
  }

  #chance(percent: number): boolean {
    return this.#below(100) < percent;
  }

  #one<T>(items: readonly [T, ...T[]]): T {
    return items[this.#below(items.length)] ?? items[0];
  }
}
