// The routes of the allocator: what a unit of work costs.

import { estimateCost } from '../../core/allocation/cost-estimate.ts';
import { refusalOf, TensorForgeError } from '../../errors/tensorforge-error.ts';
import { type ControlRoute, json, needs } from '../../io/http/control-route.ts';
import { estimateRequestSchema, estimateSchema } from '../../protocol/control/platform-schemas.ts';

export function allocatorRoutes(): ControlRoute[] {
  return [
    {
      service: 'allocator',
      method: 'POST',
      path: '/v1/allocator/estimate',
      needs: needs('placement:read'),
      summary: 'Cost per unit of a total over a quantity',
      body: estimateRequestSchema,
      answer: estimateSchema,
      handle: (call) => {
        const { total_cost: totalCost, quantity } = estimateRequestSchema.parse(call.body);
        const estimate = estimateCost({ totalCost, quantity });
        if (!estimate.ok) throw TensorForgeError.of(refusalOf('invalid_request', estimate.error));
        const { costPerUnit, totalEstimate, currency } = estimate.value;
        return json({ cost_per_unit: costPerUnit, total_estimate: totalEstimate, currency });
      },
    },
  ];
}
