// Builders for the tests of the live lists.

import type { DecisionWire } from '../api/wire.ts';

/** The n-th request, which ended `at` seconds after the epoch. */
export function decision(n: number, at = n): DecisionWire {
  return {
    decision_id: `req_${n}.1`,
    request_id: `req_${n}`,
    at: new Date(at * 1000).toISOString(),
    path: '/v1/chat/completions',
    key_id: 'key_1',
    group_name: 'default',
    model: 'chat',
    served_model: 'chat',
    backend_id: 'a',
    reason: 'least loaded',
    route_reason: null,
    attempts: 1,
    stream: false,
    status: 200,
    code: null,
    first_byte_ms: 10,
    total_ms: 20,
    overhead_ms: 0.2,
    selected_latency_ms: null,
    minimum_latency_ms: null,
    candidates: [],
  };
}
