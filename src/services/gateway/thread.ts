// A gateway thread: it attaches to the shared arena, holds its own copy of snapshot and keys, and
// serves the port. It is told about changes and reports figures; it never asks anything back on the
// path of a request.

import { parentPort, workerData } from 'node:worker_threads';
import { present } from '../../base/assert.ts';
import { SwapList } from '../../base/swap-list.ts';
import { EndedRequestCount, type RequestOutcome } from '../../core/policy/ended-requests.ts';
import { gatesOf } from '../../core/policy/mode-gates.ts';
import { modes, type ServingMode } from '../../core/policy/serving-mode.ts';
import type { RoutingSnapshot, Target } from '../../core/routing/snapshot.ts';
import { SnapshotReplica } from '../../core/routing/snapshot-replica.ts';
import { LogSketch } from '../../core/statistics/log-sketch.ts';
import { refusal } from '../../errors/tensorforge-error.ts';
import { KeyTable } from '../../io/credentials/key-table.ts';
import { createUpstreamPool } from '../../io/http/upstream/pool.ts';
import type { UpstreamPool } from '../../io/http/upstream/upstream.ts';
import { Arena } from '../../io/shared-memory/arena.ts';
import { MonthSpend } from '../../io/shared-memory/month-spend.ts';
import { SharedCounts } from '../../io/shared-memory/shared-counts.ts';
import { openWords } from '../../io/shared-memory/shared-words.ts';
import { WaitingBoard } from '../../io/shared-memory/waiting-board.ts';
import { backendCredential } from '../../protocol/credentials/backend-credential.ts';
import { defaultJsonLimits, type JsonLimits } from '../../protocol/openai/json-scan.ts';
import { AffinityKeys } from './affinity-key.ts';
import { AnswerCache } from './answer-cache.ts';
import { BatchSocket } from './batch-socket.ts';
import { Breakers } from './breakers.ts';
import { Lingering } from './connection.ts';
import type { ActiveRequest, GatewayContext } from './context.ts';
import { DecisionJournal } from './decision-journal.ts';
import { EdgeServer } from './edge-server.ts';
import { type Hedging, hedgingOf } from './hedging.ts';
import type { JointRoom } from './joint-seat.ts';
import type { FromThread, ThreadStart, ToThread } from './messages.ts';
import { MicroBatches } from './micro-batches.ts';
import { NewestDecisions } from './newest-decisions.ts';
import { RejectionLog } from './rejection-log.ts';
import { RetryBudget } from './retry-budget.ts';
import { Settlements } from './settle.ts';
import { Shadows } from './shadows.ts';
import { ThreadCounters } from './thread-counters.ts';
import { ThreadDesk } from './thread-desk.ts';
import { machineMs, ThreadLimits } from './thread-limits.ts';
import { ThreadMetrics } from './thread-metrics.ts';
import { ThreadSpend } from './thread-spend.ts';
import { UsageAccount } from './usage-account.ts';
import { WaitingRoom } from './waiting-room.ts';

const sweepEveryMs = 100;
const reportEveryMs = 250;
const drainLookMs = 20;
/** How long clients may take to read the end of what was cut. */
const lastWordsMs = 1000;

class GatewayThread implements GatewayContext {
  readonly thread: number;
  readonly settings: ThreadStart['settings'];
  readonly arena: Arena;
  readonly counts: SharedCounts;
  readonly keys: KeyTable;
  readonly metrics = new ThreadMetrics();
  readonly #newest: NewestDecisions;
  readonly settlements: Settlements;
  readonly spend: ThreadSpend;
  readonly limits: ThreadLimits;
  readonly usage = new UsageAccount();
  readonly journal: DecisionJournal;
  readonly active = new SwapList<ActiveRequest>();
  readonly jsonLimits: JsonLimits;
  readonly waiting: WaitingRoom;
  readonly lingering = new Lingering(() => performance.now(), this.metrics);
  readonly breakers: Breakers;
  readonly hedging: Hedging | undefined;
  readonly microBatches: JointRoom | undefined;
  readonly shadows: Shadows;
  readonly answers = new AnswerCache();
  readonly counters: ThreadCounters;
  readonly affinity: AffinityKeys;
  readonly #retries: RetryBudget;
  readonly #desk: ThreadDesk;
  readonly #rejections: RejectionLog;
  readonly #replica: SnapshotReplica;
  readonly #pools = new Map<string, UpstreamPool>();
  readonly #send: (message: FromThread) => void;
  readonly #firstByte = new LogSketch();
  /** Of streams only, which lines of batches are not. */
  readonly #firstToken = new LogSketch();
  readonly #edge: EdgeServer;
  readonly #batches: BatchSocket;
  readonly #outcomes: EndedRequestCount;
  #snapshotDigest: string;
  #finished = 0;
  #failed = 0;
  #draining = false;
  #serving: Extract<ToThread, { type: 'serve' }>['state'] = 'starting';
  #sweeps = 0;
  /** The control thread was told of notices since the last sweep. */
  #hasTold = false;

  constructor(start: ThreadStart, send: (message: FromThread) => void) {
    this.thread = start.thread;
    this.settings = start.settings;
    this.#send = send;
    const { json } = start.settings.limits;
    this.jsonLimits = {
      ...defaultJsonLimits,
      depthMax: json.depth,
      containersMax: json.containers,
      membersMax: json.members,
    };
    this.#newest = new NewestDecisions(start.settings.decisions === undefined);
    this.#newest.watch(start.isWatched);
    this.settlements = new Settlements(this.metrics, this.#newest);
    this.arena = new Arena(start.arena);
    this.counts = new SharedCounts(start.counts);
    this.#desk = new ThreadDesk(start.desk, start.thread);
    this.breakers = new Breakers(start.breakers, (moved) =>
      this.#send({ type: 'breaker', ...moved }),
    );
    this.counters = new ThreadCounters(
      this.arena,
      () => this.wallMs(),
      (offer) => (this.breakers.isCalm ? 0 : this.breakers.reading(offer, this.wallMs())),
    );
    this.affinity = new AffinityKeys(start.pepper);
    this.#retries = new RetryBudget(start.retries);
    this.hedging = hedgingOf(start.settings.hedging);
    const spend = new MonthSpend(openWords(start.spend), start.thread);
    this.spend = new ThreadSpend(spend, start.spendRules, () => this.wallMs());
    this.limits = this.#threadLimits(start);
    this.waiting = this.#waitingRoom(new WaitingBoard(start.waiting, start.thread));
    this.#rejections = new RejectionLog(this.metrics, () => this.#desk.mayAudit(this.wallMs()));
    this.keys = new KeyTable(start.pepper);
    for (const key of start.keys) this.keys.upsert(key);
    this.#outcomes = new EndedRequestCount(start.settings.firstByteObjectiveMs);
    this.journal = DecisionJournal.open(start.settings.decisions, `t${start.thread}`, {
      monotonicMs: () => this.monotonicMs(),
      wallMs: () => this.wallMs(),
      onSealed: (sealed) => this.#send({ type: 'sealed', thread: this.thread, ...sealed }),
      onTrouble: (words) => this.#send({ type: 'trouble', thread: this.thread, words }),
    });
    this.#snapshotDigest = start.snapshotDigest;
    this.#replica = new SnapshotReplica(start.routing);
    this.#replica.apply({ version: start.version, upsert: start.targets, remove: [] });
    this.#serving = start.serving;
    this.shadows = this.#shadowsOf(start.pepper);
    this.microBatches = MicroBatches.of(this);
    this.#edge = new EdgeServer(this, this.#rejections);
    this.#batches = new BatchSocket(this);
  }

  #threadLimits({ limits, thread }: ThreadStart): ThreadLimits {
    // This thread's own clock is cheaper to ask than the machine's.
    const sinceOriginMs = machineMs() - limits.originMs - performance.now();
    return new ThreadLimits(limits, thread, {
      nowMs: () => performance.now() + sinceOriginMs,
      wallMs: () => this.wallMs(),
    });
  }

  #waitingRoom(board: WaitingBoard): WaitingRoom {
    const { arena, thread } = this;
    return new WaitingRoom({
      settings: this.settings.queue,
      board,
      metrics: this.metrics,
      monotonicMs: () => this.monotonicMs(),
      isEmergency: () => gatesOf(this.servingMode()).emergencyShedding,
      endedOf: (model) => this.#endedOf(model),
      takePlace: (limit) => arena.takeQueuePlace(limit, thread),
      givePlace: () => arena.giveQueuePlace(thread),
      depth: () => arena.queueDepth(),
    });
  }

  #shadowsOf(secret: string): Shadows {
    const { counters, journal, metrics, settings, spend, usage } = this;
    return new Shadows({
      counters,
      journal,
      metrics,
      settings,
      spend,
      usage,
      secret,
      snapshot: () => this.snapshot(),
      credentialOf: (target) => this.credentialOf(target),
      monotonicMs: () => this.monotonicMs(),
      wallMs: () => this.wallMs(),
      openPool: (target) => this.#openPool(target, this.snapshot().settings.shadow.inFlight),
      later: (act) => setImmediate(act),
    });
  }

  /** Requests that the backends of a model have ended so far, of whatever model. */
  #endedOf(model: string): number {
    const offers = this.snapshot().byModel.get(model) ?? [];
    return offers.reduce((sum, { target }) => sum + this.arena.totalOf(target.slot), 0);
  }

  listen(): void {
    const { host, port, reusePort } = this.settings;
    const { server } = this.#edge;
    const onError = (error: Error): void =>
      this.#send({ type: 'fatal', thread: this.thread, words: error.message });
    server.on('error', onError);
    this.#batches.listen(onError);
    server.listen({ host, port, reusePort, exclusive: true, backlog: 1024 }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      this.#send({ type: 'listening', thread: this.thread, port: bound });
      this.#send({ type: 'applied', thread: this.thread, version: this.snapshot().version });
    });
    setInterval(() => this.#sweep(), sweepEveryMs).unref();
    setInterval(() => this.report(), reportEveryMs).unref();
  }

  on(message: ToThread): void {
    switch (message.type) {
      case 'targets':
        this.#applyTargets(message);
        return;
      case 'routing':
        this.#replica.reconfigure(message.routing);
        if (!message.routing.degradation.enabled) this.answers.clear();
        this.#snapshotDigest = message.snapshotDigest;
        return;
      case 'keys':
        this.#applyKeys(message);
        return;
      case 'spend':
        this.spend.configure(message.rules);
        return;
      case 'limits':
        this.limits.configure(message.list);
        for (const request of this.active.toArray()) request.limitsChanged?.();
        return;
      case 'tls':
        this.#edge.setTls(message.cert, message.key);
        return;
      case 'serve':
        this.#serving = message.state;
        return;
      case 'watch':
        this.#newest.watch(message.isWatched);
        return;
      case 'drain':
        this.#drain(message.graceMs);
        return;
      case 'flush':
        this.report(this.#newest.drain());
        if (message.withJournal) void this.journal.flush().then(() => this.#flushed(message.id));
        else this.#flushed(message.id);
        return;
    }
  }

  #flushed(id: number): void {
    this.#send({ type: 'flushed', thread: this.thread, id });
  }

  #applyTargets(message: Extract<ToThread, { type: 'targets' }>): void {
    for (const id of message.remove) {
      this.settlements.forget(id);
      this.spend.forget(id);
      this.shadows.forget(id);
      this.#pools.get(id)?.close();
      this.#pools.delete(id);
    }
    for (const { id, url } of message.upsert) {
      this.spend.forget(id);
      const before = this.#replica.target(id);
      if (before !== undefined && before.url !== url) {
        this.#pools.get(id)?.close();
        this.#pools.delete(id);
      }
    }
    this.#replica.apply(message);
    this.#snapshotDigest = message.snapshotDigest;
    this.#send({ type: 'applied', thread: this.thread, version: message.version });
  }

  #applyKeys(message: Extract<ToThread, { type: 'keys' }>): void {
    for (const key of message.upsert) this.keys.upsert(key);
    for (const id of message.remove) this.keys.remove(id);
    if (message.remove.length === 0) return;
    const revoked = new Set(message.remove);
    for (const request of this.active.toArray()) {
      if (!revoked.has(request.keyId)) continue;
      request.end(refusal('invalid_api_key', 'The API key was revoked while the request ran.'));
    }
  }

  /**
   * Goes on listening, so that new requests hear `shutting_down` rather than find the door gone,
   * until what runs has reached its clients or the grace is over.
   */
  #drain(graceMs: number): void {
    if (this.#draining) return;
    this.#draining = true;
    this.waiting.close();
    this.shadows.close();
    const deadlineMs = this.monotonicMs() + graceMs;
    let cut: number | undefined;
    const timer = setInterval(() => {
      const nowMs = this.monotonicMs();
      if (this.active.size > 0 && nowMs < deadlineMs) return;
      cut ??= this.#cutAll();
      if (this.active.size > 0 && nowMs < deadlineMs + lastWordsMs) return;
      clearInterval(timer);
      this.#edge.close();
      this.#batches.close();
      const drained = cut;
      void this.journal.close().then(() => {
        this.report();
        this.#send({ type: 'drained', thread: this.thread, cut: drained });
      });
    }, drainLookMs);
  }

  /** Ends what runs; the number of requests that were not answered yet. */
  #cutAll(): number {
    const cause = refusal('shutting_down', 'The process stops and its grace is over.');
    let cut = 0;
    for (const request of this.active.toArray()) {
      if (request.isAnswered) continue;
      request.end(cause);
      cut++;
    }
    return cut;
  }

  #sweep(): void {
    const nowMs = this.monotonicMs();
    for (const request of this.active.toArray()) request.sweep(nowMs);
    this.lingering.sweep(nowMs);
    this.#edge.sweep(nowMs);
    this.journal.sweep();
    this.shadows.sweep(nowMs);
    if (this.#hasTold && this.#desk.hasNotices) this.#send({ type: 'notices' });
    this.#hasTold = false;
    this.#sweeps++;
    if (this.#sweeps % 10 === 0) for (const pool of this.#pools.values()) pool.sweep(nowMs);
  }

  report(decisions = this.#newest.news()): void {
    const { rejections, lastUsed } = this.#rejections.drain();
    this.microBatches?.tellFigures();
    const metrics = this.metrics.drain();
    const journal = this.journal.report();
    const isQuiet = metrics.length === 0 && rejections.length === 0 && lastUsed.length === 0;
    if (isQuiet && journal === undefined && decisions.length === 0) return;
    this.#send({
      type: 'report',
      thread: this.thread,
      finished: this.#finished,
      failed: this.#failed,
      outcomes: this.#outcomes.drain(),
      journal,
      firstByte: this.#firstByte.count === 0 ? undefined : this.#firstByte.drain(),
      firstToken: this.#firstToken.count === 0 ? undefined : this.#firstToken.drain(),
      metrics,
      served: this.settlements.served(),
      usage: this.usage.drain(),
      decisions,
      lastUsed,
      rejections,
      shadows: this.shadows.report(),
    });
    this.#finished = 0;
    this.#failed = 0;
  }

  // ---- GatewayContext ----------------------------------------------------------------------

  batchFailed(): void {
    const outcome = { status: 502, code: 'bad_gateway', firstByteMs: undefined, stream: false };
    this.#outcomes.add(outcome, this.servingMode());
  }

  finished(outcome: RequestOutcome, isBatch: boolean): void {
    const { status, firstByteMs } = outcome;
    this.#finished++;
    if (status < 400 || status >= 500) this.#retries.requested();
    // A line of a batch that finds no room comes again: nobody was failed, and nobody waits for it.
    if (isBatch) return;
    if (status >= 500) this.#failed++;
    this.#outcomes.add(outcome, this.servingMode());
    if (firstByteMs === undefined) return;
    this.#firstByte.add(firstByteMs);
    if (outcome.stream) this.#firstToken.add(firstByteMs);
  }

  snapshot(): RoutingSnapshot {
    return this.#replica.snapshot;
  }

  snapshotDigest(): string {
    return this.#snapshotDigest;
  }

  servingMode(): ServingMode {
    return modes()[this.arena.servingModeIndex()] ?? 'normal';
  }

  modeCooldownSeconds(): number {
    return Math.max(0, this.arena.modeCooldownEnd() - Math.floor(this.wallMs() / 1000));
  }

  poolOf(target: Target): UpstreamPool {
    let pool = this.#pools.get(target.id);
    if (pool === undefined) {
      pool = this.#openPool(target, this.settings.limits.upstream.idleSockets);
      this.#pools.set(target.id, pool);
    }
    return pool;
  }

  #openPool(target: Target, maxIdle: number): UpstreamPool {
    const { headBytes, interimAnswers, bodyBytes } = this.settings.limits.upstream;
    const pool = createUpstreamPool({
      url: target.url,
      maxIdle,
      connectTimeoutMs: this.settings.timeouts.connectMs,
      limits: {
        headBytesMax: headBytes,
        interimAnswersMax: interimAnswers,
        bodyBytesMax: bodyBytes,
      },
    });
    // It has no clock of its own, and a connection must not look older than it is.
    pool.sweep(this.monotonicMs());
    return pool;
  }

  credentialOf(target: Target): readonly string[] {
    if (target.apiKeyEnv === undefined) return noHeaders;
    const key = process.env[target.apiKeyEnv];
    if (key === undefined) return noHeaders;
    return Object.entries(backendCredential(target.backendType, key)).flat();
  }

  connectFailed(target: Target, attempt: number): void {
    this.#desk.unreachable(target, attempt);
    // Once between two sweeps is enough: the control thread takes all there is.
    if (!this.#hasTold) this.#send({ type: 'notices' });
    this.#hasTold = true;
  }

  mayRetry(): boolean {
    if (this.#retries.mayRetry(this.wallMs())) return true;
    this.metrics.count('tensorforge_retries_refused_total');
    return false;
  }

  refusing(): 'starting' | 'shutting_down' | 'internal_error' | undefined {
    if (this.#draining) return 'shutting_down';
    if (this.#serving === 'open') return undefined;
    return this.#serving === 'starting' ? 'starting' : 'internal_error';
  }

  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }
}

const noHeaders: readonly string[] = [];

const port = present(parentPort, 'the gateway thread runs as a worker');
const thread = new GatewayThread(workerData as ThreadStart, (message) => port.postMessage(message));
port.on('message', (message: ToThread) => thread.on(message));
thread.listen();
