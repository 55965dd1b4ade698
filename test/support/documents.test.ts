// Goal: the compatibility adapter is whole. Method: the names of the platform specification, tables
// A.1 to A.14 and the operations of C.1 to C.3, written out as data; each must be there as a
// function, classes with their methods; and whatever the adapter has besides is told.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documents, Refused } from './documents.ts';

/** Separated by blanks. */
const operations: Readonly<Record<string, string>> = {
  config: `ServiceConfig default_region default_pool_size validate_config merge_configs
    validate_endpoint normalize_env_name build_connection_string parse_feature_flags is_production
    config_priority`,
  concurrency: `barrier_reached merge_counts AtomicCounter add_and_check_threshold compare_and_swap
    partition_by_threshold SharedRegistry transfer fan_out_merge detect_cycle work_stealing
    parallel_sum epoch_advance bounded_channel_size`,
  events: `sort_events_by_time dedup_by_id filter_time_window count_by_kind EventLog detect_gaps
    merge_event_streams batch_events event_rate causal_order merge_and_dedup
    correlate_workflow_events`,
  telemetry: `error_rate latency_bucket throughput health_score is_within_threshold
    aggregate_metrics uptime_percentage should_alert alert_priority format_metric metric_names
    sli_budget_remaining MetricsCollector`,
  allocator: `allocate_orders dispatch_batch has_conflict find_available_slots
    RollingWindowScheduler estimate_cost allocate_costs estimate_turnaround check_capacity
    validate_order validate_batch compare_by_urgency_then_eta weighted_allocate berth_utilization
    round_allocation cost_per_unit normalize_urgency priority_score is_over_capacity
    surplus_berth_hours allocation_efficiency demand_spike berth_schedule_conflict_window`,
  contracts: `service_definitions get_service_url health_endpoint validate_contract
    topological_order dependency_count is_critical_path service_version_check find_orphan_services
    port_collision_check contract_summary`,
  models: `DispatchOrder urgency_score sla_by_severity is_heavy container_weight_ratio
    create_batch_orders validate_dispatch_order classify_severity severity_label weight_class
    estimated_crew order_priority_compare total_cargo hazmat_surcharge eta_minutes effective_sla
    time_adjusted_urgency`,
  policy: `next_policy previous_policy should_deescalate get_metadata all_policies policy_index
    PolicyEngine check_sla_compliance sla_percentage policy_weight escalation_needed risk_score
    within_grace_period max_retries_for_policy cooldown_multiplier cooldown_remaining
    aggregate_risk escalation_with_cooldown`,
  queue: `should_shed PriorityQueue RateLimiter try_acquire_batch queue_health estimate_wait_time
    batch_enqueue priority_boost fairness_index requeue_expired weighted_wait_time queue_pressure
    drain_percentage`,
  resilience: `replay deduplicate replay_converges replay_window ordered_replay_window
    event_ordering process_replay_batch idempotent_apply compact_events retry_delay
    retry_delay_with_jitter adaptive_backoff should_trip half_open_max_calls failure_window_expired
    recovery_rate checkpoint_interval_ok degradation_level bulkhead_permits_available
    circuit_state_duration fallback_priority cascade_failure_check health_quorum CircuitBreaker
    ReplayCheckpointManager CheckpointManager`,
  routing: `choose_route compare_routes best_route route_failover route_available channel_score
    weighted_route_score estimate_transit_time plan_multi_leg RouteTable estimate_route_cost
    distance_between normalize_latency fuel_efficiency total_port_fees knots_to_kmh
    congestion_adjusted_latency route_reliability optimal_stop_count`,
  security: `digest verify_signature sign_manifest verify_manifest hmac_verify TokenStore
    sanitise_path is_allowed_origin validate_token_format password_strength mask_sensitive
    rate_limit_key session_expired sanitize_header permission_check ip_in_allowlist hash_password
    token_needs_refresh audit_log_monotonic`,
  statistics: `percentile mean median variance stddev ResponseTimeTracker generate_heatmap
    moving_average weighted_mean exponential_moving_average min_max_normalize covariance correlation
    sum_of_squares interquartile_range rate_of_change z_score cumulative_sum trimmed_mean
    outlier_indices running_variance detect_trend`,
  workflow: `can_transition is_terminal_state is_valid_state allowed_transitions shortest_path
    WorkflowEngine audit_log TransitionRecord transition_count chain_length time_in_state
    parallel_workflows state_distribution bottleneck_state workflow_complete_percentage can_cancel
    can_resume estimated_completion state_age_seconds is_stale batch_register valid_path
    entity_throughput merge_histories reachable_from compact_history validate_and_transition
    batch_transition_atomic`,
  registry: `compare_versions parse_version format_version can_transition_state shape_compatibility
    meets_sla select_best_model rollback_priority ModelRegistry`,
  gpu_memory: `align_up is_power_of_two fragmentation_ratio best_fit_block eviction_candidates
    memory_pressure should_defragment estimate_oom_seconds optimal_pool_size GpuMemoryPool`,
  checkpoint: `chain_length find_chain_root restoration_chain chain_size is_gc_eligible
    selection_score estimate_restore_time validate_checkpoint TrainingCheckpointManager
    CheckpointManager`,
};

const { concurrency, events, telemetry, allocator, models, policy, queue } = documents;
const { resilience, routing, security, statistics, workflow } = documents;
const { registry, gpu_memory, checkpoint } = documents;

/** Everything that a class of the documents makes, with the methods of its row. */
const classes: readonly (readonly [name: string, made: object, methods: string])[] = [
  [
    'AtomicCounter',
    concurrency.AtomicCounter(0),
    'increment decrement get add_and_check_threshold compare_and_swap',
  ],
  ['SharedRegistry', concurrency.SharedRegistry(), 'register lookup remove count keys transfer'],
  ['EventLog', events.EventLog(1), 'append get_all count clear latest'],
  ['MetricsCollector', telemetry.MetricsCollector(1), 'record get_by_name count clear'],
  ['RollingWindowScheduler', allocator.RollingWindowScheduler(60), 'submit flush count window'],
  ['DispatchOrder', models.DispatchOrder('a', 1, 1), 'urgency_score'],
  ['PolicyEngine', policy.PolicyEngine(), 'current escalate deescalate history reset'],
  ['PriorityQueue', queue.PriorityQueue(1), 'enqueue dequeue peek size drain clear'],
  ['RateLimiter', queue.RateLimiter(1, 1), 'try_acquire try_acquire_batch refill available'],
  [
    'CircuitBreaker',
    resilience.CircuitBreaker(1, 1),
    'record_failure record_success attempt_reset is_call_permitted state',
  ],
  [
    'ReplayCheckpointManager',
    resilience.ReplayCheckpointManager(1),
    'record get should_checkpoint reset count',
  ],
  ['RouteTable', routing.RouteTable(), 'upsert get remove all count'],
  ['TokenStore', security.TokenStore(), 'store validate revoke count cleanup'],
  ['ResponseTimeTracker', statistics.ResponseTimeTracker(1), 'record p50 p95 p99 count'],
  [
    'WorkflowEngine',
    workflow.WorkflowEngine(),
    'register get_state transition is_terminal active_count history audit_log',
  ],
  [
    'ModelRegistry',
    registry.ModelRegistry(),
    `register get get_latest list_versions transition_state record_validation get_validation
      find_by_state model_count version_count`,
  ],
  [
    'GpuMemoryPool',
    gpu_memory.GpuMemoryPool({
      device_id: 'gpu-01',
      total_memory: 1024,
      memory_clock_mhz: 1593,
      compute_capability: [9, 0],
    }),
    `allocate free mark_cached pin unpin touch evict defragment stats get_block
      blocks_for_tensor`,
  ],
  [
    'TrainingCheckpointManager',
    checkpoint.TrainingCheckpointManager(),
    `create complete mark_corrupted delete get list_for_run get_latest total_count total_size
      find_restore_point gc find_by_metric`,
  ],
];

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function typeOf(owner: object, name: string): string {
  return typeof Reflect.get(owner, name);
}

test('every module and every operation of the documents is there, and nothing else', () => {
  assert.deepEqual(Object.keys(documents).sort(), Object.keys(operations).sort());
  let count = 0;
  for (const [module, list] of Object.entries(operations)) {
    const owner: unknown = Reflect.get(documents, module);
    assert.ok(typeof owner === 'object' && owner !== null, module);
    assert.deepEqual(Object.keys(owner).sort(), [...words(list)].sort(), module);
    for (const name of words(list)) assert.equal(typeOf(owner, name), 'function', name);
    count += words(list).length;
  }
  assert.ok(count > 270, `${count} operations`);
});

test('what a class makes has the methods of its row', () => {
  for (const [name, made, methods] of classes) {
    for (const method of words(methods)) {
      assert.equal(typeOf(made, method), 'function', `${name}.${method}`);
    }
  }
});

test('a refusal is thrown with its code and its words', () => {
  const empty = { ...documents.config.ServiceConfig('a'), name: '' };
  assert.throws(
    () => documents.config.validate_config(empty),
    (error) =>
      error instanceof Refused && error.code === 'empty_name' && /name/.test(error.message),
  );
});

test('passwords are hashed with their salt', () => {
  const { hash_password } = security;
  const hashed = hash_password('correct horse', 'salt-1');
  assert.equal(hash_password('correct horse', 'salt-1'), hashed);
  assert.notEqual(hash_password('correct horse', 'salt-2'), hashed);
  assert.notEqual(hash_password('correct horsf', 'salt-1'), hashed);
});

test('a state of the product is no state of the documents, and the other way round', () => {
  for (const ours of ['placed', 'running', 'completed']) {
    assert.equal(workflow.is_valid_state(ours), false, ours);
    assert.deepEqual(workflow.allowed_transitions(ours), []);
  }
  const engine = workflow.WorkflowEngine();
  engine.register('a');
  const { success, to, error } = engine.transition('a', 'placed', 1);
  assert.deepEqual([success, to], [false, 'placed']);
  assert.match(error ?? '', /cannot become/);
  assert.throws(() => registry.can_transition_state('canary', 'Production'), TypeError);
});
