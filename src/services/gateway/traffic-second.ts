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

  add(report: Pick<ThreadReport, 'finished' | 'failed' | 'firstByte'>): void {
    this.#requests += report.finished;
    this.#failed += report.failed;
    if (report.firstByte === undefined) return;
    const sketch = sketchOf([this.#firstByte, report.firstByte]);
    this.#firstByte = sketch.toPlain();
    this.#p50 = sketch.quantile(0.5);
    this.#p95 = sketch.quantile(0.95);
  }
}

function sketchOf(parts: readonly (PlainSketch | undefined)[]): LogSketch {
  const sketch = new LogSketch();
  for (const part of parts) if (part !== undefined) sketch.addPlain(part);
  return sketch;
}

/** The first-byte latencies of several seconds together, ms. */
export function firstByteSketch(seconds: readonly TrafficSecond[]): LogSketch {
  return sketchOf(seconds.map(({ firstByte }) => firstByte));
}
