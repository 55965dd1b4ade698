// The product under the names of the documents from which it was specified: module by module, an
// operation by its document name with the arguments in document order, in terms of plain values. A
// harness that was written against the documents can so judge the product (platform specification
// A.0, G). It is the only file in which the documents' own domain words are spoken; the matrix and
// the tests beside it use them where they call an operation.
//
// There is no rule in here, only translation:
//   T1  Names and record members are the documents' (snake_case); tuples are arrays, maps of text are
//       records and may be given as maps.
//   T2  What is absent is null, on the way in and on the way out.
//   T3  A refusal is thrown, as an Error with the code and the message of the product.
//   T4  Enumerations have the documents' texts; lists that are ordered by such a text are ordered by
//       the translated one.
//   T5  A class of the documents is a function that makes one; what it returns has the documents'
//       methods, and operations on such an object take what was returned.
//   T6  Units are the documents': the age of a training checkpoint is counted in seconds. An estimate
//       that is text and no number reads as 0 (G.2, group 13).

import { compareText } from '../../src/base/compare.ts';
import type { Fault } from '../../src/base/fault.ts';
import type { Result } from '../../src/base/result.ts';
import { maskSensitive } from '../../src/base/secret.ts';
import { instant } from '../../src/base/time.ts';
import * as admission from '../../src/core/allocation/admission.ts';
import { shareBudget } from '../../src/core/allocation/budget-share.ts';
import * as candidates from '../../src/core/allocation/candidate.ts';
import { atOrOverCapacity, fitsCapacity } from '../../src/core/allocation/capacity.ts';
import { costPerUnit, estimateJobCost } from '../../src/core/allocation/cost-estimate.ts';
import * as figures from '../../src/core/allocation/figures.ts';
import * as reservations from '../../src/core/allocation/reservation.ts';
import { RollingWindowScheduler } from '../../src/core/allocation/rolling-window.ts';
import { warmupHours } from '../../src/core/allocation/warmup.ts';
import * as chains from '../../src/core/checkpoints/checkpoint-chain.ts';
import { validateCheckpoint } from '../../src/core/checkpoints/checkpoint-validation.ts';
import { type RestoreCriteria, selectionScore } from '../../src/core/checkpoints/restore-point.ts';
import { isGcEligible, type RetentionPolicy } from '../../src/core/checkpoints/retention.ts';
import type {
  CheckpointState,
  CheckpointType,
  TrainingCheckpoint,
} from '../../src/core/checkpoints/training-checkpoint.ts';
import { TrainingCheckpoints } from '../../src/core/checkpoints/training-checkpoints.ts';
import { AtomicCounter, advanceEpoch } from '../../src/core/concurrency/atomic-counter.ts';
import { detectCycle } from '../../src/core/concurrency/dependency-order.ts';
import * as partitions from '../../src/core/concurrency/partition-merge.ts';
import { SharedRegistry } from '../../src/core/concurrency/shared-registry.ts';
import * as thresholds from '../../src/core/concurrency/threshold.ts';
import { stealWork } from '../../src/core/concurrency/work-stealing.ts';
import { buildConnectionString, validateEndpoint } from '../../src/core/configuration/address.ts';
import * as environments from '../../src/core/configuration/environment.ts';
import { parseFeatureFlags } from '../../src/core/configuration/feature-flags.ts';
import * as configs from '../../src/core/configuration/service-config.ts';
import { EventLog } from '../../src/core/events/event-log.ts';
import { bucketByTime, eventRate } from '../../src/core/events/event-rate.ts';
import { detectGaps } from '../../src/core/events/gaps.ts';
import type { TimedEvent } from '../../src/core/events/timed-event.ts';
import * as timeline from '../../src/core/events/timeline.ts';
import {
  dedupeKeepEarliest,
  mergeDedupe,
  mergeStreams,
} from '../../src/core/events/timeline-merge.ts';
import { compositeAvailability } from '../../src/core/jobs/availability.ts';
import { completionMinutes } from '../../src/core/jobs/completion.ts';
import { createJobs, type UncheckedJob, validateJob } from '../../src/core/jobs/job.ts';
import * as manifests from '../../src/core/jobs/manifest.ts';
import * as classes from '../../src/core/jobs/priority-class.ts';
import * as urgencies from '../../src/core/jobs/urgency.ts';
import { alignUp, isPowerOfTwo } from '../../src/core/memory/alignment.ts';
import type { GpuDevice } from '../../src/core/memory/gpu-device.ts';
import { GpuMemoryPool } from '../../src/core/memory/gpu-memory-pool.ts';
import {
  type BlockId,
  type BlockStatus,
  bestFitBlock,
  evictionCandidates,
  type MemoryBlock,
} from '../../src/core/memory/memory-block.ts';
import type { PoolStats } from '../../src/core/memory/pool-figures.ts';
import * as poolFigures from '../../src/core/memory/pool-figures.ts';
import { selectBestModel } from '../../src/core/models/best-model.ts';
import type { ModelMetadata, VersionFacts } from '../../src/core/models/model-metadata.ts';
import { ModelRegistry } from '../../src/core/models/model-registry.ts';
import type { CommandStamp } from '../../src/core/models/registry-change.ts';
import { rollbackPriority } from '../../src/core/models/rollback-priority.ts';
import { shapeCompatibility } from '../../src/core/models/shape-compatibility.ts';
import { meetsSla, type ValidationResult } from '../../src/core/models/validation-result.ts';
import {
  compareVersions,
  formatVersion,
  type ModelVersion,
  parseVersion,
} from '../../src/core/models/version.ts';
import { canTransitionState, type VersionState } from '../../src/core/models/version-state.ts';
import * as cooldowns from '../../src/core/policy/cooldown.ts';
import { PolicyEngine } from '../../src/core/policy/policy-engine.ts';
import * as risk from '../../src/core/policy/risk.ts';
import * as modes from '../../src/core/policy/serving-mode.ts';
import { fairnessIndex } from '../../src/core/queue/fairness.ts';
import { PriorityQueue } from '../../src/core/queue/priority-queue.ts';
import type { QueueItem } from '../../src/core/queue/queue-item.ts';
import * as queueItems from '../../src/core/queue/queue-item.ts';
import * as load from '../../src/core/queue/queue-load.ts';
import { shouldShed } from '../../src/core/queue/shedding.ts';
import { TokenBucket } from '../../src/core/queue/token-bucket.ts';
import { estimateWait, weightedWait } from '../../src/core/queue/waiting-time.ts';
import { CircuitBreaker } from '../../src/core/resilience/circuit-breaker.ts';
import { degradationLevel } from '../../src/core/resilience/degradation.ts';
import * as failures from '../../src/core/resilience/failure-rules.ts';
import { hasQuorum } from '../../src/core/resilience/health-quorum.ts';
import * as replays from '../../src/core/resilience/replay.ts';
import {
  checkpointDue,
  type ReplayCheckpoint,
  ReplayCheckpoints,
} from '../../src/core/resilience/replay-checkpoints.ts';
import type { ReplayEvent } from '../../src/core/resilience/replay-event.ts';
import * as retries from '../../src/core/resilience/retry.ts';
import * as windows from '../../src/core/resilience/sequence-window.ts';
import * as pipelines from '../../src/core/routing/pipeline.ts';
import * as routes from '../../src/core/routing/route.ts';
import * as routeFigures from '../../src/core/routing/route-figures.ts';
import { RouteTable } from '../../src/core/routing/route-table.ts';
import { constantTimeEqual } from '../../src/core/security/constant-time.ts';
import { ipAllowed } from '../../src/core/security/ip-allowed.ts';
import { hashPassword } from '../../src/core/security/password.ts';
import * as rules from '../../src/core/security/rules.ts';
import { sanitisePath, sanitizeHeader } from '../../src/core/security/sanitise.ts';
import * as signatures from '../../src/core/security/signature.ts';
import { TokenStore } from '../../src/core/security/token-store.ts';
import { correlation, covariance } from '../../src/core/statistics/association.ts';
import * as central from '../../src/core/statistics/central.ts';
import { type HeatmapEvent, heatmap } from '../../src/core/statistics/heatmap.ts';
import { percentile } from '../../src/core/statistics/percentile.ts';
import { ResponseTimeTracker } from '../../src/core/statistics/response-time-tracker.ts';
import { runningVariance } from '../../src/core/statistics/running-variance.ts';
import * as trends from '../../src/core/statistics/series.ts';
import * as spread from '../../src/core/statistics/spread.ts';
import * as alerts from '../../src/core/telemetry/alert-level.ts';
import { errorRate, healthScore } from '../../src/core/telemetry/health-score.ts';
import {
  formatMetric,
  type MetricSample,
  meanByName,
  metricNames,
} from '../../src/core/telemetry/metric.ts';
import { MetricsCollector } from '../../src/core/telemetry/metrics-collector.ts';
import * as levels from '../../src/core/telemetry/service-level.ts';
import * as topology from '../../src/core/topology/contracts.ts';
import {
  networkedServices,
  proxiedHealthPath,
  type ServiceDefinition,
  serviceUrl,
} from '../../src/core/topology/service-catalog.ts';
import * as entityFigures from '../../src/core/workflow/entity-figures.ts';
import * as guarded from '../../src/core/workflow/guarded-transitions.ts';
import * as lifecycle from '../../src/core/workflow/job-lifecycle.ts';
import { isValidState, type JobState } from '../../src/core/workflow/job-lifecycle.ts';
import * as histories from '../../src/core/workflow/transition-history.ts';
import { auditLine, parseAuditLine } from '../../src/core/workflow/transition-record.ts';
import { type TransitionOutcome, WorkflowEngine } from '../../src/core/workflow/workflow-engine.ts';
import { nodeCrypto } from '../../src/io/credentials/crypto.ts';

// ---- translation -----------------------------------------------------------------------------

export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: string;

  constructor({ code, message }: Pick<Fault, 'code' | 'message'>) {
    super(message);
    this.code = code;
  }
}

/** The value of a result; its refusal is thrown (T3). */
function granted<T>(result: Result<T, Pick<Fault, 'code' | 'message'>>): T {
  if (!result.ok) throw new Refused(result.error);
  return result.value;
}

/** A check says nothing when it passes. */
function passed(result: Result<unknown, Pick<Fault, 'code' | 'message'>>): null {
  granted(result);
  return null;
}

function orNull<T>(value: T | undefined): T | null {
  return value === undefined ? null : value;
}

function orAbsent<T>(value: T | null | undefined): T | undefined {
  return value === null ? undefined : value;
}

type TextMap<Value> = ReadonlyMap<string, Value> | Readonly<Record<string, Value>>;

function isMap<Value>(given: TextMap<Value>): given is ReadonlyMap<string, Value> {
  return given instanceof Map;
}

function mapOf<Value>(given: TextMap<Value>): ReadonlyMap<string, Value> {
  return isMap(given) ? given : new Map(Object.entries(given));
}

function recordOf<Value>(map: ReadonlyMap<string | number, Value>): Record<string, Value> {
  return Object.fromEntries(map);
}

// ---- A.1 config ------------------------------------------------------------------------------

type ConfigRecord = {
  readonly name: string;
  readonly port: number;
  readonly timeout_ms: number;
  readonly max_retries: number;
  readonly region: string;
  readonly pool_size: number;
};

function configOf({ name, port, region, ...rest }: ConfigRecord): configs.ServiceConfig {
  const { timeout_ms, max_retries, pool_size } = rest;
  return {
    name,
    port,
    timeoutMs: timeout_ms,
    maxRetries: max_retries,
    region,
    poolSize: pool_size,
  };
}

function configRecord(ours: configs.ServiceConfig): ConfigRecord {
  const { name, port, timeoutMs, maxRetries, region, poolSize } = ours;
  return {
    name,
    port,
    timeout_ms: timeoutMs,
    max_retries: maxRetries,
    region,
    pool_size: poolSize,
  };
}

const config = {
  ServiceConfig: (name: string): ConfigRecord => configRecord(configs.createServiceConfig(name)),
  default_region: configs.defaultRegion,
  default_pool_size: configs.defaultPoolSize,
  validate_config: (given: ConfigRecord): null => passed(configs.validateConfig(configOf(given))),
  merge_configs: (base: ConfigRecord, overrides: TextMap<string>): ConfigRecord =>
    configRecord(configs.mergeConfigs(configOf(base), mapOf(overrides))),
  validate_endpoint: validateEndpoint,
  normalize_env_name: environments.normalizeEnvName,
  build_connection_string: buildConnectionString,
  parse_feature_flags: parseFeatureFlags,
  is_production: environments.isProduction,
  config_priority: environments.configPriority,
};

// ---- A.2 concurrency -------------------------------------------------------------------------

const counters = new WeakMap<object, AtomicCounter>();

function newCounter(initial = 0) {
  const ours = new AtomicCounter(initial);
  const theirs = {
    increment: () => ours.increment(),
    decrement: () => ours.decrement(),
    get: () => ours.get(),
    add_and_check_threshold: (delta: number, threshold: number) =>
      ours.addAndCheck(delta, threshold),
    compare_and_swap: (expected: number, next: number) => ours.compareAndSwap(expected, next),
  };
  counters.set(theirs, ours);
  return theirs;
}

type Counter = ReturnType<typeof newCounter>;

function counterOf(theirs: Counter): AtomicCounter {
  const ours = counters.get(theirs);
  if (ours === undefined) throw new TypeError('not a counter of this adapter');
  return ours;
}

function newSharedRegistry() {
  const ours = new SharedRegistry<string | number | boolean>();
  return {
    register: (key: string, value: string | number | boolean) => ours.register(key, value),
    lookup: (key: string) => orNull(ours.lookup(key)),
    remove: (key: string) => orNull(ours.remove(key)),
    count: () => ours.count,
    keys: () => ours.keys(),
    transfer: (from: string, to: string) => ours.transfer(from, to),
  };
}

const concurrency = {
  barrier_reached: thresholds.barrierReached,
  merge_counts: (a: TextMap<number>, b: TextMap<number>): Record<string, number> =>
    recordOf(partitions.mergeCounts(mapOf(a), mapOf(b))),
  AtomicCounter: newCounter,
  add_and_check_threshold: (counter: Counter, delta: number, threshold: number): boolean =>
    counter.add_and_check_threshold(delta, threshold),
  compare_and_swap: (counter: Counter, expected: number, next: number): number =>
    counter.compare_and_swap(expected, next),
  partition_by_threshold: thresholds.partitionByThreshold,
  SharedRegistry: newSharedRegistry,
  transfer: (shared: ReturnType<typeof newSharedRegistry>, from: string, to: string): boolean =>
    shared.transfer(from, to),
  fan_out_merge: partitions.fanOutMerge,
  detect_cycle: detectCycle,
  work_stealing: <Item>(queues: readonly Item[][], idle: number): Item | null =>
    orNull(stealWork(queues, idle)),
  parallel_sum: partitions.parallelSum,
  epoch_advance: (counter: Counter, epochs: number): number =>
    advanceEpoch(counterOf(counter), epochs),
  bounded_channel_size: thresholds.boundedChannelSize,
};

// ---- A.3 events ------------------------------------------------------------------------------

export type { TimedEvent };

function newEventLog(max: number) {
  const ours = new EventLog(max);
  return {
    append: (event: TimedEvent) => ours.append(event),
    get_all: () => ours.getAll(),
    count: () => ours.count,
    clear: () => ours.clear(),
    latest: () => orNull(ours.latest()),
  };
}

const events = {
  sort_events_by_time: (given: readonly TimedEvent[]) => timeline.sortByTime(given),
  dedup_by_id: (given: readonly TimedEvent[]) => dedupeKeepEarliest(given),
  filter_time_window: (given: readonly TimedEvent[], start: number, end: number) =>
    timeline.inTimeWindow(given, start, end),
  count_by_kind: (given: readonly TimedEvent[]) => recordOf(timeline.countByKind(given)),
  EventLog: newEventLog,
  detect_gaps: (given: readonly TimedEvent[], threshold: number) =>
    detectGaps(given, threshold).map(([previous, next]): readonly [number, number] => [
      previous.timestamp,
      next.timestamp,
    ]),
  merge_event_streams: (a: readonly TimedEvent[], b: readonly TimedEvent[]) => mergeStreams(a, b),
  batch_events: (given: readonly TimedEvent[], size: number) => recordOf(bucketByTime(given, size)),
  event_rate: eventRate,
  causal_order: (given: readonly TimedEvent[]) => timeline.causalOrder(given),
  merge_and_dedup: (a: readonly TimedEvent[], b: readonly TimedEvent[]) => mergeDedupe(a, b),
  correlate_workflow_events: (
    transitionTimes: readonly number[],
    given: readonly TimedEvent[],
    window: number,
  ) => timeline.correlateTransitions(transitionTimes, given, window),
};

// ---- A.4 telemetry ---------------------------------------------------------------------------

function newCollector(max: number) {
  const ours = new MetricsCollector(max);
  return {
    record: (sample: MetricSample) => ours.record(sample),
    get_by_name: (name: string) => ours.getByName(name),
    count: () => ours.count,
    clear: () => ours.clear(),
  };
}

const telemetry = {
  error_rate: errorRate,
  latency_bucket: (ms: number): string => levels.latencyBucket(ms),
  throughput: levels.throughput,
  health_score: healthScore,
  is_within_threshold: alerts.withinTolerance,
  aggregate_metrics: (samples: readonly MetricSample[]) => recordOf(meanByName(samples)),
  uptime_percentage: levels.uptimePercent,
  should_alert: alerts.shouldAlert,
  alert_priority: (value: number, warn: number, critical: number): string =>
    alerts.alertPriority(value, warn, critical),
  format_metric: formatMetric,
  metric_names: metricNames,
  sli_budget_remaining: levels.errorBudgetRemaining,
  MetricsCollector: newCollector,
};

// ---- A.5 allocator ---------------------------------------------------------------------------

/** An estimate that is text and no number reads as 0. */
export type AllocatorOrder = readonly [id: string, urgency: number, eta: number | string];

type AdmittedOrder = readonly [id: string, urgency: number, eta: number];

function candidateOf([id, urgency, eta]: AllocatorOrder): candidates.PlacementCandidate {
  const isNumber = typeof eta === 'number' || /^-?\d+(?:\.\d+)?$/.test(eta);
  return { id, urgency, etaMinutes: isNumber ? Number(eta) : 0 };
}

function orderOf({ id, urgency, etaMinutes }: candidates.PlacementCandidate): AdmittedOrder {
  return [id, urgency, etaMinutes];
}

type BerthSlot = {
  readonly berth_id: string;
  readonly start_hour: number;
  readonly end_hour: number;
  readonly occupied: boolean;
  readonly vessel_id?: string | null;
};

function reservationOf(slot: BerthSlot): reservations.SlotReservation {
  const deploymentId = orAbsent(slot.vessel_id);
  return {
    slotId: slot.berth_id,
    startHour: slot.start_hour,
    endHour: slot.end_hour,
    occupied: slot.occupied,
    ...(deploymentId === undefined ? {} : { deploymentId }),
  };
}

function slotOf(ours: reservations.SlotReservation): BerthSlot {
  return {
    berth_id: ours.slotId,
    start_hour: ours.startHour,
    end_hour: ours.endHour,
    occupied: ours.occupied,
    vessel_id: orNull(ours.deploymentId),
  };
}

function newWindowScheduler(windowSeconds: number) {
  const ours = new RollingWindowScheduler(windowSeconds);
  return {
    submit: (timestamp: number, id: string) => ours.submit(timestamp, id),
    flush: (now: number) =>
      ours.flush(now).map(({ timestamp, id }): readonly [number, string] => [timestamp, id]),
    count: () => ours.count,
    window: () => ours.window,
  };
}

const allocator = {
  allocate_orders: (orders: readonly AllocatorOrder[], capacity: number) =>
    admission.admit(orders.map(candidateOf), capacity).map(orderOf),
  dispatch_batch: (orders: readonly AllocatorOrder[], capacity: number) => {
    const plan = granted(admission.planBatch(orders.map(candidateOf), capacity));
    return { planned: plan.planned.map(orderOf), rejected: plan.rejected.map(orderOf) };
  },
  has_conflict: (a: BerthSlot, b: BerthSlot): boolean =>
    reservations.overlaps(reservationOf(a), reservationOf(b)),
  find_available_slots: (slots: readonly BerthSlot[]) =>
    reservations.availableReservations(slots.map(reservationOf)).map(slotOf),
  RollingWindowScheduler: newWindowScheduler,
  estimate_cost: estimateJobCost,
  allocate_costs: (orders: readonly AllocatorOrder[], budget: number) =>
    granted(shareBudget(orders.map(candidateOf), budget)).map(
      ({ id, share }): readonly [string, number] => [id, share],
    ),
  estimate_turnaround: warmupHours,
  check_capacity: fitsCapacity,
  validate_order: (order: AllocatorOrder): null =>
    passed(candidates.validateCandidate(candidateOf(order))),
  validate_batch: (orders: readonly AllocatorOrder[]): null =>
    passed(candidates.validateBatch(orders.map(candidateOf))),
  compare_by_urgency_then_eta: (a: AllocatorOrder, b: AllocatorOrder): number =>
    candidates.compareCandidates(candidateOf(a), candidateOf(b)),
  weighted_allocate: (
    orders: readonly (readonly [id: string, urgency: number, weight: number])[],
    capacity: number,
  ) =>
    admission
      .admitWeighted(
        orders.map(([id, urgency, weight]) => ({ id, urgency, weight })),
        capacity,
      )
      .map(({ id, score }): readonly [string, number] => [id, score]),
  berth_utilization: (slots: readonly BerthSlot[]): number =>
    reservations.slotUtilization(slots.map(reservationOf)),
  round_allocation: figures.roundAllocation,
  cost_per_unit: costPerUnit,
  normalize_urgency: figures.normalizeUrgency,
  priority_score: figures.priorityPerSlot,
  is_over_capacity: atOrOverCapacity,
  surplus_berth_hours: (slots: readonly BerthSlot[]): number =>
    reservations.idleSlotHours(slots.map(reservationOf)),
  allocation_efficiency: figures.allocationEfficiency,
  demand_spike: figures.demandSpike,
  berth_schedule_conflict_window: (
    slots: readonly BerthSlot[],
    start: number,
    end: number,
    slotId: string,
    guardHours: number,
  ): boolean =>
    reservations.conflictsWithGuard(slots.map(reservationOf), start, end, slotId, guardHours),
};

// ---- A.6 contracts ---------------------------------------------------------------------------

type ServiceRecord = {
  readonly id: string;
  readonly port?: number | null;
  readonly health_path: string;
  readonly version: string;
  readonly dependencies: readonly string[];
};

function serviceOf({ id, port, health_path, version, dependencies }: ServiceRecord) {
  return { id, port: orAbsent(port), healthPath: health_path, version, dependencies };
}

function serviceRecord({ id, port, healthPath, version, dependencies }: ServiceDefinition) {
  return { id, port: orNull(port), health_path: healthPath, version, dependencies };
}

type ServiceList = readonly ServiceRecord[];

const contracts = {
  service_definitions: (): ServiceList => networkedServices().map(serviceRecord),
  get_service_url: (id: string): string | null => orNull(serviceUrl(id)),
  health_endpoint: proxiedHealthPath,
  validate_contract: (list: ServiceList): null =>
    passed(topology.validateContract(list.map(serviceOf))),
  topological_order: (list: ServiceList) => granted(topology.topologicalOrder(list.map(serviceOf))),
  dependency_count: (list: ServiceList, id: string): number =>
    topology.transitiveDependencyCount(list.map(serviceOf), id),
  is_critical_path: (list: ServiceList, id: string): boolean =>
    topology.isCriticalPath(list.map(serviceOf), id),
  service_version_check: (list: ServiceList, id: string, expected: string): boolean =>
    topology.versionMatches(list.map(serviceOf), id, expected),
  find_orphan_services: (list: ServiceList) => topology.orphanServices(list.map(serviceOf)),
  port_collision_check: (list: ServiceList): boolean =>
    topology.hasPortCollision(list.map(serviceOf)),
  contract_summary: (list: ServiceList): string => topology.contractSummary(list.map(serviceOf)),
};

// ---- A.7 models ------------------------------------------------------------------------------

type DispatchOrder = {
  readonly id: string;
  readonly severity: number;
  readonly sla_minutes: number;
};

function jobOf({ id, severity, sla_minutes }: DispatchOrder): UncheckedJob {
  return { id, priorityClass: severity, sloMinutes: sla_minutes };
}

/** The method does not show in a comparison of records. */
function newDispatchOrder(
  id: string,
  severity: number,
  sla_minutes: number,
): DispatchOrder & { readonly urgency_score: () => number } {
  const order: DispatchOrder = { id, severity, sla_minutes };
  const urgency_score = () => urgencies.urgencyScore(jobOf(order));
  return Object.defineProperty({ ...order, urgency_score }, 'urgency_score', { enumerable: false });
}

type VesselManifest = {
  readonly vessel_id: string;
  readonly name: string;
  readonly cargo_tons: number;
  readonly containers: number;
  readonly hazmat: boolean;
};

function manifestOf(theirs: VesselManifest): manifests.DeploymentManifest {
  return {
    deploymentId: theirs.vessel_id,
    name: theirs.name,
    artifactMb: theirs.cargo_tons,
    shardCount: theirs.containers,
    isolated: theirs.hazmat,
  };
}

const weightClasses = {
  small: 'light',
  medium: 'medium',
  large: 'heavy',
  xlarge: 'super-heavy',
} as const satisfies Record<manifests.SizeClass, string>;

const models = {
  DispatchOrder: newDispatchOrder,
  urgency_score: (order: DispatchOrder): number => urgencies.urgencyScore(jobOf(order)),
  sla_by_severity: (severity: number): number => classes.defaultSloMinutes(severity),
  is_heavy: (manifest: VesselManifest): boolean => manifests.isLargeArtifact(manifestOf(manifest)),
  container_weight_ratio: (manifest: VesselManifest): number =>
    manifests.mbPerShard(manifestOf(manifest)),
  create_batch_orders: (ids: readonly string[], severity: number, sla_minutes: number) =>
    createJobs(ids, severity, sla_minutes).map((job) =>
      newDispatchOrder(job.id, job.priorityClass, job.sloMinutes),
    ),
  validate_dispatch_order: (order: DispatchOrder): null => passed(validateJob(jobOf(order))),
  classify_severity: (text: string): number => classes.classifyPriority(text),
  severity_label: (severity: number): string => classes.priorityLabel(severity),
  weight_class: (tons: number): string => weightClasses[manifests.sizeClass(tons)],
  estimated_crew: manifests.loaderWorkers,
  order_priority_compare: (a: DispatchOrder, b: DispatchOrder): number =>
    urgencies.compareJobs(jobOf(a), jobOf(b)),
  total_cargo: (list: readonly VesselManifest[]): number =>
    manifests.totalArtifactMb(list.map(manifestOf)),
  hazmat_surcharge: manifests.isolationSurcharge,
  eta_minutes: completionMinutes,
  effective_sla: compositeAvailability,
  time_adjusted_urgency: urgencies.deadlineUrgency,
};

// ---- A.8 policy ------------------------------------------------------------------------------

/** What was measured and what was promised. */
type SlaRecord =
  | readonly [actual: number, sla: number]
  | { readonly actual: number; readonly sla: number };

function isPair(given: SlaRecord): given is readonly [actual: number, sla: number] {
  return Array.isArray(given);
}

function sloRecord(given: SlaRecord): risk.SloRecord {
  const [actual, slo] = isPair(given) ? given : [given.actual, given.sla];
  return { actual, slo };
}

function newPolicyEngine() {
  const ours = new PolicyEngine();
  return {
    current: () => ours.current,
    escalate: (failureBurst: number) => ours.escalate(failureBurst),
    deescalate: () => ours.deescalate(),
    history: () => ours.history(),
    reset: () => ours.reset(),
  };
}

const policy = {
  next_policy: (mode: string, failureBurst: number): string => modes.escalate(mode, failureBurst),
  previous_policy: (mode: string): string => modes.deescalate(mode),
  should_deescalate: modes.mayDeescalate,
  get_metadata: (mode: string) => {
    const known = modes.modeMetadata(mode);
    if (known === undefined) return null;
    return { max_retries: known.maxRetries, description: known.description };
  },
  all_policies: modes.modes,
  policy_index: (mode: string): number | null => orNull(modes.modeIndex(mode)),
  PolicyEngine: newPolicyEngine,
  check_sla_compliance: risk.meetsSlo,
  sla_percentage: (records: readonly SlaRecord[]): number =>
    risk.sloPercent(records.map(sloRecord)),
  policy_weight: modes.modeWeight,
  escalation_needed: risk.escalationNeeded,
  risk_score: risk.riskScore,
  within_grace_period: risk.withinGrace,
  max_retries_for_policy: modes.maxRetries,
  cooldown_multiplier: modes.cooldownMultiplier,
  cooldown_remaining: cooldowns.cooldownRemaining,
  aggregate_risk: risk.aggregateRisk,
  escalation_with_cooldown: (
    mode: string,
    failureBurst: number,
    lastChange: number,
    now: number,
    minCooldown: number,
  ): string => cooldowns.escalateWithCooldown(mode, failureBurst, lastChange, now, minCooldown),
};

// ---- A.9 queue -------------------------------------------------------------------------------

const queues = new WeakMap<object, PriorityQueue>();

function newQueue(hardLimit: number) {
  const ours = new PriorityQueue(hardLimit);
  const theirs = {
    enqueue: (item: QueueItem) => ours.enqueue(item),
    dequeue: () => orNull(ours.dequeue()),
    peek: () => orNull(ours.peek()),
    size: () => ours.size,
    drain: () => ours.drain(),
    clear: () => ours.clear(),
  };
  queues.set(theirs, ours);
  return theirs;
}

function queueOf(theirs: ReturnType<typeof newQueue>): PriorityQueue {
  const ours = queues.get(theirs);
  if (ours === undefined) throw new TypeError('not a queue of this adapter');
  return ours;
}

function newLimiter(capacity: number, refillRate: number) {
  const ours = new TokenBucket(capacity, refillRate);
  return {
    try_acquire: (now: number) => ours.tryAcquire(now),
    try_acquire_batch: (count: number, now: number) => ours.tryAcquireBatch(count, now),
    refill: (now: number) => ours.refill(now),
    available: () => ours.available(),
  };
}

type WaitingItem = readonly [id: string, priority: number];

const queue = {
  should_shed: shouldShed,
  PriorityQueue: newQueue,
  RateLimiter: newLimiter,
  try_acquire_batch: (
    limiter: ReturnType<typeof newLimiter>,
    count: number,
    now: number,
  ): boolean => limiter.try_acquire_batch(count, now),
  queue_health: (depth: number, hardLimit: number) => {
    const {
      depth: found,
      hardLimit: limit,
      utilization,
      status,
    } = load.queueHealth(depth, hardLimit);
    return { depth: found, hard_limit: limit, utilization, status };
  },
  estimate_wait_time: estimateWait,
  batch_enqueue: (given: ReturnType<typeof newQueue>, items: readonly QueueItem[]): number =>
    queueItems.enqueueAll(queueOf(given), items),
  priority_boost: (item: QueueItem, amount: number): QueueItem => queueItems.boost(item, amount),
  fairness_index: fairnessIndex,
  requeue_expired: (
    items: readonly (readonly [id: string, priority: number, timestamp: number])[],
    cutoff: number,
  ): readonly [expired: readonly WaitingItem[], active: readonly WaitingItem[]] => {
    const { expired, active } = queueItems.splitExpired(
      items.map(([id, priority, timestamp]) => ({ id, priority, timestamp })),
      cutoff,
    );
    const pair = ({ id, priority }: QueueItem): WaitingItem => [id, priority];
    return [expired.map(pair), active.map(pair)];
  },
  weighted_wait_time: weightedWait,
  queue_pressure: load.queuePressure,
  drain_percentage: load.drainPercent,
};

// ---- A.10 resilience -------------------------------------------------------------------------

export type { ReplayEvent };

function newBreaker(failureThreshold: number, successThreshold: number) {
  const ours = new CircuitBreaker(failureThreshold, successThreshold);
  return {
    record_failure: (): void => {
      ours.recordFailure();
    },
    record_success: (): void => {
      ours.recordSuccess();
    },
    attempt_reset: (): void => {
      ours.attemptReset();
    },
    is_call_permitted: () => ours.isCallPermitted(),
    state: (): string => ours.state,
    failure_count: () => ours.failures,
    success_count: () => ours.successes,
  };
}

function newReplayCheckpoints(interval: number) {
  const ours = new ReplayCheckpoints(interval);
  return {
    record: (checkpoint: ReplayCheckpoint) => passed(ours.record(checkpoint)),
    get: (id: string) => orNull(ours.get(id)),
    should_checkpoint: (current: number, last: number) => ours.shouldCheckpoint(current, last),
    reset: () => ours.reset(),
    count: () => ours.count,
  };
}

type ReplayList = readonly ReplayEvent[];

const resilience = {
  replay: (given: ReplayList) => granted(replays.replay(given)),
  deduplicate: (given: ReplayList) => replays.dedupeFirst(given),
  replay_converges: replays.replayConverges,
  replay_window: (given: ReplayList, min: number, max: number) =>
    windows.inSequenceWindow(given, min, max),
  ordered_replay_window: (given: ReplayList, min: number, max: number) =>
    windows.orderedSequenceWindow(given, min, max),
  event_ordering: (given: ReplayList) => windows.orderBySequence(given),
  process_replay_batch: (given: ReplayList) => windows.processReplayBatch(given),
  idempotent_apply: (given: ReplayList, applied: Iterable<number>) =>
    replays.pendingEvents(given, new Set(applied)),
  compact_events: (given: ReplayList) => granted(replays.compact(given)),
  retry_delay: retries.retryDelay,
  retry_delay_with_jitter: retries.retryDelayWithJitter,
  adaptive_backoff: retries.backoff,
  should_trip: failures.shouldTrip,
  half_open_max_calls: failures.halfOpenProbes,
  failure_window_expired: failures.failureWindowExpired,
  recovery_rate: failures.recoveryRate,
  checkpoint_interval_ok: checkpointDue,
  degradation_level: (errorRate: number): string => degradationLevel(errorRate),
  bulkhead_permits_available: failures.bulkheadHasPermit,
  circuit_state_duration: failures.stateDuration,
  fallback_priority: (list: readonly (readonly [name: string, reliability: number])[]) =>
    failures.fallbackOrder(list.map(([name, reliability]) => ({ name, reliability }))),
  cascade_failure_check: failures.cascadeRisk,
  health_quorum: hasQuorum,
  CircuitBreaker: newBreaker,
  ReplayCheckpointManager: newReplayCheckpoints,
  CheckpointManager: newReplayCheckpoints,
};

// ---- A.11 routing ----------------------------------------------------------------------------

export type RouteRecord = { readonly channel: string; readonly latency: number };

function routeOf({ channel, latency }: RouteRecord): routes.Route {
  return { endpoint: channel, latencyMs: latency };
}

function routeRecord({ endpoint, latencyMs }: routes.Route): RouteRecord {
  return { channel: endpoint, latency: latencyMs };
}

function routeOrNull(ours: routes.Route | undefined): RouteRecord | null {
  return ours === undefined ? null : routeRecord(ours);
}

function newRouteTable() {
  const ours = new RouteTable();
  return {
    upsert: (route: RouteRecord) => ours.upsert(routeOf(route)),
    get: (channel: string) => routeOrNull(ours.get(channel)),
    remove: (channel: string) => routeOrNull(ours.remove(channel)),
    all: () => ours.all().map(routeRecord),
    count: () => ours.count,
  };
}

type Waypoint = { readonly port: string; readonly distance: number };

const routing = {
  choose_route: (list: readonly RouteRecord[], blocked: Iterable<string>): RouteRecord | null =>
    routeOrNull(routes.selectRoute(list.map(routeOf), new Set(blocked))),
  compare_routes: (a: RouteRecord, b: RouteRecord): number =>
    routes.compareRoutes(routeOf(a), routeOf(b)),
  best_route: (list: readonly RouteRecord[]): RouteRecord | null =>
    routeOrNull(routes.bestRoute(list.map(routeOf))),
  route_failover: (list: readonly RouteRecord[], primary: string): RouteRecord | null =>
    routeOrNull(routes.failover(list.map(routeOf), primary)),
  route_available: (route: RouteRecord, blocked: Iterable<string>): boolean =>
    routes.isAvailable(routeOf(route), new Set(blocked)),
  channel_score: routeFigures.endpointScore,
  weighted_route_score: routeFigures.weightedScore,
  estimate_transit_time: pipelines.stageHours,
  plan_multi_leg: (waypoints: readonly Waypoint[], speed: number) => {
    const stages = waypoints.map(({ port, distance }) => ({ name: port, work: distance }));
    const plan = pipelines.planPipeline(stages, speed);
    return {
      legs: plan.stages.map(({ name, work }): Waypoint => ({ port: name, distance: work })),
      total_distance: plan.totalWork,
      estimated_hours: plan.estimatedHours,
    };
  },
  RouteTable: newRouteTable,
  estimate_route_cost: pipelines.pipelineCost,
  distance_between: routeFigures.absoluteGap,
  normalize_latency: routeFigures.normalizeLatency,
  fuel_efficiency: pipelines.energyEfficiency,
  total_port_fees: pipelines.totalHopFees,
  knots_to_kmh: routeFigures.nmiToKm,
  congestion_adjusted_latency: routeFigures.loadAdjustedLatency,
  route_reliability: routeFigures.successRate,
  optimal_stop_count: pipelines.chunkCount,
};

// ---- A.12 security ---------------------------------------------------------------------------

function newTokenStore() {
  const ours = new TokenStore(nodeCrypto);
  return {
    store: (id: string, token: string, issuedAt: number, ttlSeconds: number) =>
      passed(ours.store(id, token, issuedAt, ttlSeconds)),
    validate: (id: string, token: string, now: number) => ours.validate(id, token, now),
    revoke: (id: string) => ours.revoke(id),
    count: () => ours.count,
    cleanup: (now: number) => ours.cleanup(now),
  };
}

const security = {
  digest: (text: string): string => signatures.digest(text, nodeCrypto),
  verify_signature: (payload: string, signature: string, expected: string): boolean =>
    signatures.verifySignature(payload, signature, expected, nodeCrypto),
  sign_manifest: (payload: string, key: string): string =>
    granted(signatures.signManifest(payload, key, nodeCrypto)),
  verify_manifest: (payload: string, key: string, signature: string): boolean =>
    signatures.verifyManifest(payload, key, signature, nodeCrypto),
  hmac_verify: constantTimeEqual,
  TokenStore: newTokenStore,
  sanitise_path: (path: string): string => granted(sanitisePath(path)),
  is_allowed_origin: (origin: string): boolean => rules.isAllowedOrigin(origin),
  validate_token_format: rules.isTokenWellFormed,
  password_strength: (password: string): string => rules.passwordStrength(password),
  mask_sensitive: maskSensitive,
  rate_limit_key: rules.rateLimitKey,
  session_expired: rules.sessionExpired,
  sanitize_header: sanitizeHeader,
  permission_check: (required: readonly string[], held: Iterable<string>): boolean =>
    rules.hasPermissions(required, new Set(held)),
  ip_in_allowlist: ipAllowed,
  hash_password: (password: string, salt: string): string =>
    hashPassword(password, salt, nodeCrypto),
  token_needs_refresh: rules.tokenNeedsRefresh,
  audit_log_monotonic: rules.isMonotonic,
};

// ---- A.13 statistics -------------------------------------------------------------------------

function newTracker(window: number) {
  const ours = new ResponseTimeTracker(window);
  return {
    record: (value: number) => ours.add(value),
    p50: () => ours.p50(),
    p95: () => ours.p95(),
    p99: () => ours.p99(),
    count: () => ours.count,
  };
}

const statistics = {
  percentile: (values: readonly number[], pct: number): number => percentile(values, pct),
  mean: (values: readonly number[]): number => central.mean(values),
  median: (values: readonly number[]): number => central.median(values),
  variance: (values: readonly number[], ddof = 1): number => spread.variance(values, ddof),
  stddev: (values: readonly number[], ddof = 1): number => spread.stddev(values, ddof),
  ResponseTimeTracker: newTracker,
  generate_heatmap: (list: readonly HeatmapEvent[], rows: number, cols: number) =>
    heatmap(list, rows, cols),
  moving_average: (values: readonly number[], window: number) =>
    trends.movingAverage(values, window),
  weighted_mean: (values: readonly number[], weights: readonly number[]): number =>
    central.weightedMean(values, weights),
  exponential_moving_average: trends.ema,
  min_max_normalize: spread.minMaxNormalize,
  covariance: (xs: readonly number[], ys: readonly number[], ddof = 1): number =>
    covariance(xs, ys, ddof),
  correlation: (xs: readonly number[], ys: readonly number[]): number => correlation(xs, ys),
  sum_of_squares: (values: readonly number[]): number => spread.sumOfSquares(values),
  interquartile_range: (values: readonly number[]): number => spread.iqr(values),
  rate_of_change: trends.rateOfChange,
  z_score: spread.zScore,
  cumulative_sum: (values: readonly number[]) => trends.cumulativeSum(values),
  trimmed_mean: (values: readonly number[], share: number): number =>
    central.trimmedMean(values, share),
  outlier_indices: (values: readonly number[], limit: number) =>
    spread.outlierIndices(values, limit),
  running_variance: (values: readonly number[], window: number) => runningVariance(values, window),
  detect_trend: (values: readonly number[], alpha: number): string =>
    trends.detectTrend(values, alpha),
};

// ---- A.14 workflow ---------------------------------------------------------------------------

const workflowStates: Readonly<Record<JobState, string>> = {
  queued: 'queued',
  placed: 'allocated',
  running: 'departed',
  completed: 'arrived',
  cancelled: 'cancelled',
};
const jobStates: ReadonlyMap<string, string> = new Map(
  Object.entries(workflowStates).map(([ours, theirs]) => [theirs, ours]),
);
/** Text that is no state of the documents must not be read as one of the product. */
const foreign = '?';

function jobState(theirs: string): string {
  return jobStates.get(theirs) ?? `${foreign}${theirs}`;
}

function workflowState(ours: string): string {
  if (ours.startsWith(foreign)) return ours.slice(foreign.length);
  return isValidState(ours) ? workflowStates[ours] : ours;
}

function statesOf(entities: TextMap<string>): ReadonlyMap<string, string> {
  return new Map([...mapOf(entities)].map(([id, state]) => [id, jobState(state)]));
}

type TransitionRecord = {
  readonly entity_id: string;
  readonly from: string;
  readonly to: string;
  readonly timestamp: number;
};

type OurRecord = histories.History[number];

function ourRecord({ entity_id, from, to, timestamp }: TransitionRecord): OurRecord {
  return { entityId: entity_id, from: jobState(from), to: jobState(to), timestamp };
}

function theirRecord({ entityId, from, to, timestamp }: OurRecord): TransitionRecord {
  return { entity_id: entityId, from: workflowState(from), to: workflowState(to), timestamp };
}

function outcomeOf(ours: TransitionOutcome) {
  return {
    success: ours.success,
    from: workflowState(ours.from),
    to: workflowState(ours.to),
    error: ours.success ? null : ours.error.message,
  };
}

/** The line with the documents' names of both states. */
function theirLine(line: string): string {
  const record = parseAuditLine(line);
  if (record === undefined) return line;
  return auditLine({ ...record, from: workflowState(record.from), to: workflowState(record.to) });
}

const engines = new WeakMap<object, WorkflowEngine>();

function newEngine() {
  const ours = new WorkflowEngine();
  const theirs = {
    register: (id: string) => workflowState(granted(ours.register(id))),
    get_state: (id: string) => {
      const state = ours.getState(id);
      return state === undefined ? null : workflowState(state);
    },
    transition: (id: string, to: string, timestamp: number) =>
      outcomeOf(ours.transition(id, jobState(to), timestamp)),
    is_terminal: (id: string) => ours.isTerminal(id),
    active_count: () => ours.activeCount(),
    history: () => ours.history().map(theirRecord),
    audit_log: () => ours.auditLog().map(theirLine),
  };
  engines.set(theirs, ours);
  return theirs;
}

type Engine = ReturnType<typeof newEngine>;

function engineOf(theirs: Engine): WorkflowEngine {
  const ours = engines.get(theirs);
  if (ours === undefined) throw new TypeError('not an engine of this adapter');
  return ours;
}

type RecordList = readonly TransitionRecord[];

const workflow = {
  can_transition: (from: string, to: string): boolean =>
    lifecycle.canTransition(jobState(from), jobState(to)),
  is_terminal_state: (state: string): boolean => lifecycle.isTerminalState(jobState(state)),
  is_valid_state: (state: string): boolean => isValidState(jobState(state)),
  allowed_transitions: (state: string): readonly string[] =>
    lifecycle.allowedTransitions(jobState(state)).map(workflowState),
  shortest_path: (from: string, to: string): readonly string[] | null =>
    orNull(lifecycle.shortestPath(jobState(from), jobState(to))?.map(workflowState)),
  WorkflowEngine: newEngine,
  audit_log: (engine: Engine) => engine.audit_log(),
  TransitionRecord: (entity_id: string, from: string, to: string, timestamp: number) =>
    theirRecord(ourRecord({ entity_id, from, to, timestamp })),
  transition_count: (history: RecordList, id: string): number =>
    histories.transitionCount(history.map(ourRecord), id),
  chain_length: (history: RecordList, id: string): number =>
    histories.chainLength(history.map(ourRecord), id),
  time_in_state: (history: RecordList, state: string): number | null =>
    orNull(histories.timeInState(history.map(ourRecord), jobState(state))),
  parallel_workflows: (entities: TextMap<string>): number =>
    entityFigures.activeWorkflows(statesOf(entities)),
  state_distribution: (entities: TextMap<string>): Record<string, number> =>
    Object.fromEntries(
      [...entityFigures.stateDistribution(statesOf(entities))].map(([state, count]) => [
        workflowState(state),
        count,
      ]),
    ),
  bottleneck_state: (entities: TextMap<string>): string | null => {
    const state = entityFigures.bottleneckState(statesOf(entities));
    return state === undefined ? null : workflowState(state);
  },
  workflow_complete_percentage: (entities: TextMap<string>): number =>
    entityFigures.completePercent(statesOf(entities)),
  can_cancel: (state: string): boolean => lifecycle.canRequestCancel(jobState(state)),
  can_resume: (state: string): boolean => lifecycle.canResume(jobState(state)),
  estimated_completion: (state: string, averagePerTransition: number): number =>
    lifecycle.estimatedCompletion(jobState(state), averagePerTransition),
  state_age_seconds: entityFigures.stateAge,
  is_stale: entityFigures.isStale,
  batch_register: (engine: Engine, ids: readonly string[]): number =>
    guarded.registerAll(engineOf(engine), ids),
  valid_path: (states: readonly string[]): boolean => lifecycle.isValidPath(states.map(jobState)),
  entity_throughput: entityFigures.throughputPerHour,
  merge_histories: (a: RecordList, b: RecordList) =>
    histories.mergeHistories(a.map(ourRecord), b.map(ourRecord)).map(theirRecord),
  reachable_from: (state: string): readonly string[] =>
    lifecycle.reachableFrom(jobState(state)).map(workflowState).sort(compareText),
  compact_history: (history: RecordList) =>
    histories.compactHistory(history.map(ourRecord)).map(theirRecord),
  validate_and_transition: (
    engine: Engine,
    id: string,
    to: string,
    timestamp: number,
    targets: readonly string[],
  ) =>
    outcomeOf(
      guarded.transitionIfAllowed(
        engineOf(engine),
        id,
        jobState(to),
        timestamp,
        targets.map(jobState),
      ),
    ),
  batch_transition_atomic: (
    engine: Engine,
    list: readonly (readonly [id: string, to: string, timestamp: number])[],
  ): readonly [ok: boolean, results: readonly ReturnType<typeof outcomeOf>[]] => {
    const requests = list.map(([entityId, to, timestamp]) => {
      return { entityId, to: jobState(to), timestamp };
    });
    const { ok, results } = guarded.transitionAll(engineOf(engine), requests);
    return [ok, results.map(outcomeOf)];
  },
};

// ---- C.1 registry ----------------------------------------------------------------------------

const deploymentStates = {
  registered: 'Registered',
  validating: 'Validating',
  staging: 'Staging',
  canary: 'Canary',
  production: 'Production',
  deprecated: 'Deprecated',
  archived: 'Archived',
} as const satisfies Record<VersionState, string>;

/** The product's word for a text of the documents; a text that is none is a bug of the caller. */
function wordOf<Ours extends string>(table: Readonly<Record<Ours, string>>, text: string): Ours {
  for (const ours in table) if (table[ours] === text) return ours;
  throw new TypeError(`no such word: ${text}`);
}

const stateOf = (text: string): VersionState => wordOf(deploymentStates, text);

type ModelRecord = {
  readonly model_id: string;
  readonly name: string;
  readonly version: ModelVersion;
  readonly framework: string;
  readonly input_shape: readonly number[];
  readonly output_shape: readonly number[];
  readonly size_bytes: number;
  readonly checksum: string;
  readonly registered_at: number;
  readonly state: string;
  readonly tags: Readonly<Record<string, string>>;
};

type ValidationRecord = {
  readonly model_id: string;
  readonly version: ModelVersion;
  readonly passed: boolean;
  readonly latency_p50_ms: number;
  readonly latency_p99_ms: number;
  readonly accuracy_score: number;
  readonly errors: readonly string[];
};

function modelRecord(ours: ModelMetadata): ModelRecord {
  return {
    model_id: ours.modelId,
    name: ours.name,
    version: ours.version,
    framework: ours.framework,
    input_shape: ours.inputShape,
    output_shape: ours.outputShape,
    size_bytes: ours.sizeBytes,
    checksum: ours.checksum,
    registered_at: ours.registeredAt,
    state: deploymentStates[ours.state],
    tags: ours.tags,
  };
}

function factsOf(theirs: ModelRecord): VersionFacts {
  return {
    modelId: theirs.model_id,
    name: theirs.name,
    version: theirs.version,
    framework: theirs.framework,
    inputShape: theirs.input_shape,
    outputShape: theirs.output_shape,
    sizeBytes: theirs.size_bytes,
    checksum: theirs.checksum,
    tags: theirs.tags,
  };
}

function validationOf(theirs: ValidationRecord): ValidationResult {
  return {
    modelId: theirs.model_id,
    version: theirs.version,
    passed: theirs.passed,
    latencyP50Ms: theirs.latency_p50_ms,
    latencyP99Ms: theirs.latency_p99_ms,
    accuracyScore: theirs.accuracy_score,
    errors: theirs.errors,
  };
}

function validationRecord(ours: ValidationResult): ValidationRecord {
  return {
    model_id: ours.modelId,
    version: ours.version,
    passed: ours.passed,
    latency_p50_ms: ours.latencyP50Ms,
    latency_p99_ms: ours.latencyP99Ms,
    accuracy_score: ours.accuracyScore,
    errors: ours.errors,
  };
}

function newModelRegistry() {
  const ours = new ModelRegistry();
  let commands = 0;
  const stamp = (now = 0): CommandStamp => {
    commands += 1;
    return { now: instant(now), eventId: `event-${commands}`, actor: 'system' };
  };
  return {
    register: (metadata: ModelRecord) =>
      passed(ours.register(factsOf(metadata), stamp(metadata.registered_at))),
    get: (modelId: string, version: ModelVersion) => modelOrNull(ours.get(modelId, version)),
    get_latest: (modelId: string) => modelOrNull(ours.getLatest(modelId)),
    list_versions: (modelId: string) => ours.listVersions(modelId).map(modelRecord),
    transition_state: (modelId: string, version: ModelVersion, to: string) =>
      passed(ours.transitionState(modelId, version, stateOf(to), stamp())),
    record_validation: (result: ValidationRecord) =>
      passed(ours.recordValidation(validationOf(result), stamp())),
    get_validation: (modelId: string, version: ModelVersion) => {
      const found = ours.getValidation(modelId, version);
      return found === undefined ? null : validationRecord(found);
    },
    find_by_state: (state: string) => ours.findByState(stateOf(state)).map(modelRecord),
    model_count: () => ours.modelCount,
    version_count: () => ours.versionCount,
  };
}

function modelOrNull(ours: ModelMetadata | undefined): ModelRecord | null {
  return ours === undefined ? null : modelRecord(ours);
}

const registry = {
  compare_versions: compareVersions,
  parse_version: (text: string): ModelVersion | null => orNull(parseVersion(text)),
  format_version: formatVersion,
  can_transition_state: (from: string, to: string): boolean =>
    canTransitionState(stateOf(from), stateOf(to)),
  shape_compatibility: shapeCompatibility,
  meets_sla: (result: ValidationRecord, maxP99Ms: number, minAccuracy: number): boolean =>
    meetsSla(validationOf(result), maxP99Ms, minAccuracy),
  select_best_model: (
    list: readonly (readonly [metadata: ModelRecord, result: ValidationRecord])[],
  ): string | null =>
    orNull(
      selectBestModel(
        list.map(([metadata, result]) => ({
          metadata: { ...factsOf(metadata), state: stateOf(metadata.state) },
          result: validationOf(result),
        })),
      ),
    ),
  rollback_priority: (current: ValidationRecord, baseline: ValidationRecord): number =>
    rollbackPriority(validationOf(current), validationOf(baseline)),
  ModelRegistry: newModelRegistry,
};

// ---- C.2 gpu_memory --------------------------------------------------------------------------

const blockStatuses = {
  free: 'Free',
  allocated: 'Allocated',
  pinned: 'Pinned',
  cached: 'Cached',
} as const satisfies Record<BlockStatus, string>;

type BlockRecord = {
  readonly block_id: number;
  readonly offset: number;
  readonly size: number;
  readonly status: string;
  readonly tensor_id?: string | null;
  readonly allocated_at: number;
  readonly last_accessed: number;
};

/** Ids are plain numbers in the documents. */
function blockId(id: number): BlockId {
  return id as BlockId;
}

function blockOf(theirs: BlockRecord): MemoryBlock {
  const tensorId = orAbsent(theirs.tensor_id);
  return {
    blockId: blockId(theirs.block_id),
    offset: theirs.offset,
    size: theirs.size,
    status: wordOf(blockStatuses, theirs.status),
    ...(tensorId === undefined ? {} : { tensorId }),
    allocatedAt: theirs.allocated_at,
    lastAccessed: theirs.last_accessed,
  };
}

function blockRecord(ours: MemoryBlock): BlockRecord {
  return {
    block_id: ours.blockId,
    offset: ours.offset,
    size: ours.size,
    status: blockStatuses[ours.status],
    tensor_id: orNull(ours.tensorId),
    allocated_at: ours.allocatedAt,
    last_accessed: ours.lastAccessed,
  };
}

type DeviceRecord = {
  readonly device_id: string;
  readonly total_memory: number;
  readonly memory_clock_mhz: number;
  readonly compute_capability: readonly [major: number, minor: number];
};

function deviceOf(theirs: DeviceRecord): GpuDevice {
  const [major, minor] = theirs.compute_capability;
  return {
    deviceId: theirs.device_id,
    totalMemory: theirs.total_memory,
    memoryClockMhz: theirs.memory_clock_mhz,
    computeCapability: { major, minor },
  };
}

type AllocationRecord = {
  readonly tensor_id: string;
  readonly size: number;
  readonly alignment: number;
  readonly pinned: boolean;
  readonly priority: number;
};

function statsRecord(ours: PoolStats) {
  return {
    total_bytes: ours.totalBytes,
    allocated_bytes: ours.allocatedBytes,
    free_bytes: ours.freeBytes,
    pinned_bytes: ours.pinnedBytes,
    cached_bytes: ours.cachedBytes,
    fragmentation_ratio: ours.fragmentationRatio,
    largest_free_block: ours.largestFreeBlock,
    block_count: ours.blockCount,
    allocation_count: ours.allocationCount,
  };
}

function newPool(device: DeviceRecord) {
  const ours = granted(GpuMemoryPool.create(deviceOf(device)));
  return {
    allocate: ({ tensor_id, ...rest }: AllocationRecord, now: number) => {
      const result = ours.allocate({ tensorId: tensor_id, ...rest }, now);
      if (!result.ok) {
        const error = `${result.error.code}: ${result.error.message}`;
        return { success: false, block_id: null, offset: null, actual_size: null, error };
      }
      const { blockId: block_id, offset, actualSize: actual_size } = result.value;
      return { success: true, block_id, offset, actual_size, error: null };
    },
    free: (id: number) => passed(ours.free(blockId(id))),
    mark_cached: (id: number) => passed(ours.markCached(blockId(id))),
    pin: (id: number) => passed(ours.pin(blockId(id))),
    unpin: (id: number) => passed(ours.unpin(blockId(id))),
    touch: (id: number, now: number) => passed(ours.touch(blockId(id), now)),
    evict: (needed: number) => granted(ours.evict(needed)).freedBytes,
    defragment: () => ours.defragment().length,
    stats: () => statsRecord(ours.stats()),
    get_block: (id: number) => {
      const block = ours.getBlock(blockId(id));
      return block === undefined ? null : blockRecord(block);
    },
    blocks_for_tensor: (tensorId: string) => ours.blocksForTensor(tensorId).map(blockRecord),
  };
}

type BlockList = readonly BlockRecord[];

const gpu_memory = {
  align_up: alignUp,
  is_power_of_two: isPowerOfTwo,
  fragmentation_ratio: (blocks: BlockList): number =>
    poolFigures.fragmentationRatio(blocks.map(blockOf)),
  best_fit_block: (blocks: BlockList, size: number, alignment: number): number | null =>
    orNull(bestFitBlock(blocks.map(blockOf), size, alignment)),
  eviction_candidates: (blocks: BlockList): readonly number[] =>
    evictionCandidates(blocks.map(blockOf)),
  memory_pressure: poolFigures.memoryPressure,
  should_defragment: (
    stats: { readonly fragmentation_ratio: number; readonly largest_free_block: number },
    threshold: number,
    minBlockSize: number,
  ): boolean =>
    poolFigures.shouldDefragment(
      {
        fragmentationRatio: stats.fragmentation_ratio,
        largestFreeBlock: stats.largest_free_block,
      },
      threshold,
      minBlockSize,
    ),
  estimate_oom_seconds: poolFigures.estimateOomSeconds,
  optimal_pool_size: poolFigures.optimalPoolSize,
  GpuMemoryPool: newPool,
};

// ---- C.3 checkpoint --------------------------------------------------------------------------

const checkpointStates = {
  creating: 'Creating',
  complete: 'Complete',
  corrupted: 'Corrupted',
  deleted: 'Deleted',
} as const satisfies Record<CheckpointState, string>;

const checkpointTypes = {
  full: 'Full',
  incremental: 'Incremental',
  emergency: 'Emergency',
} as const satisfies Record<CheckpointType, string>;

/** The documents count seconds here, as the age of their policy; the product milliseconds. */
const msPerSecond = 1000;

type CheckpointMeta = {
  readonly checkpoint_id: string;
  readonly training_run_id: string;
  readonly epoch: number;
  readonly step: number;
  readonly type: string;
  readonly state: string;
  readonly size_bytes: number;
  readonly created_at: number;
  readonly parent_id?: string | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly storage_path: string;
};

function checkpointOf(theirs: CheckpointMeta): TrainingCheckpoint {
  return {
    checkpointId: theirs.checkpoint_id,
    trainingRunId: theirs.training_run_id,
    epoch: theirs.epoch,
    step: theirs.step,
    type: wordOf(checkpointTypes, theirs.type),
    state: wordOf(checkpointStates, theirs.state),
    sizeBytes: theirs.size_bytes,
    createdAt: instant(theirs.created_at * msPerSecond),
    parentId: orAbsent(theirs.parent_id),
    metrics: theirs.metrics,
    storagePath: theirs.storage_path,
    ranks: 0,
  };
}

function checkpointMeta(ours: TrainingCheckpoint): CheckpointMeta {
  return {
    checkpoint_id: ours.checkpointId,
    training_run_id: ours.trainingRunId,
    epoch: ours.epoch,
    step: ours.step,
    type: checkpointTypes[ours.type],
    state: checkpointStates[ours.state],
    size_bytes: ours.sizeBytes,
    created_at: ours.createdAt / msPerSecond,
    parent_id: orNull(ours.parentId),
    metrics: ours.metrics,
    storage_path: ours.storagePath,
  };
}

function metaOrNull(ours: TrainingCheckpoint | undefined): CheckpointMeta | null {
  return ours === undefined ? null : checkpointMeta(ours);
}

type CheckpointList = readonly CheckpointMeta[];

function byId(list: CheckpointList): ReadonlyMap<string, TrainingCheckpoint> {
  return new Map(list.map((theirs) => [theirs.checkpoint_id, checkpointOf(theirs)]));
}

type GcPolicy = {
  readonly max_checkpoints_per_run: number;
  readonly max_age_seconds: number;
  readonly keep_best_n: number;
  readonly metric_key: string;
  readonly metric_ascending: boolean;
};

function retentionOf(theirs: GcPolicy): RetentionPolicy {
  return {
    maxCheckpointsPerRun: theirs.max_checkpoints_per_run,
    maxAgeSeconds: theirs.max_age_seconds,
    keepBestN: theirs.keep_best_n,
    metricKey: theirs.metric_key,
    metricAscending: theirs.metric_ascending,
  };
}

type RestoreRequest = {
  readonly training_run_id: string;
  readonly max_epoch?: number | null;
  readonly max_step?: number | null;
  readonly require_complete: boolean;
  readonly prefer_full: boolean;
};

function criteriaOf(theirs: RestoreRequest): RestoreCriteria {
  return {
    trainingRunId: theirs.training_run_id,
    maxEpoch: orAbsent(theirs.max_epoch),
    maxStep: orAbsent(theirs.max_step),
    requireComplete: theirs.require_complete,
    preferFull: theirs.prefer_full,
  };
}

type CreateRequest = {
  readonly training_run_id: string;
  readonly epoch: number;
  readonly step: number;
  readonly type: string;
  readonly metrics: Readonly<Record<string, number>>;
};

const keepAll: GcPolicy = {
  max_checkpoints_per_run: Number.MAX_SAFE_INTEGER,
  max_age_seconds: Number.MAX_SAFE_INTEGER,
  keep_best_n: 0,
  metric_key: '',
  metric_ascending: true,
};

function newTrainingCheckpoints(policy: GcPolicy = keepAll, interval = 1) {
  let ids = 0;
  const ours = new TrainingCheckpoints({
    retention: retentionOf(policy),
    saveIntervalSteps: interval,
    newId: () => {
      ids += 1;
      return `ckpt-${ids}`;
    },
  });
  return {
    create: ({ training_run_id, epoch, step, type, metrics }: CreateRequest, now: number) => {
      const asked = { trainingRunId: training_run_id, epoch, step, metrics };
      const request = { ...asked, type: wordOf(checkpointTypes, type) };
      const { value } = granted(ours.create(request, instant(now * msPerSecond)));
      return checkpointMeta(value.checkpoint);
    },
    complete: (id: string, sizeBytes: number, storagePath: string) =>
      checkpointMeta(granted(ours.complete(id, { sizeBytes, storagePath })).value),
    mark_corrupted: (id: string) => checkpointMeta(granted(ours.markCorrupted(id)).value),
    delete: (id: string) => checkpointMeta(granted(ours.delete(id)).value),
    get: (id: string) => metaOrNull(ours.get(id)),
    list_for_run: (run: string) => ours.listForRun(run).map(checkpointMeta),
    get_latest: (run: string) => metaOrNull(ours.getLatest(run)),
    total_count: () => ours.totalCount(),
    total_size: () => ours.totalSize(),
    find_restore_point: (criteria: RestoreRequest) =>
      metaOrNull(ours.findRestorePoint(criteriaOf(criteria)).value?.checkpoint),
    gc: (now: number) => ours.gc(instant(now * msPerSecond)).value,
    find_by_metric: (run: string, key: string, threshold: number, ascending: boolean) =>
      ours.findByMetric(run, threshold, { metricKey: key, ascending }).map(checkpointMeta),
    should_checkpoint: (run: string, step: number) => ours.isSaveDue(run, step),
  };
}

const checkpoint = {
  chain_length: (all: CheckpointList, id: string): number => chains.chainLength(byId(all), id),
  find_chain_root: (all: CheckpointList, id: string): string | null =>
    orNull(chains.findChainRoot(byId(all), id)),
  restoration_chain: (all: CheckpointList, id: string) => chains.restorationChain(byId(all), id),
  chain_size: (all: CheckpointList, id: string): number => chains.chainSize(byId(all), id),
  is_gc_eligible: (
    theirs: CheckpointMeta,
    policy: GcPolicy,
    latestStep: number,
    now: number,
    isBest: boolean,
  ): boolean =>
    isGcEligible(checkpointOf(theirs), {
      policy: retentionOf(policy),
      latestStep,
      now: instant(now * msPerSecond),
      isBest,
    }),
  selection_score: (theirs: CheckpointMeta, criteria: RestoreRequest): number =>
    selectionScore(checkpointOf(theirs), criteriaOf(criteria)),
  estimate_restore_time: (
    chain: CheckpointList,
    baseMs: number,
    perCheckpointMs: number,
    bytesPerMs: number,
  ): number =>
    chains.estimateRestoreTime(chain.map(checkpointOf), { baseMs, perCheckpointMs, bytesPerMs }),
  validate_checkpoint: (theirs: CheckpointMeta, all: CheckpointList): null =>
    passed(validateCheckpoint(checkpointOf(theirs), byId(all))),
  TrainingCheckpointManager: newTrainingCheckpoints,
  CheckpointManager: newTrainingCheckpoints,
};

// ----------------------------------------------------------------------------------------------

export const documents = {
  config,
  concurrency,
  events,
  telemetry,
  allocator,
  contracts,
  models,
  policy,
  queue,
  resilience,
  routing,
  security,
  statistics,
  workflow,
  registry,
  gpu_memory,
  checkpoint,
};

export type Documents = typeof documents;
