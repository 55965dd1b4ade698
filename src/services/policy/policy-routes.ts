// The serving mode on the control API: where it stands, how it came there, and the pin of an operator.
// Lifting a pin takes its reason as a query, since bodies of DELETE get lost on the way to servers.

import { z } from 'zod';
import { type Instant, instant } from '../../base/time.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { type ControlRoute, json, needs } from '../../io/http/control-route.ts';
import { requireStorable } from '../../io/postgres/storable-text.ts';
import {
  policyHistorySchema,
  policyPinSchema,
  policyViewSchema,
} from '../../protocol/control/trust-schemas.ts';
import type { ModeKeeper } from './mode-keeper.ts';
import { type PolicyPlan, policyHistory, policyView } from './policy-view.ts';

export type PolicyRoutesOptions = {
  readonly keeper: () => ModeKeeper;
  readonly plan: PolicyPlan;
  readonly now: () => Instant;
};

const movesMax = 500;
const historyQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).default(50),
});
const unpinQuerySchema = z.strictObject({ reason: z.string().min(1).max(500) });

/** The reason with its ends trimmed. Throws `invalid_request` for one that says nothing. */
function reasonOf(text: string): string {
  const reason = text.trim();
  if (reason === '') {
    throw new TensorForgeError('invalid_request', 'reason must not be blank', { param: 'reason' });
  }
  requireStorable(reason, 'reason');
  return reason;
}

export function policyRoutes({ keeper, plan, now }: PolicyRoutesOptions): ControlRoute[] {
  const view = () => json(policyView(keeper(), plan, now()));
  const common = { service: 'policy', answer: policyViewSchema } as const;
  const path = '/api/v1/policy/pin';
  return [
    {
      ...common,
      method: 'GET',
      path: '/api/v1/policy',
      needs: needs('policy:read'),
      summary: 'The serving mode, what moves it, and how the error budget burns',
      handle: view,
    },
    {
      method: 'GET',
      path: '/api/v1/policy/history',
      needs: needs('policy:read'),
      service: 'policy',
      summary: 'Moves of the serving mode, newest first, and burn rates of the last six hours',
      query: historyQuerySchema,
      answer: policyHistorySchema,
      handle: async (call) => {
        const { limit } = historyQuerySchema.parse(call.query);
        return json(await policyHistory(keeper(), Math.min(limit, movesMax), now()));
      },
    },
    {
      ...common,
      method: 'PUT',
      path,
      needs: needs('policy:write'),
      summary: 'Holds a serving mode in force, whatever the ladder says; replaces another pin',
      body: policyPinSchema,
      handle: async (call) => {
        const { mode, reason, expires_in_seconds: seconds } = policyPinSchema.parse(call.body);
        const at = now();
        const until = seconds === null ? null : instant(at + seconds * 1000);
        const by = call.principal.text;
        await keeper().pin({ mode, by, reason: reasonOf(reason), since: at, until }, at);
        return view();
      },
    },
    {
      ...common,
      method: 'DELETE',
      path,
      needs: needs('policy:write'),
      summary: 'Lifts the pin; the mode of the ladder is in force again',
      query: unpinQuerySchema,
      handle: async (call) => {
        const { reason } = unpinQuerySchema.parse(call.query);
        await keeper().unpin(call.principal.text, reasonOf(reason), now());
        return view();
      },
    },
  ];
}
