// What can go wrong in a world, and how often it did. A fault counts when it took effect, not when
// it was planned: a key revoked while nobody used it is no fault of the kind `key_revoked`.

export const faultKinds = [
  'message_lost',
  'message_delayed',
  'message_duplicated',
  'message_reordered',
  'partition',
  'gateway_crash',
  'control_crash',
  'backend_crash',
  'backend_hang',
  'backend_flapping',
  'backend_lying',
  'backend_answers_429',
  'backend_answers_500',
  'backend_cut',
  'clock_slow',
  'clock_back',
  'clock_stopped',
  'disk_full',
  'torn_write',
  'database_away',
  'commit_lost',
  'commit_answer_lost',
  'overload_burst',
  'key_revoked',
  'backend_removed',
  'config_reload',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export type FaultCounts = Readonly<Record<FaultKind, number>>;

export function noFaults(): Record<FaultKind, number> {
  const counts: Partial<Record<FaultKind, number>> = {};
  for (const kind of faultKinds) counts[kind] = 0;
  return counts as Record<FaultKind, number>;
}

/** A sum kind by kind. */
export function addCounts(a: FaultCounts, b: FaultCounts): FaultCounts {
  const sum = noFaults();
  for (const kind of faultKinds) sum[kind] = a[kind] + b[kind];
  return sum;
}
