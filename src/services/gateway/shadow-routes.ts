// Shadow traffic on the control API: what each rule comes to, and the newest comparisons.

import { instant, toRfc3339 } from '../../base/time.ts';
import type { ShadowRule } from '../../core/routing/shadow-rule.ts';
import { type ControlRoute, json, needs } from '../../io/http/control-route.ts';
import type {
  ShadowComparisonRow,
  ShadowStore,
  ShadowSummary,
} from '../../io/postgres/shadow-store.ts';
import { requireStorable } from '../../io/postgres/storable-text.ts';
import {
  type ShadowComparisonWire,
  type ShadowListWire,
  type ShadowSummaryWire,
  shadowListSchema,
  shadowQuerySchema,
} from '../../protocol/control/shadow-schemas.ts';
import type { ShadowLedger } from './shadow-ledger.ts';

export type ShadowRoutesOptions = {
  readonly store: Pick<ShadowStore, 'newest' | 'summaries'>;
  readonly ledger: Pick<ShadowLedger, 'names' | 'uncompared'>;
  /** Has what came in so far written to the store. */
  readonly flush: () => Promise<void>;
  readonly rules: () => readonly ShadowRule[];
};

const limitMax = 1000;
const points = 10_000;

function shareOf(basisPoints: number | undefined): number | null {
  return basisPoints === undefined ? null : Math.round(basisPoints) / points;
}

function comparisonWire(row: ShadowComparisonRow): ShadowComparisonWire {
  return {
    at: toRfc3339(instant(row.atMs)),
    shadow: row.shadow,
    request_id: row.requestId,
    outcome: row.outcome,
    primary: {
      backend: row.primaryBackend,
      model: row.primaryModel,
      status: row.primaryStatus,
      tokens: row.primaryTokens,
      first_byte_ms: row.primaryFirstByteMs ?? null,
      total_ms: row.primaryTotalMs,
    },
    copy: {
      backend: row.backend,
      model: row.model,
      status: row.status,
      tokens: row.tokens,
      first_byte_ms: row.firstByteMs ?? null,
      total_ms: row.totalMs,
    },
    distance: shareOf(row.distance),
  };
}

function ruleWire(rule: ShadowRule | undefined): ShadowSummaryWire['rule'] {
  if (rule === undefined) return null;
  return {
    model_pattern: rule.model,
    to_backend: rule.toBackend ?? null,
    to_model: rule.toModel ?? null,
    percent: rule.basisPoints / 100,
  };
}

function summaryWire(
  name: string,
  rule: ShadowRule | undefined,
  found: ShadowSummary | undefined,
  ledger: ShadowRoutesOptions['ledger'],
): ShadowSummaryWire {
  return {
    name,
    rule: ruleWire(rule),
    compared: found?.compared ?? 0,
    failed: found?.failed ?? 0,
    timed_out: found?.timedOut ?? 0,
    ...ledger.uncompared(name),
    mean_distance: shareOf(found?.meanDistance),
    primary: {
      tokens: found?.primaryTokens ?? null,
      total_ms: found?.primaryTotalMs ?? null,
    },
    copy: { tokens: found?.tokens ?? null, total_ms: found?.totalMs ?? null },
  };
}

export function shadowRoutes(options: ShadowRoutesOptions): ControlRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/shadows',
      needs: needs('telemetry:read'),
      service: 'gateway',
      summary: 'Copies of requests: how their answers compare with those that clients got',
      query: shadowQuerySchema,
      answer: shadowListSchema,
      handle: async ({ query }) => {
        const { name, limit } = shadowQuerySchema.parse(query);
        if (name !== undefined) requireStorable(name, 'name');
        await options.flush();
        const { store, ledger } = options;
        const rules = new Map(options.rules().map((rule) => [rule.name, rule]));
        const found = new Map((await store.summaries()).map((one) => [one.shadow, one]));
        const names = new Set([...rules.keys(), ...found.keys(), ...ledger.names]);
        const shadows = [...names]
          .filter((one) => name === undefined || one === name)
          .map((one) => summaryWire(one, rules.get(one), found.get(one), ledger));
        const comparisons = await store.newest(name, Math.min(limit, limitMax));
        const answer: ShadowListWire = {
          count: shadows.length,
          shadows,
          comparisons: comparisons.map(comparisonWire),
        };
        return json(answer);
      },
    },
  ];
}
