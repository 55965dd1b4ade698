// Why a backend takes requests or why not: its gates, its probes, its states of the last day, its
// models. Everything a person asks of one backend, in one answer.

import type { BackendId } from '../../base/brand.ts';
import { elapsedWords } from '../../base/duration-words.ts';
import { type Instant, instant, toRfc3339 } from '../../base/time.ts';
import type { Backend } from '../../core/backends/backend.ts';
import type { BreakerGate } from '../../core/backends/breaker-gate.ts';
import { gatesOf } from '../../core/backends/gates.ts';
import { type StatusSpan, spansOfDay, withStatus } from '../../core/backends/status-history.ts';
import { type ControlRoute, json, needs } from '../../io/http/control-route.ts';
import type { BackendReasonsWire } from '../../protocol/control/fleet-schemas.ts';
import { type BackendExplainWire, backendExplainSchema } from '../../protocol/control/schemas.ts';
import { backendView, isRoutable, loadView, statusWords } from './backend-view.ts';
import type { Fleet } from './fleet.ts';
import type { ProbeDescription } from './health-checker.ts';

/** The states of all backends over the last day. */
export class StatusChronicle {
  readonly #spans = new Map<BackendId, readonly StatusSpan[]>();

  moved(before: Backend, after: Backend, at: Instant): void {
    const known = this.#spans.get(after.id) ?? withStatus([], before, before.statusSince);
    this.#spans.set(after.id, withStatus(known, after, at));
  }

  removed(id: BackendId): void {
    this.#spans.delete(id);
  }

  of(backend: Backend, now: Instant): readonly StatusSpan[] {
    const known = this.#spans.get(backend.id) ?? withStatus([], backend, backend.statusSince);
    return spansOfDay(known, now);
  }
}

export type ReasonsPorts = {
  readonly fleet: Fleet;
  readonly chronicle: StatusChronicle;
  /** Undefined for a backend that is not watched, or when health checks are off. */
  readonly describeProbes: (id: BackendId) => ProbeDescription | undefined;
  /** What its circuit breakers say; undefined where there are none. */
  readonly describeBreaker: (id: BackendId, models: readonly string[]) => BreakerGate | undefined;
  readonly now: () => Instant;
};

function timeOf(at: Instant | undefined): string | null {
  return at === undefined ? null : toRfc3339(at);
}

function modelsOf(backend: Backend, fleet: Fleet): BackendReasonsWire['models'] {
  return backend.models.map((model) => {
    const runtime = backend.runtime.find(({ id }) => id === model.id);
    const others = fleet.forModel(model.id).filter(({ id }) => id !== backend.id);
    return {
      id: model.id,
      context_length: model.contextLength,
      supports_vision: model.supportsVision,
      supports_tools: model.supportsTools,
      supports_json_mode: model.supportsJsonMode,
      loaded: runtime?.loaded ?? null,
      kind: runtime?.kind ?? null,
      size_bytes: runtime?.sizeBytes ?? null,
      vram_bytes: runtime?.vramBytes ?? null,
      quantization: runtime?.quantization ?? null,
      closed: backend.closures.find(({ modelId }) => modelId === model.id)?.reason ?? null,
      only_holder: !others.some(isRoutable),
    };
  });
}

function probeWords(probes: ProbeDescription | undefined): string {
  if (probes === undefined) return 'health checks are off';
  const { failures, successes, recoveryNeeded, nextProbeInMs } = probes;
  const next =
    nextProbeInMs === undefined
      ? 'a probe is under way'
      : `next probe in ${elapsedWords(nextProbeInMs)}`;
  if (failures > 0) return `${failures} failed in a row, ${next}`;
  return `${successes} good in a row (an unhealthy one needs ${recoveryNeeded}), ${next}`;
}

/** Throws `backend_not_found`. */
export function explainBackend(ports: ReasonsPorts, id: string): BackendExplainWire {
  const { fleet } = ports;
  const now = ports.now();
  const backend = fleet.require(id);
  const counters = fleet.counters(backend.id);
  const probes = ports.describeProbes(backend.id);
  const next = probes?.nextProbeInMs;
  const models = backend.models.map((model) => model.id);
  const breaker = ports.describeBreaker(backend.id, models);
  return {
    backend: backendView(backend, counters, now, fleet.loadMaxAgeMs),
    verdict: statusWords(backend, now),
    gates: gatesOf(backend, counters.pendingRequests, now, breaker).map((gate) => ({
      ...gate,
      since: timeOf(gate.since),
      remedy: gate.remedy ?? null,
    })),
    next_probe_at: next === undefined ? null : toRfc3339(instant(now + next)),
    probe_words: probeWords(probes),
    failures_in_row: probes?.failures ?? 0,
    successes_in_row: probes?.successes ?? 0,
    recovery_needed: probes?.recoveryNeeded ?? 0,
    probes: (probes?.entries ?? []).map(({ at, kind, words, latencyMs, status }) => ({
      at: toRfc3339(at),
      kind,
      words,
      latency_ms: latencyMs === undefined ? null : Math.round(latencyMs * 1000) / 1000,
      status,
    })),
    history: ports.chronicle.of(backend, now).map(({ from, to, status, reason, words }) => ({
      from: toRfc3339(from),
      to: timeOf(to),
      status,
      reason: reason ?? null,
      words,
    })),
    models: modelsOf(backend, fleet),
    last_load: loadView(backend.load),
    load_max_age_ms: fleet.loadMaxAgeMs,
  };
}

export function explainRoute(ports: ReasonsPorts): ControlRoute {
  return {
    method: 'GET',
    path: '/api/v1/backends/:id/explain',
    needs: needs('backends:read'),
    service: 'routing',
    summary: 'Why a backend takes requests or why not: gates, probes, states, models',
    answer: backendExplainSchema,
    handle: (call) => json(explainBackend(ports, call.params['id'] ?? '')),
  };
}
