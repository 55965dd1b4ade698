// Our own decision log as a trace: a request arrived when it was admitted, asked for what was
// routed, and was as long as it was when it settled. Requests that were refused at the gate are
// offered load as well, but nobody knows how long they would have been, so they are counted only.
//
// Records of several threads come in any order; they are joined by request.

import type { DecisionRecord } from '../../decisions/decision-record.ts';
import type { Arrival, Trace } from './arrivals.ts';

type Joined = {
  at: number | undefined;
  model: string | undefined;
  promptTokens: number;
  completionTokens: number;
  stream: boolean;
  firstByteMs: number | undefined;
  isSettled: boolean;
};

export type RecordedTrace = Trace & {
  /** Admitted requests whose routing or end is not in the log. */
  readonly incomplete: number;
};

export class RecordedArrivals {
  readonly #requests = new Map<string, Joined>();

  push(record: DecisionRecord): void {
    switch (record.kind) {
      case 'admitted':
        this.#joined(record.requestId).at = record.at;
        return;
      case 'routed': {
        const joined = this.#joined(record.requestId);
        joined.model = record.features.model;
        if (joined.promptTokens === 0) joined.promptTokens = record.features.estimatedTokens;
        return;
      }
      case 'settled': {
        const joined = this.#joined(record.requestId);
        joined.isSettled = true;
        joined.stream = record.stream;
        joined.firstByteMs = record.firstByteMs;
        joined.completionTokens = record.completionTokens;
        if (record.promptTokens > 0) joined.promptTokens = record.promptTokens;
        return;
      }
      default:
        return;
    }
  }

  /** Arrivals in order of time, ties by id. Requests without output are left out and counted. */
  finish(): RecordedTrace {
    const admitted = [...this.#requests].filter(([, { at }]) => at !== undefined);
    const whole = admitted.filter(([, one]) => one.isSettled && one.model !== undefined);
    whole.sort(([a, one], [b, two]) => (one.at ?? 0) - (two.at ?? 0) || (a < b ? -1 : 1));
    const originMs = whole[0]?.[1].at ?? 0;
    const answered = whole.map(([, one]) => one).filter((one) => one.completionTokens > 0);
    const recorded = answered.flatMap(({ firstByteMs }) => firstByteMs ?? []);
    return {
      format: 'decisions',
      arrivals: answered.map((one) => arrivalOf(one, originMs)),
      unsorted: 0,
      withoutOutput: whole.length - answered.length,
      incomplete: admitted.length - whole.length,
      recordedFirstByteMs: recorded.sort((a, b) => a - b),
    };
  }

  #joined(requestId: string): Joined {
    const known = this.#requests.get(requestId);
    if (known !== undefined) return known;
    const fresh: Joined = {
      at: undefined,
      model: undefined,
      promptTokens: 0,
      completionTokens: 0,
      stream: true,
      firstByteMs: undefined,
      isSettled: false,
    };
    this.#requests.set(requestId, fresh);
    return fresh;
  }
}

function arrivalOf(joined: Joined, originMs: number): Arrival {
  return {
    atUs: Math.round(((joined.at ?? originMs) - originMs) * 1000),
    promptTokens: Math.max(1, joined.promptTokens),
    outputTokens: joined.completionTokens,
    model: joined.model,
    prefixIds: [],
    stream: joined.stream,
  };
}
