// Words of routing that stand in configuration, on the wire and in decisions alike.

/** How one of several backends of a model is chosen; docs/routing.md says when to use which. */
export const strategies = [
  'smart',
  'round_robin',
  'priority_only',
  'random',
  'latency',
  'weighted',
  'least_in_flight',
  'least_tokens',
  'power_of_two',
  'model_affinity',
  'prefix_affinity',
  'sticky',
  'geographic',
  'cost',
] as const;
export type Strategy = (typeof strategies)[number];

/** What happens once the budget of the month is spent. */
export const hardLimitActions = ['warn', 'block_cloud', 'block_all'] as const;
export type HardLimitAction = (typeof hardLimitActions)[number];
