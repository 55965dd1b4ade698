// Circuit breakers on the control API: which are not closed and why, and the reset of one.

import { z } from 'zod';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { type ControlRoute, json, needs, pageOf } from '../../io/http/control-route.ts';
import {
  type BreakerListWire,
  breakerListSchema,
  breakerSchema,
} from '../../protocol/control/breaker-schemas.ts';
import { pageQuerySchema } from '../../protocol/control/schemas.ts';
import type { ControlBreakers } from './control-breakers.ts';

const listQuerySchema = pageQuerySchema.extend({
  /** Closed ones too, once a request has asked them. */
  all: z.enum(['true', 'false']).default('false'),
});

export function breakerRoutes(breakers: ControlBreakers): ControlRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/breakers',
      needs: needs('policy:read'),
      service: 'resilience',
      summary: 'Circuit breakers that are not closed, with all=true the closed ones too',
      query: listQuerySchema,
      answer: breakerListSchema,
      handle: (call) => {
        const { all, ...page } = listQuerySchema.parse(call.query);
        const rows = breakers.list(all === 'true');
        const { failures, successes, openMs } = breakers.rule;
        const answer: BreakerListWire = {
          count: rows.length,
          not_closed: rows.filter(({ state }) => state !== 'closed').length,
          failures_to_open: failures,
          successes_to_close: successes,
          open_seconds: openMs / 1000,
          breakers: [...pageOf(rows, page)],
        };
        return json(answer);
      },
    },
    {
      method: 'POST',
      path: '/api/v1/breakers/:id/reset',
      needs: needs('policy:write'),
      service: 'resilience',
      summary: 'Lets the next request try the backend, or the model on it, at once',
      answer: breakerSchema,
      handle: async (call) => {
        const id = call.params['id'] ?? '';
        const breaker = await breakers.reset(id, call.principal.text);
        if (breaker !== undefined) return json(breaker);
        const words = `There is no breaker “${id.slice(0, 200)}”: an id is backend:ID or backend:ID/model:MODEL.`;
        throw new TensorForgeError('not_found', words);
      },
    },
  ];
}
