// The tables as the program sees them, declared once: the types of rows follow from this table of
// tables, and a test holds it equal to the schema that the migrations make.

/** A column's type in PostgreSQL; a question mark says that it may be null. */
type ColumnType =
  | 'text'
  | 'bigint'
  | 'integer'
  | 'boolean'
  | 'uuid'
  | 'jsonb'
  | 'text[]'
  | 'timestamp with time zone';

type Nullable<T extends string> = `${T}?`;

export const tables = {
  event_streams: { stream: 'text', sequence: 'bigint', hash: 'text' },
  control_events: {
    stream: 'text',
    sequence: 'bigint',
    id: 'uuid',
    kind: 'text',
    version: 'integer',
    occurred_at: 'timestamp with time zone',
    actor: 'text',
    subject: 'text',
    data: 'jsonb',
    prev_hash: 'text',
    hash: 'text',
  },
  event_digests: {
    sequence: 'bigint',
    sealed_at: 'timestamp with time zone',
    heads: 'jsonb',
    prev_digest: 'text',
    digest: 'text',
    signature: 'text',
    public_key: 'text',
  },
  users: {
    id: 'bigint',
    username: 'text',
    encrypted_password: 'text',
    auth_signature: 'bigint?',
    reset_password_token: 'text?',
    reset_password_token_expiry: 'timestamp with time zone?',
    current_sign_in_at: 'timestamp with time zone?',
    last_sign_in_at: 'timestamp with time zone?',
    current_sign_in_ip: 'text?',
    last_sign_in_ip: 'text?',
    created_at: 'timestamp with time zone',
    updated_at: 'timestamp with time zone',
    admin: 'boolean',
    state: 'integer',
    group_quota: 'integer',
    group_count: 'integer',
  },
  groups: {
    id: 'bigint',
    group_name: 'text',
    creator_id: 'bigint',
    created_at: 'timestamp with time zone',
    updated_at: 'timestamp with time zone',
    state: 'integer',
    task_count: 'bigint',
    storage_quota: 'bigint',
    storage_used: 'bigint',
  },
  user_group: { id: 'bigint', user_id: 'bigint', group_id: 'bigint', role: 'integer' },
  token_store: {
    token_id: 'text',
    token_hash: 'text',
    issued_at: 'bigint',
    ttl_seconds: 'bigint',
    revoked: 'boolean',
  },
  api_keys: {
    token_id: 'text',
    name: 'text',
    group_id: 'bigint',
    owner_id: 'bigint?',
    permissions: 'text[]',
    models: 'text[]',
    last4: 'text',
    created_at: 'timestamp with time zone',
    expires_at: 'timestamp with time zone?',
    revoked_at: 'timestamp with time zone?',
    last_used_at: 'timestamp with time zone?',
  },
  backends: {
    id: 'text',
    name: 'text',
    url: 'text',
    backend_type: 'text',
    priority: 'integer',
    zone: 'text',
    tier: 'integer',
    capacity: 'integer',
    api_key_env: 'text?',
    discovery_source: 'text',
    metadata: 'jsonb',
    approved: 'boolean',
    draining: 'boolean',
    simulated: 'boolean',
    created_at: 'timestamp with time zone',
    manual_order: 'integer?',
  },
  config_revisions: {
    revision: 'bigint',
    digest: 'text',
    source: 'text',
    document: 'jsonb',
    actor: 'text',
    applied_at: 'timestamp with time zone',
  },
  service_registry: {
    service_id: 'text',
    port: 'integer?',
    health_path: 'text',
    version: 'text',
  },
  job_transitions: {
    sequence: 'bigint',
    entity_id: 'text',
    from_state: 'text',
    to_state: 'text',
    timestamp: 'bigint',
  },
  serving_modes: {
    scope: 'text',
    mode: 'text',
    since: 'timestamp with time zone',
    state: 'jsonb',
    pin: 'jsonb?',
    write_id: 'uuid',
    updated_at: 'timestamp with time zone',
  },
  slo_minutes: { scope: 'text', minute: 'bigint', total: 'bigint', bad: 'bigint' },
  slo_days: { scope: 'text', day: 'bigint', total: 'bigint', bad: 'bigint' },
  backend_operations: {
    operation_id: 'text',
    operation_type: 'text',
    model_id: 'text',
    source_backend_id: 'text?',
    target_backend_id: 'text',
    status: 'text',
    progress_percent: 'integer',
    initiated_at: 'timestamp with time zone',
    completed_at: 'timestamp with time zone?',
    error_details: 'text?',
    after_operation_id: 'text?',
    actor: 'text',
  },
  model_demand: { model_id: 'text', hour: 'bigint', requests: 'bigint' },
  circuit_breaker_state: {
    service_id: 'text',
    state: 'text',
    failure_count: 'integer',
    success_count: 'integer',
    last_transition: 'timestamp with time zone',
    opened_at: 'timestamp with time zone?',
    last_failure: 'text?',
  },
  usage_hourly: {
    hour: 'bigint',
    key_id: 'text',
    group_name: 'text',
    model: 'text',
    backend_id: 'text',
    requests: 'bigint',
    succeeded: 'bigint',
    refused: 'bigint',
    failed: 'bigint',
    aborted: 'bigint',
    priced: 'bigint',
    unpriced: 'bigint',
    prompt_tokens: 'bigint',
    completion_tokens: 'bigint',
    cached_tokens: 'bigint',
    cost_micro_usd: 'bigint',
    backend_ms: 'bigint',
  },
  budget_months: { scope: 'text', id: 'text', month: 'text', spend_micro_usd: 'bigint' },
  usage_writers: { writer: 'uuid', batch: 'bigint', written_at: 'timestamp with time zone' },
  usage_limits: {
    scope: 'text',
    id: 'text',
    requests_per_minute: 'bigint?',
    tokens_per_minute: 'bigint?',
    concurrent_requests: 'bigint?',
    month_budget_micro_usd: 'bigint?',
    max_priority_class: 'integer?',
    models: 'text[]',
    zones: 'text[]',
    changed_at: 'timestamp with time zone',
    changed_by: 'text',
  },
  shadow_comparisons: {
    id: 'bigint',
    shadow: 'text',
    at: 'timestamp with time zone',
    request_id: 'uuid',
    outcome: 'text',
    primary_model: 'text',
    primary_backend: 'text',
    model: 'text',
    backend: 'text',
    primary_status: 'integer',
    status: 'integer',
    primary_tokens: 'bigint',
    tokens: 'bigint',
    primary_first_byte_ms: 'bigint?',
    first_byte_ms: 'bigint?',
    primary_total_ms: 'bigint',
    total_ms: 'bigint',
    distance: 'integer?',
  },
  inference_files: {
    sequence: 'bigint',
    file_id: 'text',
    group_name: 'text',
    key_id: 'text',
    purpose: 'text',
    filename: 'text',
    bytes: 'bigint',
    created_at: 'timestamp with time zone',
  },
  inference_batches: {
    sequence: 'bigint',
    batch_id: 'text',
    group_name: 'text',
    key_id: 'text',
    endpoint: 'text',
    input_file_id: 'text',
    metadata: 'jsonb?',
    status: 'text',
    errors: 'jsonb?',
    total: 'integer',
    completed: 'integer',
    failed: 'integer',
    cursor_line: 'integer',
    cursor_byte: 'bigint',
    output_file_id: 'text?',
    error_file_id: 'text?',
    created_at: 'timestamp with time zone',
    in_progress_at: 'timestamp with time zone?',
    expires_at: 'timestamp with time zone',
    finalizing_at: 'timestamp with time zone?',
    completed_at: 'timestamp with time zone?',
    failed_at: 'timestamp with time zone?',
    expired_at: 'timestamp with time zone?',
    cancelling_at: 'timestamp with time zone?',
    cancelled_at: 'timestamp with time zone?',
  },
  inference_batch_results: {
    batch_id: 'text',
    line: 'integer',
    is_error: 'boolean',
    text: 'text',
  },
  schema_migrations: {
    version: 'integer',
    name: 'text',
    digest: 'text',
    applied_at: 'timestamp with time zone',
  },
} as const satisfies Record<string, Record<string, ColumnType | Nullable<ColumnType>>>;

type ValueOf = {
  readonly text: string;
  readonly bigint: number;
  readonly integer: number;
  readonly boolean: boolean;
  readonly uuid: string;
  readonly jsonb: unknown;
  readonly 'text[]': readonly string[];
  readonly 'timestamp with time zone': Date;
};

type Value<C> = C extends `${infer Base extends ColumnType}?`
  ? ValueOf[Base] | null
  : C extends ColumnType
    ? ValueOf[C]
    : never;

export type TableName = keyof typeof tables;

/** A row as the driver gives it. */
export type Row<T extends TableName> = {
  readonly [C in keyof (typeof tables)[T]]: Value<(typeof tables)[T][C]>;
};
