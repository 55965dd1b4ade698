// A replay on the wire: certain, estimated and simulated kept apart, with the words of the first line.

import { instant, toRfc3339 } from '../../base/time.ts';
import type { PolicyBundle } from '../../config/policy-bundle.ts';
import type { SliceEstimate } from '../../core/replay/off-policy.ts';
import { verdictWords } from '../../core/replay/replay-words.ts';
import type { SimulatedFigures } from '../../core/replay/simulated-tier.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import type { ReplayReportWire } from '../../protocol/control/trust-schemas.ts';
import type { LogFault } from './log-source.ts';
import type { FolderReplay } from './replay-folder.ts';

type CandidateWire = NonNullable<ReplayReportWire['candidate']>;

export type ReportHead = {
  readonly id: string;
  readonly state: ReplayReportWire['state'];
  readonly seconds: number;
  readonly bundle: PolicyBundle | undefined;
  readonly failure?: string;
};

const movesShown = 1000;

function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : toRfc3339(instant(ms));
}

/** Milliseconds to the microsecond: more digits say nothing. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function sliceWire(slice: SliceEstimate): CandidateWire['estimated'][number] {
  const { outcome } = slice;
  const isEstimate = outcome.kind === 'estimate';
  return {
    model: slice.model,
    tokens: slice.tokens,
    decisions: slice.decisions,
    uncongested: slice.uncongested,
    refused: isEstimate ? null : outcome.words,
    effective_sample_size: isEstimate ? rounded(outcome.effectiveSampleSize) : null,
    recorded_first_byte_ms: slice.recordedMs === undefined ? null : rounded(slice.recordedMs),
    candidate_first_byte_ms: isEstimate ? rounded(outcome.candidateMs) : null,
    low_ms: isEstimate ? rounded(outcome.lowMs) : null,
    high_ms: isEstimate ? rounded(outcome.highMs) : null,
  };
}

function figuresWire(figures: SimulatedFigures) {
  const { requests, rejected, firstByteP50Ms, firstByteP95Ms, goodput } = figures;
  return {
    requests,
    rejected,
    first_byte_p50_ms: firstByteP50Ms === undefined ? null : rounded(firstByteP50Ms),
    first_byte_p95_ms: firstByteP95Ms === undefined ? null : rounded(firstByteP95Ms),
    goodput,
  };
}

function simulatedWire(replay: FolderReplay) {
  const tier = replay.simulated;
  if (tier?.kind !== 'simulated') {
    const words = tier?.words ?? 'not simulated yet';
    return { simulated: null, simulated_refused: words };
  }
  const { recordedPolicy, candidate, calibrationError } = tier;
  return {
    simulated: {
      recorded_policy: figuresWire(recordedPolicy),
      candidate: figuresWire(candidate),
      calibration_error: calibrationError ?? null,
    },
    simulated_refused: null,
  };
}

/** Nothing of a candidate is shown as fact where the log does not replay, or is damaged. */
function candidateWire(replay: FolderReplay, bundle: PolicyBundle): CandidateWire {
  const { diff, ladder, run, faultCount } = replay;
  const digest = nodeCrypto.sha256Hex(bundle.text);
  const moves = ladder?.timeline.moves() ?? [];
  if (diff === undefined || run.divergences > 0 || faultCount > 0) {
    const words = 'not told: the log does not replay whole, so it is no ground for a comparison';
    const nothing = { changed: 0, shifts: [], diff: [], mode_moves: [], estimated: [] };
    return { digest, ...nothing, simulated: null, simulated_refused: words };
  }
  return {
    digest,
    changed: diff.changed,
    shifts: diff.shifts().map(({ to, recorded, candidate }) => ({
      backend_id: to,
      recorded,
      candidate,
    })),
    diff: diff.changes.map((change) => ({
      decision_id: change.decisionId,
      at: toRfc3339(instant(change.at)),
      model: change.model,
      was: change.was,
      would_be: change.wouldBe,
      because: change.because,
    })),
    mode_moves: moves.slice(0, movesShown).map(({ at, recorded, candidate }) => ({
      at: toRfc3339(instant(at)),
      recorded,
      candidate,
    })),
    estimated: diff.estimate.slices().map(sliceWire),
    ...simulatedWire(replay),
  };
}

function faultWire({ where, name, sequence, offset, reason, expected, found }: LogFault) {
  return { where, name, sequence, offset, reason, expected, found };
}

function headWords(replay: FolderReplay, head: ReportHead): string {
  if (head.state === 'failed') return `The replay failed: ${head.failure ?? 'it was stopped'}.`;
  const { run, diff } = replay;
  const verdict = {
    decisions: run.decisions,
    divergences: run.divergences,
    skipped: Object.values(run.skipped()).reduce((sum, count) => sum + count, 0),
    faults: replay.faultCount,
    gaps: run.gaps.length,
    changed: head.state === 'done' ? diff?.changed : undefined,
  };
  const words = verdictWords(verdict);
  return head.state === 'done' ? words : `Running: ${words}`;
}

/** The report as it stands; while it runs it has counts and no verdict on the candidate. */
export function replayReport(replay: FolderReplay, head: ReportHead): ReplayReportWire {
  const { run } = replay;
  const first = run.firstDivergence;
  const isDone = head.state === 'done';
  return {
    id: head.id,
    state: head.state,
    words: headWords(replay, head),
    from: timeOf(run.fromMs),
    to: timeOf(run.toMs),
    seconds: head.seconds,
    decisions: run.decisions,
    by_kind: { ...run.byKind() },
    skipped: { ...run.skipped() },
    divergences: run.divergences,
    first_divergence:
      first === undefined
        ? null
        : {
            decision_id: first.decisionId,
            at: toRfc3339(instant(first.at)),
            segment: first.segment,
            offset: first.offset,
            sequence: first.sequence,
            member: first.member,
            recorded: first.recorded,
            again: first.again,
          },
    gaps: run.gaps.map(({ stream, fromMs, toMs, words }) => ({
      stream,
      from: toRfc3339(instant(fromMs)),
      to: toRfc3339(instant(toMs)),
      words,
    })),
    progress: replay.progress,
    failure: head.failure ?? null,
    faults: replay.faults.map(faultWire),
    candidate: isDone && head.bundle !== undefined ? candidateWire(replay, head.bundle) : null,
  };
}
