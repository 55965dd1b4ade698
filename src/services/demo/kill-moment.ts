// When to kill. The moment must be one that hurts: at least three streams are running on the engine
// and at least three of its requests have not had a first byte. And it must be one that can be
// counted: the engine and the client agree on how many of its streams are open, so no first or last
// chunk is under way between them.

import type { Outcome } from './outcome.ts';

/** The least number of streams running, and of requests without a first byte. */
export const leastAtKill = 3;

export type KillView = {
  /** What the engine said of itself a moment ago. */
  readonly engineStreams: number;
  readonly engineSilent: number;
  /** Its streams that have reached the client and are open there now. */
  readonly clientStreams: number;
  /** How long the asking took: what the engine said may be as old as that, ms. */
  readonly lookedMs: number;
};

/** An answer older than this says nothing about now, ms. */
const freshMs = 200;

export type KillVerdict =
  | { readonly kind: 'kill' }
  | { readonly kind: 'wait'; readonly words: string };

export function killVerdict(view: KillView): KillVerdict {
  const { engineStreams, engineSilent, clientStreams, lookedMs } = view;
  const wait = (words: string): KillVerdict => ({ kind: 'wait', words });
  if (engineStreams < leastAtKill) return wait(`${engineStreams} streams of ${leastAtKill}`);
  if (engineSilent < leastAtKill) {
    return wait(`${engineSilent} requests without a first byte of ${leastAtKill}`);
  }
  if (clientStreams !== engineStreams) {
    return wait(`the engine counts ${engineStreams} streams, the client ${clientStreams}`);
  }
  if (lookedMs > freshMs) return wait(`the answer took ${Math.round(lookedMs)} ms`);
  return { kind: 'kill' };
}

export type Kill = {
  readonly engine: string;
  /** On the clock of the load, ms. */
  readonly atMs: number;
  readonly engineStreams: number;
  readonly engineSilent: number;
  /** Indices of the requests whose streams from it were open at the client. */
  readonly clientStreams: readonly number[];
  /** How long the engine's last answer took; it was killed in the tick in which that came, ms. */
  readonly lookedMs: number;
  /** Requests that were added to the load so that the moment came. */
  readonly addedRequests: number;
};

/** How the streams of the killed engine ended. */
export type CutCount = {
  /** Ended in one error event and [DONE]. */
  readonly cut: number;
  /** Open at the client when the signal was sent. */
  readonly openAtKill: number;
  /** Of those, whole: their last bytes had left the engine. */
  readonly finishedUnderWay: number;
  /** Cut, though not open yet: their first bytes had left the engine. */
  readonly begunUnderWay: number;
  /** Streams that ran there at the kill: open, less finished, plus begun under way. */
  readonly ranThere: number;
  /** Cut streams of other engines, which nobody killed. */
  readonly cutElsewhere: number;
  readonly matches: boolean;
};

/** Bytes of a dead engine are no longer under way after this, ms. */
const underWayMs = 1000;

export function countCut(kill: Kill, outcomes: readonly Outcome[]): CutCount {
  const open = new Set(kill.clientStreams);
  const isSoon = (atMs: number | undefined): boolean =>
    atMs !== undefined && atMs <= kill.atMs + underWayMs;
  const cuts = outcomes.filter((outcome) => outcome.kind === 'cut');
  const here = cuts.filter((outcome) => outcome.backend === kill.engine);
  const finished = outcomes.filter(
    ({ index, kind, endedMs }) => open.has(index) && kind === 'ok' && isSoon(endedMs),
  );
  const begun = here.filter(
    ({ index, firstContentMs }) =>
      !open.has(index) && (firstContentMs ?? 0) >= kill.atMs && isSoon(firstContentMs),
  );
  const ranThere = open.size - finished.length + begun.length;
  return {
    cut: cuts.length,
    openAtKill: open.size,
    finishedUnderWay: finished.length,
    begunUnderWay: begun.length,
    ranThere,
    cutElsewhere: cuts.length - here.length,
    matches: cuts.length === ranThere && here.length === cuts.length,
  };
}
