// Seeded traffic over small fleets that change, decided by the production functions and written as
// the product writes it: every strategy, stage, refusal and verdict, failovers, ties, full backends.
// The same seed writes the same bytes. With `extras`, requests are also limited, annotated, queued,
// split, batched, copied and answered by older answers, without another draw of all the rest.

import { apiOperations } from '../../base/api-operation.ts';
import { present } from '../../base/assert.ts';
import { type Random, seededRandom } from '../../base/random.ts';
import { hardLimitActions, strategies } from '../../base/routing-words.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import { isPriorityClass, type PriorityClass } from '../jobs/priority-class.ts';
import { type AdmissionLimit, judgeAdmission } from '../policy/admission.ts';
import type { ServingMode } from '../policy/serving-mode.ts';
import { noPlace } from '../queue/waiting-places.ts';
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
import { armOf } from '../routing/split.ts';
import {
  causesInOrder,
  endingsInOrder,
  limitKindsInOrder,
  limitScopesInOrder,
  modesInOrder,
  shadowOutcomesInOrder,
} from './block-layout.ts';
import type { RecordEncoder } from './record-encoder.ts';
import { admissionOutcome } from './redecision.ts';
import { SnapshotDigester } from './snapshot-digester.ts';

type Fleet = {
  readonly targets: readonly TestTarget[];
  readonly snapshot: RoutingSnapshot;
  readonly digest: string;
};

const split = {
  name: 'next-model',
  model: 'ch?t',
  salt: 'autumn',
  arms: [
    { name: 'now', model: 'chat', basisPoints: 8000 },
    { name: 'next', model: 'chat', basisPoints: 2000 },
  ],
};

const startMs = 1_763_700_000_000;
const types = ['vllm', 'ollama', 'llamacpp', 'openai', 'google'] as const;
const reasons = [undefined, undefined, 'busy', 'rate_limited'] as const;

export class Traffic {
  /** Digest -> canonical text of the snapshots that were decided on. */
  readonly documents = new Map<string, string>();
  readonly snapshots = new Map<string, RoutingSnapshot>();
  readonly #random: Random;
  /** Undefined without extras. */
  readonly #extras: Random | undefined;
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
    options: {
      readonly backends?: number;
      readonly requestsPerFleet?: number;
      readonly extras?: boolean;
    } = {},
  ) {
    this.#random = seededRandom(seed);
    this.#extras = options.extras === true ? seededRandom(seed + 1) : undefined;
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
    const limit = this.#limit();
    const reading = {
      ...(limit === undefined ? {} : { limit }),
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
    if (kind === 'admitted' && this.#extras !== undefined) {
      this.#beginning(encoder, requestId, priorityClass, this.#extras);
    }
    return kind === 'admitted';
  }

  #limit(): AdmissionLimit | undefined {
    const extras = this.#extras;
    if (extras === undefined || extras.nextBelow(12) > 0) return undefined;
    return {
      scope: present(limitScopesInOrder[1 + extras.nextBelow(3)], 'a scope'),
      kind: present(limitKindsInOrder[extras.nextBelow(3)], 'a kind of limit'),
      bound: 1 + extras.nextBelow(1_000_000),
      left: extras.nextBelow(9),
      retryMs: 1 + extras.nextBelow(60_000),
    };
  }

  /** What the client says of the request, and how long it waits. */
  #beginning(
    encoder: RecordEncoder,
    requestId: string,
    priorityClass: PriorityClass,
    extras: Random,
  ): void {
    const head = { requestId, at: this.#now };
    const value = `v${extras.nextBelow(3)}`;
    if (extras.nextBelow(5) === 0) {
      encoder.later({ kind: 'annotated', ...head, annotations: [{ name: 'app', value }] });
    }
    if (extras.nextBelow(3) > 0) return;
    const reading = {
      depth: extras.nextBelow(30),
      sizeMax: 30,
      held: extras.nextBelow(20),
      isEmergency: extras.nextBelow(4) === 0,
    };
    const isFull = noPlace(priorityClass, reading) !== undefined;
    const others = endingsInOrder.filter((ending) => ending !== 'full');
    encoder.later({
      kind: 'queued',
      ...head,
      groupName: 'ops',
      priorityClass,
      reading,
      waitedMs: isFull ? 0 : extras.nextBelow(3_000_000) / 1000,
      ended: isFull ? 'full' : present(others[extras.nextBelow(others.length)], 'an ending'),
    });
  }

  /** With whom it went out, what took the place of its answer, what its copy came to. */
  #end(encoder: RecordEncoder, requestId: string, extras: Random): void {
    const head = { requestId, at: this.#now };
    if (extras.nextBelow(4) === 0) {
      encoder.later({
        kind: 'batched',
        ...head,
        batchId: '01a4f0c1-7b2e-7000-8000-0000000000aa',
        size: 1 + extras.nextBelow(8),
        limit: 8,
        cause: present(causesInOrder[extras.nextBelow(3)], 'a cause'),
        waitedMs: extras.nextBelow(9000) / 1000,
      });
    }
    if (extras.nextBelow(8) === 0) {
      const ageMs = extras.nextBelow(100_000);
      encoder.later({ kind: 'degraded_served', ...head, code: 'no_healthy_backend', ageMs });
    }
    if (extras.nextBelow(4) > 0) return;
    encoder.later({
      kind: 'shadowed',
      ...head,
      shadow: 'next',
      backendId: extras.nextBelow(3) === 0 ? undefined : 'spark-0',
      model: 'chat',
      outcome: present(shadowOutcomesInOrder[extras.nextBelow(5)], 'an outcome of a copy'),
      status: 200,
      primaryStatus: 200,
      completionTokens: extras.nextBelow(500),
      primaryCompletionTokens: extras.nextBelow(500),
      totalMs: extras.nextBelow(3_000_000) / 1000,
      primaryTotalMs: extras.nextBelow(3_000_000) / 1000,
      distance: extras.nextBelow(2) === 0 ? undefined : extras.nextBelow(10_001),
    });
  }

  #split(): Pick<RouteFeatures, 'split'> {
    const extras = this.#extras;
    if (extras === undefined || extras.nextBelow(3) > 0) return {};
    const stickyHash = extras.nextUint32();
    const arm = present(armOf(split, stickyHash), 'an arm').name;
    return { split: { experiment: split.name, arm, stickyHash } };
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
    if (this.#extras !== undefined) this.#end(encoder, requestId, this.#extras);
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
      ...(this.#extras === undefined ? {} : { splits: [split] }),
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
      ...this.#split(),
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
