// The one place where the control plane takes the time.

import { type Instant, instant } from '../base/time.ts';
import type { Clock } from '../services/routing/ports.ts';

export type { Clock } from '../services/routing/ports.ts';

export function now(): Instant {
  return instant(Date.now());
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

export function monotonicMs(): number {
  return performance.now();
}

export const systemClock: Clock = {
  now,
  monotonicMs,
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
