// Routes of single decisions: why this backend, why not each other one. Who holds `decisions:read`
// without a right of the whole platform sees the requests of its own group; others are not there.

import type { z } from 'zod';
import { instant, parseRfc3339, toRfc3339 } from '../../base/time.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { type ControlRoute, json, needs, type Principal } from '../../io/http/control-route.ts';
import {
  type DecisionWire,
  decisionListSchema,
  decisionQuerySchema,
  decisionSchema,
} from '../../protocol/control/schemas.ts';
import type { DecisionPosition, DecisionStore, Visibility } from './decision-store.ts';
import { parseDecisionRef } from './request-time.ts';

export type DecisionRoutesPorts = {
  /** Undefined where no log is kept: then the newest hundred are all there is. */
  readonly store: DecisionStore | undefined;
  /** The newest hundred in memory, newest first. */
  readonly recent: {
    list(limit: number): readonly DecisionWire[];
    find(id: string): DecisionWire | undefined;
  };
  readonly flush: () => Promise<void>;
};

/** Rights that only roles of the platform have: with one of them, every group is seen. */
const platformRights = ['replay:run', 'audit:read', 'users:admin'] as const;

const recentMax = 100;

function visibilityOf(principal: Principal): Visibility {
  const isPlatform = platformRights.some((right) => principal.permissions.has(right));
  return isPlatform ? undefined : { groupName: principal.groupName };
}

function isVisible(decision: DecisionWire, visible: Visibility): boolean {
  return visible === undefined || decision.group_name === visible.groupName;
}

function positionText({ atMs, requestId }: DecisionPosition): string {
  return `${toRfc3339(instant(atMs))}_${requestId}`;
}

function positionOf(text: string): DecisionPosition {
  const parts = /^([^_]+)_([0-9a-f-]{36}|~)$/.exec(text);
  const atMs = parseRfc3339(parts?.[1] ?? '');
  if (atMs !== undefined && parts?.[2] !== undefined) return { atMs, requestId: parts[2] };
  const words = `after is ${text.slice(0, 100)}, but must be “next” of an answer.`;
  throw new TensorForgeError('invalid_request', words, { param: 'after' });
}

export function decisionRoutes(ports: DecisionRoutesPorts): ControlRoute[] {
  const common = {
    service: 'resilience',
    method: 'GET',
    needs: needs('decisions:read'),
  } as const;
  return [
    {
      ...common,
      path: '/api/v1/decisions',
      summary: 'Decisions of the log, newest first; the last hundred where no log is kept',
      query: decisionQuerySchema,
      answer: decisionListSchema,
      handle: async (call) => {
        const query = decisionQuerySchema.parse(call.query);
        const visible = visibilityOf(call.principal);
        await ports.flush();
        return json(await listOf(ports, query, visible));
      },
    },
    {
      ...common,
      path: '/api/v1/decisions/:id',
      summary: 'One decision by its id or its request id: why this backend, why not each other',
      answer: decisionSchema,
      handle: async (call) => {
        const id = call.params['id'] ?? '';
        await ports.flush();
        return json(await oneOf(ports, id, visibilityOf(call.principal)));
      },
    },
  ];
}

type Query = z.infer<typeof decisionQuerySchema>;

async function listOf(ports: DecisionRoutesPorts, query: Query, visible: Visibility) {
  const { from, to, model, backend, outcome, after } = query;
  const limit = Math.min(query.limit, recentMax);
  if (ports.store === undefined) {
    const seen = ports.recent.list(recentMax).filter((decision) => isVisible(decision, visible));
    return { count: seen.length, decisions: seen.slice(0, limit) };
  }
  const page = await ports.store.page(
    {
      fromMs: from === undefined ? undefined : Date.parse(from),
      toMs: to === undefined ? undefined : Date.parse(to),
      model,
      backend,
      outcome,
      limit,
      after: after === undefined ? undefined : positionOf(after),
    },
    visible,
  );
  return {
    count: page.decisions.length,
    decisions: page.decisions,
    next: page.next === undefined ? null : positionText(page.next),
    incomplete: page.incomplete ?? null,
  };
}

async function oneOf(
  { store, recent }: DecisionRoutesPorts,
  id: string,
  visible: Visibility,
): Promise<DecisionWire> {
  const ref = parseDecisionRef(id);
  const found =
    ref === undefined || store === undefined ? undefined : await store.find(ref, visible);
  if (found?.kind === 'found') return found.decision;
  const kept = recent.find(id);
  if (kept !== undefined && isVisible(kept, visible)) return kept;
  const shown = id.slice(0, 100);
  const words =
    found?.words ?? `No decision ${shown} among the newest ${recentMax}, which is what is kept.`;
  throw new TensorForgeError('not_found', words);
}
