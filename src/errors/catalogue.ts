// The error catalogue. A code decides everything else: HTTP status, retryability, the words of the
// OpenAI face. The place that throws chooses only the code. Held equal to docs/reference/errors.md
// by a test. Codes are never reused and never change their meaning.
//
// Two families print a family code on the OpenAI face and the catalogue code in
// `error.context.reason`: the 409s print `conflict`, the 503s print `service_unavailable`.

export type OpenAiErrorType =
  | 'invalid_request_error'
  | 'insufficient_quota'
  | 'requests'
  | 'tokens'
  | 'server_error'
  | 'service_unavailable';

export type CatalogueEntry = {
  readonly status: number;
  readonly type: OpenAiErrorType;
  /** The `code` member of the OpenAI face when it differs from the catalogue code. */
  readonly openaiCode?: string;
  /** May a client that repeats the same request unchanged hope for success? */
  readonly retryable: boolean;
  /** Seconds for `retry-after` when the thrower knows no better figure. */
  readonly retryAfterSeconds?: number;
  /** What the code means, one sentence for the reference page. */
  readonly words: string;
};

const badRequest = { status: 400, type: 'invalid_request_error', retryable: false } as const;
const unauthorised = { status: 401, type: 'invalid_request_error', retryable: false } as const;
const forbidden = { status: 403, type: 'invalid_request_error', retryable: false } as const;
const absent = { status: 404, type: 'invalid_request_error', retryable: false } as const;
const conflict = {
  status: 409,
  type: 'invalid_request_error',
  openaiCode: 'conflict',
  retryable: false,
} as const;
const refused = { status: 422, type: 'invalid_request_error', retryable: false } as const;
const unavailable = {
  status: 503,
  type: 'service_unavailable',
  openaiCode: 'service_unavailable',
  retryable: true,
} as const;

export const catalogue = {
  // 400: the request itself is at fault.
  invalid_request: {
    ...badRequest,
    openaiCode: 'invalid_request_error',
    words:
      'The request is malformed where no narrower code applies: wrong type, bad value, missing member.',
  },
  malformed_http: {
    ...badRequest,
    words: 'The HTTP head or framing is not acceptable; the connection is closed.',
  },
  invalid_host: {
    ...badRequest,
    words: 'The Host header is missing, repeated or not a host; the connection is closed.',
  },
  unexpected_body: {
    ...badRequest,
    words: 'GET, HEAD and OPTIONS carry no body here; the connection is closed.',
  },
  ambiguous_credentials: { ...badRequest, words: 'Two different credentials were sent; send one.' },
  invalid_path: {
    ...badRequest,
    words: 'The path holds a dot segment, a backslash, NUL or a bad percent escape.',
  },
  invalid_json: { ...badRequest, words: 'The body is not one JSON object in UTF-8.' },
  duplicate_field: { ...badRequest, words: 'A top-level member occurs twice.' },
  json_too_complex: {
    ...badRequest,
    words: 'The JSON is nested too deeply or holds too many containers or members.',
  },
  field_not_allowed: {
    ...badRequest,
    words: 'The member controls the engine and is refused by default.',
  },
  remote_media_refused: {
    ...badRequest,
    words: 'A remote media address would make the engine fetch it; send a data: URL.',
  },
  unsafe_url: { ...badRequest, words: 'The address is not one that may be contacted.' },
  unsafe_archive: {
    ...badRequest,
    words: 'The archive holds an entry that could escape its directory.',
  },
  bad_model_file: { ...badRequest, words: 'The model file header is not consistent.' },
  format_refused: {
    ...badRequest,
    words: 'This file format can run code when opened and is never read.',
  },
  capability_mismatch: {
    ...badRequest,
    words: 'Backends list the model, but none has the capability that the request needs.',
  },
  context_length_exceeded: {
    ...badRequest,
    words: 'Prompt and output together exceed the largest context of any backend.',
  },
  unsupported_parameter: { ...badRequest, words: 'The parameter is not supported by the backend.' },
  model_not_loaded: { ...badRequest, words: 'The model is not loaded there.' },
  insufficient_memory: { ...badRequest, words: 'The backend has not enough GPU memory.' },
  suite_cancelled: { ...badRequest, words: 'The suite is cancelled and takes no more tasks.' },
  bad_state: { ...badRequest, words: 'The object is in a state that does not allow this.' },
  presign_failed: { ...badRequest, words: 'The object store gave no presigned address.' },
  // 401: who are you.
  missing_api_key: {
    ...unauthorised,
    openaiCode: 'invalid_api_key',
    words:
      'No credential was sent. On the wire it looks like invalid_api_key; the audit tells them apart.',
  },
  invalid_api_key: {
    ...unauthorised,
    words: 'The credential is unknown, malformed, expired or revoked.',
  },
  invalid_token: { ...unauthorised, words: 'The token is not acceptable.' },
  token_expired: { ...unauthorised, words: 'The token has expired.' },
  wrong_token_type: { ...unauthorised, words: 'This kind of token is not used here.' },
  bad_credentials: { ...unauthorised, words: 'User name or password is wrong.' },
  // 403: you may not.
  permission_denied: {
    ...forbidden,
    words: 'The credential lacks a permission that the route needs.',
  },
  account_not_active: { ...forbidden, words: 'The user or group is not active.' },
  account_inactive: { ...forbidden, words: 'The account is locked.' },
  ip_not_allowed: { ...forbidden, words: 'The address is not on the list of this credential.' },
  cross_origin: {
    ...forbidden,
    words: 'The request comes from another origin, or lacks the proof that it does not.',
  },
  quota_exceeded: { ...forbidden, words: 'A storage or group quota is used up.' },
  // 404: there is no such thing, or you may not know.
  not_found: { ...absent, words: 'There is no such route or object.' },
  backend_not_found: { ...absent, words: 'There is no backend with this id.' },
  key_not_found: { ...absent, words: 'There is no API key with this id.' },
  not_yours: { ...absent, words: 'The object belongs to someone else.' },
  model_not_found: { ...absent, words: 'No backend lists the model, or the key may not use it.' },
  // 4xx of HTTP itself.
  method_not_allowed: {
    status: 405,
    type: 'invalid_request_error',
    retryable: false,
    words: 'The route lacks this method; the Allow header lists those it has.',
  },
  request_timeout: {
    status: 408,
    type: 'invalid_request_error',
    retryable: true,
    words: 'The client sent head or body too slowly; the connection is closed.',
  },
  payload_too_large: {
    status: 413,
    type: 'invalid_request_error',
    retryable: false,
    words: 'The body is larger than the limit.',
  },
  too_many_chunks: {
    status: 413,
    type: 'invalid_request_error',
    retryable: false,
    words: 'The body came in more chunks than the limit.',
  },
  uri_too_long: {
    status: 414,
    type: 'invalid_request_error',
    retryable: false,
    words: 'The request target is longer than the limit.',
  },
  unsupported_media_type: {
    status: 415,
    type: 'invalid_request_error',
    retryable: false,
    words: 'The content type must be application/json in UTF-8.',
  },
  unsupported_content_encoding: {
    status: 415,
    type: 'invalid_request_error',
    retryable: false,
    words: 'Request bodies are not decompressed; send them as they are.',
  },
  expectation_failed: {
    status: 417,
    type: 'invalid_request_error',
    retryable: false,
    words: 'The only expectation that can be met is 100-continue.',
  },
  misdirected_request: {
    status: 421,
    type: 'invalid_request_error',
    retryable: false,
    words: 'This installation does not answer for that host name.',
  },
  upgrade_required: {
    status: 426,
    type: 'invalid_request_error',
    retryable: false,
    words: 'The WebSocket version must be 13.',
  },
  headers_too_large: {
    status: 431,
    type: 'invalid_request_error',
    retryable: false,
    words: 'The request head is larger than the limit.',
  },
  // 409: something is in the way.
  duplicate_backend: {
    ...conflict,
    words: 'A backend with this name or address is registered already.',
  },
  name_taken: { ...conflict, words: 'The name is taken.' },
  machine_code_taken: { ...conflict, words: 'The machine is registered by someone else.' },
  version_exists: { ...conflict, words: 'The version exists already.' },
  transition_forbidden: { ...conflict, words: 'The state graph has no such edge.' },
  operation_in_progress: { ...conflict, words: 'Another operation runs on this object.' },
  backend_busy: { ...conflict, words: 'The backend still serves requests.' },
  run_closed: { ...conflict, words: 'The run is closed or fenced off.' },
  machine_busy: { ...conflict, words: 'The machine runs something else.' },
  version_conflict: { ...conflict, words: 'The object changed in the meantime.' },
  registry_full: {
    ...conflict,
    words: 'The registry holds as many backends as the arena has slots.',
  },
  idempotency_mismatch: { ...conflict, words: 'The idempotency key was used with another body.' },
  idempotency_in_progress: {
    ...conflict,
    retryable: true,
    retryAfterSeconds: 1,
    words: 'The first request with this idempotency key still runs.',
  },
  // 422: examined and refused, with reasons.
  promotion_refused: {
    ...refused,
    words: 'The promotion was examined and refused; details say why.',
  },
  placement_refused: {
    ...refused,
    words: 'The placement was examined and refused; details say why.',
  },
  policy_invalid: { ...refused, words: 'The policy does not hold; details list every fault.' },
  manifest_rejected: { ...refused, words: 'The manifest was rejected; details say why.' },
  artifact_rejected: { ...refused, words: 'The artifact was rejected; details say why.' },
  restore_refused: { ...refused, words: 'The restore was refused; details say why.' },
  audit_broken: {
    ...refused,
    words:
      'The audit trail does not verify, so nothing of it is exported; details name each place.',
  },
  config_invalid: {
    ...refused,
    words: 'The configuration does not hold; details list every fault.',
  },
  // 429: your own limit.
  rate_limit_exceeded: {
    status: 429,
    type: 'requests',
    retryable: true,
    retryAfterSeconds: 1,
    words: 'A limit of this key, group or installation is reached.',
  },
  auth_attempts_exceeded: {
    status: 429,
    type: 'requests',
    openaiCode: 'rate_limit_exceeded',
    retryable: true,
    retryAfterSeconds: 60,
    words: 'Too many rejected credentials from this address.',
  },
  too_many_requests: {
    status: 429,
    type: 'requests',
    retryable: true,
    retryAfterSeconds: 1,
    words: 'Too many requests are in flight on this connection.',
  },
  insufficient_quota: {
    status: 429,
    type: 'insufficient_quota',
    retryable: false,
    words: 'The budget of this key or group is spent.',
  },
  // 499: logs and metrics only.
  client_closed: {
    status: 499,
    type: 'invalid_request_error',
    retryable: false,
    words: 'The client went away; seen in logs and metrics only.',
  },
  // 5xx: us, or what is behind us.
  internal_error: {
    status: 500,
    type: 'server_error',
    retryable: false,
    words: 'A fault of TensorForge; the log has it under the request id.',
  },
  not_implemented: {
    status: 501,
    type: 'server_error',
    retryable: false,
    words: 'The backend cannot do this.',
  },
  unsupported_transfer_coding: {
    status: 501,
    type: 'invalid_request_error',
    retryable: false,
    words: 'Only the chunked transfer coding is understood; the connection is closed.',
  },
  bad_gateway: {
    status: 502,
    type: 'server_error',
    retryable: true,
    words: 'The backend refused, reset, or answered what cannot be passed on.',
  },
  upstream_auth_failed: {
    status: 502,
    type: 'server_error',
    retryable: false,
    words: 'The backend rejected the credential that TensorForge holds for it.',
  },
  gateway_timeout: {
    status: 504,
    type: 'server_error',
    retryable: true,
    words: 'The backend did not answer in time; context.timer names the limit that fired.',
  },
  loop_detected: {
    status: 508,
    type: 'server_error',
    retryable: false,
    words: 'The request came back to this installation.',
  },
  no_healthy_backend: {
    ...unavailable,
    retryAfterSeconds: 5,
    words: 'Backends list the model, but none takes requests now.',
  },
  at_capacity: {
    ...unavailable,
    retryAfterSeconds: 5,
    words: 'Every backend of the model is at its capacity.',
  },
  queue_full: { ...unavailable, retryAfterSeconds: 5, words: 'The queue is full.' },
  queue_timeout: {
    ...unavailable,
    retryAfterSeconds: 30,
    words: 'No capacity came free within the longest wait.',
  },
  models_loading: { ...unavailable, retryAfterSeconds: 30, words: 'The model is being loaded.' },
  fallback_exhausted: {
    ...unavailable,
    retryAfterSeconds: 5,
    words: 'The model and all its fallbacks are unavailable.',
  },
  overloaded: { ...unavailable, retryAfterSeconds: 5, words: 'The installation sheds load.' },
  mode_restricted: {
    ...unavailable,
    retryAfterSeconds: 5,
    words: 'The serving mode admits no such request now.',
  },
  shutting_down: { ...unavailable, retryAfterSeconds: 5, words: 'The process is stopping.' },
  starting: { ...unavailable, retryAfterSeconds: 1, words: 'The process is starting.' },
  retry: { ...unavailable, retryAfterSeconds: 2, words: 'A store that this needs is away.' },
  privacy_requirement: {
    ...unavailable,
    retryAfterSeconds: 30,
    words: 'No backend of the required privacy zone takes requests now.',
  },
  tier_unavailable: {
    ...unavailable,
    retryAfterSeconds: 30,
    words: 'No backend of the required tier takes requests now.',
  },
  quality_excluded: {
    ...unavailable,
    retryAfterSeconds: 30,
    words: 'Every backend of the model is excluded for its error rate.',
  },
  budget_exhausted: {
    ...unavailable,
    retryable: false,
    words: 'The budget of the installation is spent.',
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;

export function entryOf(code: ErrorCode): CatalogueEntry {
  return catalogue[code];
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(catalogue, text);
}
