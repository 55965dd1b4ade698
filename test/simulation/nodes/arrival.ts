// A request before anyone has seen it: who asks for what, and what the client will do. All of them
// are drawn before a world starts.

import type { PriorityClass } from '../../../src/core/jobs/priority-class.ts';
import type { RouteFeatures } from '../../../src/core/routing/decision-input.ts';
import type { Credential } from './key-desk.ts';

export type Arrival = {
  /** 0, 1, 2 ...: its place in the world. */
  readonly index: number;
  readonly requestId: string;
  readonly gateway: number;
  readonly credential: Credential;
  readonly priorityClass: PriorityClass;
  readonly features: RouteFeatures;
  readonly bodyMs: number;
  readonly chunks: number;
  /** Does another thread get a chance between its decision and its lease? */
  readonly races: boolean;
  /** The client leaves after so many ms; undefined: it waits for the end. */
  readonly patienceMs: number | undefined;
};

const hex = '0123456789abcdef';

/** A version 7 UUID of this time and number, as the product's own would be. */
export function requestIdOf(unixMs: number, index: number): string {
  const time = Math.trunc(unixMs).toString(16).padStart(12, '0');
  const tail = index.toString(16).padStart(12, '0');
  const variant = hex[8 + (index % 4)] ?? '8';
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(9)}-${variant}000-${tail}`;
}
