// Strategy -> policy. What each is for stands in docs/routing.md.

import type { Strategy } from '../../../base/routing-words.ts';
import { modelAffinity, prefixAffinity, sticky } from './affinity.ts';
import { cost } from './cost.ts';
import { geographic } from './geographic.ts';
import { latency } from './latency.ts';
import { leastInFlight, leastTokens, powerOfTwo } from './least.ts';
import type { RoutingPolicy } from './routing-policy.ts';
import { priorityOnly, smart } from './smart.ts';
import { randomDraw, roundRobin, weighted } from './turns.ts';

const policies: Readonly<Record<Strategy, RoutingPolicy>> = {
  smart,
  round_robin: roundRobin,
  priority_only: priorityOnly,
  random: randomDraw,
  latency,
  weighted,
  least_in_flight: leastInFlight,
  least_tokens: leastTokens,
  power_of_two: powerOfTwo,
  model_affinity: modelAffinity,
  prefix_affinity: prefixAffinity,
  sticky,
  geographic,
  cost,
};

export function policyOf(strategy: Strategy): RoutingPolicy {
  return policies[strategy];
}
