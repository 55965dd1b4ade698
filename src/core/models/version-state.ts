// The state of a registered version: how far it has been approved. It says nothing of traffic,
// which serving endpoints and aliases carry. Platform specification C.1; texts as on the wire.
//
//   registered ──> validating ──> staging ──> canary ──> production ──> deprecated ──> archived
//       ^              │          ^  │           │
//       └──── failed ──┴──────────│──┘           │
//                                 └── rollback ──┘
//
// S1  Exactly these nine edges; no state has an edge to itself; archived is final.

import { assert } from '../../base/assert.ts';

export const versionStates = [
  'registered',
  'validating',
  'staging',
  'canary',
  'production',
  'deprecated',
  'archived',
] as const;

export type VersionState = (typeof versionStates)[number];

const edges: Readonly<Record<VersionState, readonly VersionState[]>> = {
  registered: ['validating'],
  validating: ['staging', 'registered'],
  staging: ['canary', 'registered'],
  canary: ['production', 'staging'],
  production: ['deprecated'],
  deprecated: ['archived'],
  archived: [],
};

/** Where a version in this state may go; empty for archived. */
export function nextStates(from: VersionState): readonly VersionState[] {
  return edges[from];
}

/** Is there an edge `from` -> `to`? */
export function canTransitionState(from: VersionState, to: VersionState): boolean {
  return edges[from].includes(to);
}

/** Does the edge take a version that served some traffic back? Only asked of an allowed edge. */
export function isRollback(from: VersionState, to: VersionState): boolean {
  assert(canTransitionState(from, to), `S1: no edge ${from} -> ${to}`);
  return from === 'canary' && to === 'staging';
}
