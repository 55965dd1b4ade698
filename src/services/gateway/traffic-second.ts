// One second of traffic as all threads reported it. Its latencies are kept as the plain form of a
// sketch, which is small, and of which any number adds up to the sketch of a longer time.

import { LogSketch } from '../../core/statistics/log-sketch.ts';
import type { PlainSketch } from '../../core/statistics/sketch-plain.ts';
import type { ThreadReport } from './messages.ts';

export class TrafficSecond {
  /** Unix seconds. */
  readonly t: number;
  #requests = 0;
  #failed = 0;
  #firstByte: PlainSketch | undefined;
  #p50: number | null = null;
  #p95: number | null = null;

  constructor(t: number) {
    this.t = t;
  }

  get requests(): number {
    return this.#requests;
  }

  get failed(): number {
    return this.#failed;
  }

  /** First-byte latencies, ms; undefined while there are none. */
  get firstByte(): PlainSketch | undefined {
    return this.#firstByte;
  }

  get firstByteP50Ms(): number | null {
    return this.#p50;
  }

  get firstByteP95Ms(): number | null {
    return this.#p95;
  }

  /** `scratch` is any sketch that is not in use; what it held is lost. */
  add(report: Pick<ThreadReport, 'finished' | 'failed' | 'firstByte'>, scratch: LogSketch): void {
    this.#requests += report.finished;
    this.#failed += report.failed;
    if (report.firstByte === undefined) return;
    scratch.clear();
    if (this.#firstByte !== undefined) scratch.addPlain(this.#firstByte);
    scratch.addPlain(report.firstByte);
    this.#firstByte = scratch.toPlain();
    this.#p50 = scratch.quantile(0.5);
    this.#p95 = scratch.quantile(0.95);
  }
}

/** The first-byte latencies of several seconds together, ms. */
export function firstByteSketch(seconds: readonly TrafficSecond[]): LogSketch {
  const sketch = new LogSketch();
  for (const { firstByte } of seconds) if (firstByte !== undefined) sketch.addPlain(firstByte);
  return sketch;
}
