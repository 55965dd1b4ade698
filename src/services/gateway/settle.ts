// What one finished request adds to the figures. Label values come from our own tables only: a
// model that no backend lists counts as `other`.

import type { DecisionLog, DecisionRecord } from './decision-log.ts';
import {
  firstByteSeconds,
  labelValue,
  overheadSeconds,
  requestSeconds,
  type ThreadMetrics,
} from './thread-metrics.ts';

export function settleMetrics(
  metrics: ThreadMetrics,
  record: DecisionRecord,
  promptTokens: number,
  completionTokens: number,
  decisions: DecisionLog,
): void {
  const backend = record.backendId ?? 'none';
  const model = record.servedModel === undefined ? 'other' : labelValue(record.servedModel);
  metrics.count(
    `tensorforge_requests_total{model="${model}",backend="${backend}",status="${record.status}"}`,
  );
  metrics.observe(
    `tensorforge_request_duration_seconds{backend="${backend}"}`,
    requestSeconds,
    record.totalMs / 1000,
  );
  metrics.observe('tensorforge_overhead_seconds', overheadSeconds, record.overheadMs / 1000);
  if (record.firstByteMs !== undefined) {
    metrics.observe(
      `tensorforge_time_to_first_byte_seconds{backend="${backend}"}`,
      firstByteSeconds,
      record.firstByteMs / 1000,
    );
  }
  if (record.code !== undefined) {
    metrics.count(`tensorforge_errors_total{error_type="${record.code}",model="${model}"}`);
  }
  if (record.attempt > 1) metrics.count('tensorforge_failovers_total', record.attempt - 1);
  if (promptTokens > 0) metrics.count('tensorforge_tokens_total{type="input"}', promptTokens);
  if (completionTokens > 0) {
    metrics.count('tensorforge_tokens_total{type="output"}', completionTokens);
  }
  decisions.add(record);
}
