// How long requests took on the simulated engine, in real seconds, for the metrics pages.

import type { TimingObserver } from './engine-driver.ts';
import { Histogram } from './prometheus-text.ts';

/** Upper bounds in seconds, as vLLM has them. */
const firstTokenBounds = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];
const nextTokenBounds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
const requestBounds = [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60];

export class EngineTimings implements TimingObserver {
  /** Seconds of real time for a microsecond of model time. */
  readonly secondsPerUs: number;
  readonly firstToken = new Histogram(firstTokenBounds);
  readonly nextToken = new Histogram(nextTokenBounds);
  readonly queue = new Histogram(requestBounds);
  readonly request = new Histogram(requestBounds);

  constructor(speed: number) {
    this.secondsPerUs = 1e-6 / speed;
  }

  onFirstToken(sinceSubmitUs: number, queueUs: number): void {
    this.firstToken.observe(sinceSubmitUs * this.secondsPerUs);
    this.queue.observe(queueUs * this.secondsPerUs);
  }

  onNextToken(gapUs: number): void {
    this.nextToken.observe(gapUs * this.secondsPerUs);
  }

  onEnd(totalUs: number): void {
    this.request.observe(totalUs * this.secondsPerUs);
  }
}
