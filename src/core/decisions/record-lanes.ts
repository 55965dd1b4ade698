// What the writers of records have in common.

/** The lanes of BlockWriter.text: one for each member that is a text. */
export const lane = {
  key: 0,
  group: 1,
  path: 2,
  digest: 3,
  model: 4,
  resolved: 5,
  backend: 6,
  code: 7,
  name: 8,
  region: 9,
  experiment: 10,
  arm: 11,
  annotation: 12,
  value: 13,
  shadow: 14,
} as const;
export const lanes = Object.keys(lane).length;

/** Whole microseconds of a duration in ms; a negative one counts as 0. */
export function microseconds(ms: number): number {
  return Math.max(0, Math.round(ms * 1000));
}
