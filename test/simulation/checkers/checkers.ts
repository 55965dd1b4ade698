// Everybody who watches a world.

import type { Parts } from '../parts.ts';
import { LogChecker } from './log.ts';
import { PolicyChecker } from './policy.ts';
import { ReplayChecker } from './replay.ts';
import { SecurityChecker } from './security.ts';
import { TrafficChecker } from './traffic.ts';

export type Checkers = {
  readonly traffic: TrafficChecker;
  readonly replay: ReplayChecker;
  readonly policy: PolicyChecker;
  readonly security: SecurityChecker;
  readonly log: LogChecker;
};

export function newCheckers(parts: Parts): Checkers {
  return {
    traffic: new TrafficChecker(),
    replay: new ReplayChecker(parts),
    policy: new PolicyChecker(),
    security: new SecurityChecker(parts),
    log: new LogChecker(),
  };
}
