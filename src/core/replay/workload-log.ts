// What a simulation needs of a log: which requests came when and how long they were, and how quick
// each backend was. Tier 3 of a replay fits engines to it. Bounded: the first so many requests of the
// window, because a simulation of a part is better than none; what is beyond is said.
//
// The fit, per backend, over requests that went there at once (one attempt, no error):
//   ms per output token   median of (total - first byte) / (output tokens - 1), from 2 tokens on
//   first byte            least squares of the first byte over the prompt tokens: base + ms per token;
//                         a slope below zero is noise and counts as none, then base is the mean

import { median } from '../statistics/central.ts';

export type LoggedRequest = {
  /** Unix ms. */
  readonly at: number;
  readonly model: string;
  readonly backendId: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly firstByteMs: number;
  readonly totalMs: number;
};

export type BackendFit = {
  readonly backendId: string;
  readonly models: readonly string[];
  readonly requests: number;
  readonly baseMs: number;
  readonly msPerPromptToken: number;
  /** 0 where no request had two tokens. */
  readonly msPerOutputToken: number;
};

export const workloadRequestsMax = 100_000;
/** Of one backend: enough for a median and a slope. */
const fitSamplesMax = 4000;
/** Fewer say nothing of a backend. */
export const fitSamplesMin = 20;

type Samples = {
  readonly models: Set<string>;
  requests: number;
  readonly tokenMs: number[];
  sumX: number;
  sumY: number;
  sumXX: number;
  sumXY: number;
};

export class WorkloadLog {
  readonly #requests: LoggedRequest[] = [];
  readonly #backends = new Map<string, Samples>();
  #beyond = 0;

  add(request: LoggedRequest): void {
    if (this.#requests.length < workloadRequestsMax) this.#requests.push(request);
    else this.#beyond++;
    const samples = this.#samplesOf(request.backendId);
    samples.models.add(request.model);
    samples.requests++;
    const { promptTokens: x, firstByteMs: y } = request;
    samples.sumX += x;
    samples.sumY += y;
    samples.sumXX += x * x;
    samples.sumXY += x * y;
    const further = request.completionTokens - 1;
    if (further < 1 || samples.tokenMs.length >= fitSamplesMax) return;
    samples.tokenMs.push(Math.max(0, request.totalMs - y) / further);
  }

  /** In the order of arrival. */
  requests(): readonly LoggedRequest[] {
    return this.#requests.toSorted((a, b) => a.at - b.at);
  }

  /** Requests beyond the cap, which are in the fit but not among `requests`. */
  get beyond(): number {
    return this.#beyond;
  }

  /** One for each backend that answered. */
  fits(): readonly BackendFit[] {
    return [...this.#backends].map(([backendId, samples]) => {
      const { requests: n, sumX, sumY, sumXX, sumXY } = samples;
      const spread = n * sumXX - sumX * sumX;
      const slope = spread === 0 ? 0 : Math.max(0, (n * sumXY - sumX * sumY) / spread);
      return {
        backendId,
        models: [...samples.models].sort(),
        requests: n,
        baseMs: Math.max(0, (sumY - slope * sumX) / n),
        msPerPromptToken: slope,
        msPerOutputToken: median(samples.tokenMs),
      };
    });
  }

  #samplesOf(backendId: string): Samples {
    let samples = this.#backends.get(backendId);
    if (samples === undefined) {
      const sums = { sumX: 0, sumY: 0, sumXX: 0, sumXY: 0 };
      samples = { models: new Set(), requests: 0, tokenMs: [], ...sums };
      this.#backends.set(backendId, samples);
    }
    return samples;
  }
}
