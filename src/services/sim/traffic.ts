// Counts of inference requests by what became of them. Each request is open until it ends in
// exactly one of: finished, refused, faulted, aborted.

export class Traffic {
  requests = 0;
  withoutFirstByte = 0;
  streamsRunning = 0;
  finished = 0;
  refused = 0;
  faulted = 0;
  aborted = 0;
  streamsStarted = 0;
  streamsFinished = 0;
  streamsAborted = 0;
  streamsCut = 0;
}

export type Ending = 'finished' | 'refused' | 'faulted' | 'aborted';

/** The book entry of one request: silent -> streaming -> ended, or silent -> ended. */
export class TrafficEntry {
  readonly #traffic: Traffic;
  #state: 'silent' | 'streaming' | 'ended' = 'silent';

  constructor(traffic: Traffic) {
    this.#traffic = traffic;
    traffic.requests++;
    traffic.withoutFirstByte++;
  }

  streamStarted(): void {
    if (this.#state !== 'silent') return;
    this.#state = 'streaming';
    this.#traffic.withoutFirstByte--;
    this.#traffic.streamsRunning++;
    this.#traffic.streamsStarted++;
  }

  /** Later endings of the same request are expected (a socket closes after its answer). */
  ended(ending: Ending): void {
    if (this.#state === 'ended') return;
    this.#traffic[ending]++;
    if (this.#state === 'silent') {
      this.#traffic.withoutFirstByte--;
    } else {
      this.#traffic.streamsRunning--;
      if (ending === 'aborted') this.#traffic.streamsAborted++;
      else if (ending === 'faulted') this.#traffic.streamsCut++;
      else this.#traffic.streamsFinished++;
    }
    this.#state = 'ended';
  }
}
