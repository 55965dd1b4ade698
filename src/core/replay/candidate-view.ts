// One considered backend as every face shows it: what was read of it, what its score is made of, why it
// was not taken, and the smallest change that would have made it win. Computed once, here, so that the
// API, the command line and the dashboard print the same words.

import { type Consideration, type Stage, suggestedAction } from '../routing/decide.ts';
import type { Reading } from '../routing/decision-input.ts';
import { scoreTerms, smartScore } from '../routing/score.ts';
import type { RoutingSettings, Target } from '../routing/snapshot.ts';

/** Members as on the wire (`candidateSchema`). */
export type CandidateView = {
  readonly backend_id: string;
  /** What the policy compared, more is better; of smart 0 to 10000. Null for an excluded backend. */
  readonly score: number | null;
  readonly reason: string;
  readonly stage: Stage | null;
  readonly suggested_action: string | null;
  /** What each figure adds to the score: they sum to it. Null unless the strategy is smart. */
  readonly terms: {
    readonly priority: number;
    readonly load: number;
    readonly latency: number;
  } | null;
  readonly figures: {
    /** Requests in flight. */
    readonly pending: number;
    /** Concurrent requests; null when not known. */
    readonly capacity: number | null;
    /** Average first byte, ms; null when never measured. */
    readonly first_byte_ms: number | null;
  };
  /** Null for the chosen one, and where no change of its own figures would have done. */
  readonly would_have_won: string | null;
};

/** What the choice compares: more is better, then fewer in flight. */
type Standing = { readonly score: number; readonly pending: number };

type Figures = Pick<Reading, 'pending' | 'capacity' | 'latencyMs'> & Pick<Target, 'priority'>;

function standingOf(figures: Figures, settings: RoutingSettings): Standing {
  const { pending, priority } = figures;
  const score =
    settings.strategy === 'priority_only' ? -priority : smartScore(figures, settings.weights);
  return { score, pending };
}

function beats(a: Standing, b: Standing): boolean {
  return a.score > b.score || (a.score === b.score && a.pending < b.pending);
}

function isLevel(a: Standing, b: Standing): boolean {
  return a.score === b.score && a.pending === b.pending;
}

/** The largest whole number in [0, below) for which `holds`, which holds downwards; undefined: none. */
function largestBelow(below: number, holds: (value: number) => boolean): number | undefined {
  if (below < 1 || !holds(0)) return undefined;
  let known = 0;
  let beyond = below;
  while (beyond - known > 1) {
    const middle = Math.floor((known + beyond) / 2);
    if (holds(middle)) known = middle;
    else beyond = middle;
  }
  return known;
}

/** The changes of one figure, alone, with which these figures would have beaten `best`. */
function winningChanges(figures: Figures, best: Standing, settings: RoutingSettings): string[] {
  const wins = (change: Partial<Figures>): boolean =>
    beats(standingOf({ ...figures, ...change }, settings), best);
  const changes: string[] = [];
  const { pending, capacity, latencyMs, priority } = figures;
  const pendingMax = capacity > 0 ? Math.min(pending, capacity) : pending;
  const fewer = largestBelow(pendingMax, (value) => wins({ pending: value }));
  if (fewer !== undefined) changes.push(`with ${pending - fewer} fewer in flight`);
  // The score counts whole steps of 10 ms.
  const steps = Math.ceil(latencyMs / 10);
  const isFull = capacity > 0 && pending >= capacity;
  const quicker = isFull
    ? undefined
    : largestBelow(steps, (step) => wins({ latencyMs: step * 10 }));
  if (quicker !== undefined) changes.push(`with first byte under ${(quicker + 1) * 10} ms`);
  if (changes.length > 0 || isFull) return changes;
  const preferred = largestBelow(priority, (value) => wins({ priority: value }));
  return preferred === undefined ? [] : [`with priority ${preferred} instead of ${priority}`];
}

function figuresOf({ target, reading }: Consideration): Figures {
  const { pending, capacity, latencyMs } = reading;
  return { pending, capacity, latencyMs, priority: target.priority };
}

/** Words for a candidate that lost, or for a full one. */
function wouldHaveWon(
  item: Consideration,
  chosen: Consideration,
  scored: readonly Consideration[],
  settings: RoutingSettings,
): string | null {
  const turn = scored.indexOf(item) + 1;
  switch (settings.strategy) {
    case 'round_robin':
      return turn === 0 ? null : `at its turn, number ${turn} of ${scored.length}`;
    case 'random':
      return turn === 0 ? null : `by another draw: ${scored.length} had the same chance`;
    case 'weighted':
      return turn === 0
        ? null
        : `at its turn: it has ${item.score} of ${sumOfScores(scored)} turns`;
    case 'power_of_two':
      return turn === 0 ? null : 'by another draw, against a busier backend';
    case 'prefix_affinity':
      return turn === 0 ? null : 'for another prompt, or with fewer in flight than the others';
    case 'sticky':
      return turn === 0 ? null : 'for another session';
    case 'latency':
    case 'least_in_flight':
    case 'least_tokens':
    case 'model_affinity':
    case 'geographic':
    case 'cost':
      return turn === 0 ? null : betterScore(item, chosen);
    case 'smart':
    case 'priority_only':
      break;
  }
  const best = standingOf(figuresOf(chosen), settings);
  const own = standingOf(figuresOf(item), settings);
  if (turn > 0 && isLevel(own, best)) return 'at its turn: it was level with the chosen one';
  const changes = winningChanges(figuresOf(item), best, settings);
  return changes.length === 0 ? null : changes.join(' or ');
}

function sumOfScores(scored: readonly Consideration[]): number {
  return scored.reduce((sum, { score }) => sum + (score ?? 0), 0);
}

function betterScore({ score }: Consideration, chosen: Consideration): string {
  return score === chosen.score
    ? 'at its turn: it was level with the chosen one'
    : `with a score above ${chosen.score}`;
}

function reasonWords(item: Consideration, chosen: Consideration | undefined): string {
  if (item.stage !== undefined) return item.reason;
  if (item === chosen) return 'chosen';
  if (chosen?.score !== undefined && (item.score ?? 0) > chosen.score) return 'not drawn';
  const isLower = chosen?.score !== undefined && (item.score ?? 0) < chosen.score;
  return isLower ? 'lower score' : 'level, but not its turn';
}

/** Is it among those of which a change of its load alone could have made the choice? */
function couldHaveWon(item: Consideration): boolean {
  return item.stage === undefined || item.stage === 'capacity';
}

/**
 * The considered backends in their order. `settings` are those of the decision; without them (a
 * record that does not name them) neither terms nor winning changes are computed.
 */
export function candidateViews(
  considered: readonly Consideration[],
  chosenId: string | undefined,
  settings: RoutingSettings | undefined,
): readonly CandidateView[] {
  const scored = considered.filter((item) => item.stage === undefined);
  const chosen = scored.find((item) => item.target.id === chosenId);
  return considered.map((item) => {
    const { target, reading, stage, score } = item;
    const canWin = settings !== undefined && chosen !== undefined && item !== chosen;
    return {
      backend_id: target.id,
      score: score ?? null,
      reason: reasonWords(item, chosen),
      stage: stage ?? null,
      suggested_action: stage === undefined ? null : suggestedAction(stage, target.id),
      terms: termsOf(item, settings),
      figures: {
        pending: reading.pending,
        capacity: reading.capacity === 0 ? null : reading.capacity,
        first_byte_ms: reading.latencyMs === 0 ? null : reading.latencyMs,
      },
      would_have_won:
        canWin && couldHaveWon(item) ? wouldHaveWon(item, chosen, scored, settings) : null,
    };
  });
}

function termsOf(
  item: Consideration,
  settings: RoutingSettings | undefined,
): CandidateView['terms'] {
  if (settings?.strategy !== 'smart' || item.stage !== undefined) return null;
  const terms = scoreTerms(figuresOf(item));
  const { priority, load, latency } = settings.weights;
  return {
    priority: terms.priority * priority,
    load: terms.load * load,
    latency: terms.latency * latency,
  };
}
