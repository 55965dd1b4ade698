// The backend routes of the control API.

import type { BackendId } from '../../base/brand.ts';
import type { Instant } from '../../base/time.ts';
import type { Backend } from '../../core/backends/backend.ts';
import {
  type ControlCall,
  type ControlRoute,
  json,
  needs,
  pageOf,
} from '../../io/http/control-route.ts';
import {
  type BackendViewWire,
  backendAddSchema,
  backendEditSchema,
  backendListSchema,
  backendViewSchema,
  pageQuerySchema,
} from '../../protocol/control/schemas.ts';
import { backendView, fleetSummary } from './backend-view.ts';
import type { Fleet } from './fleet.ts';
import type { FleetOperator } from './operator.ts';

export type BackendRoutesOptions = {
  readonly fleet: Fleet;
  readonly operator: FleetOperator;
  readonly now: () => Instant;
  /** Resolves when the gateway threads act on what was changed before: whoever adds may use. */
  readonly applied: () => Promise<void>;
};

function viewOf(fleet: Fleet, backend: Backend, now: Instant): BackendViewWire {
  return backendView(backend, fleet.counters(backend.id), now, fleet.loadMaxAgeMs);
}

export function backendList(fleet: Fleet, now: Instant) {
  const backends = fleet.listBackends();
  return {
    count: backends.length,
    summary: fleetSummary(backends, now),
    backends: backends.map((backend) => viewOf(fleet, backend, now)),
  };
}

export function backendRoutes({
  fleet,
  operator,
  now,
  applied,
}: BackendRoutesOptions): ControlRoute[] {
  const view = (id: string) => {
    const backend = fleet.require(id);
    return viewOf(fleet, backend, now());
  };
  const idOf = (call: ControlCall): string => call.params['id'] ?? '';
  const common = { service: 'routing', answer: backendViewSchema } as const;
  const verb = (
    name: string,
    summary: string,
    act: (id: string, actor: string) => Promise<void>,
  ): ControlRoute => ({
    ...common,
    method: 'POST',
    path: `/api/v1/backends/:id/${name}`,
    needs: needs('backends:write'),
    summary,
    handle: async (call) => {
      await act(idOf(call), call.principal.text);
      await applied();
      return json(view(idOf(call)));
    },
  });
  return [
    {
      method: 'GET',
      path: '/api/v1/backends',
      needs: needs('backends:read'),
      service: 'routing',
      summary: 'All backends with their state and figures',
      query: pageQuerySchema,
      answer: backendListSchema,
      handle: (call) => {
        const list = backendList(fleet, now());
        return json({ ...list, backends: pageOf(list.backends, call.query) });
      },
    },
    {
      ...common,
      method: 'POST',
      path: '/api/v1/backends',
      needs: needs('backends:write'),
      summary: 'Adds a backend; its type is recognised when not given',
      body: backendAddSchema,
      successStatus: 201,
      handle: async (call) => {
        const id = await operator.add(backendAddSchema.parse(call.body), call.principal.text);
        await applied();
        return json(view(id), 201);
      },
    },
    {
      ...common,
      method: 'GET',
      path: '/api/v1/backends/:id',
      needs: needs('backends:read'),
      summary: 'One backend',
      handle: (call) => json(view(idOf(call))),
    },
    {
      ...common,
      method: 'PUT',
      path: '/api/v1/backends/:id',
      needs: needs('backends:write'),
      summary: 'Changes priority, zone, tier or capacity',
      body: backendEditSchema,
      handle: async (call) => {
        const change = backendEditSchema.parse(call.body);
        await operator.edit(idOf(call), change, call.principal.text);
        await applied();
        return json(view(idOf(call)));
      },
    },
    {
      ...common,
      method: 'DELETE',
      path: '/api/v1/backends/:id',
      needs: needs('backends:write'),
      summary: 'Removes a backend; the answer is its last state',
      handle: async (call) => {
        const last = view(idOf(call));
        await operator.remove(idOf(call), call.principal.text);
        await applied();
        return json(last);
      },
    },
    verb('drain', 'New requests avoid it, running ones finish', (id, actor) =>
      operator.drain(id, actor),
    ),
    verb('resume', 'Ends a drain', (id, actor) => operator.resume(id, actor)),
    verb('approve', 'Lets a discovered backend take requests', (id, actor) =>
      operator.approve(id, actor),
    ),
    verb('probe', 'Asks the backend now', async (id) => {
      await operator.probe(fleet.require(id).id as BackendId);
    }),
  ];
}
