// The last act of the demo: everything that was decided is decided again from the decision log, and
// beside it by one candidate policy. Nothing may differ from what ran.

import { setTimeout as delay } from 'node:timers/promises';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { type ReplayReportWire, replayReportSchema } from '../../protocol/control/trust-schemas.ts';
import { type ControlPlane, callControl } from './control-plane.ts';

/** The policy that the demo compares with: what a plain load balancer would do. */
export const candidateStrategy = 'round_robin';

/** What the demo tells of it. */
export type DecisionReplay = {
  readonly decisions: number;
  /** Requests with a decision in the log. */
  readonly requests: number;
  readonly divergences: number;
  /** Places where the log is damaged, and records that nothing could be decided from. */
  readonly faults: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly changed: number;
  readonly shifts: readonly {
    readonly backend: string;
    readonly recorded: number;
    readonly candidate: number;
  }[];
};

const replayWithinMs = 60_000;

async function started(plane: ControlPlane): Promise<ReplayReportWire> {
  const policy = { routing: { strategy: candidateStrategy } };
  return replayReportSchema.parse(await callControl(plane, '/api/v1/replays', { policy }));
}

function replayOf(report: ReplayReportWire): DecisionReplay {
  const { candidate, by_kind: kinds, skipped } = report;
  return {
    decisions: report.decisions,
    requests: (kinds['admitted'] ?? 0) + (kinds['refused'] ?? 0) + (kinds['shed'] ?? 0),
    divergences: report.divergences,
    faults: report.faults.length,
    skipped: Object.values(skipped).reduce((sum, count) => sum + count, 0),
    seconds: report.seconds,
    changed: candidate?.changed ?? 0,
    shifts: (candidate?.shifts ?? []).map(
      ({ backend_id: backend, recorded, candidate: would }) => ({
        backend,
        recorded,
        candidate: would,
      }),
    ),
  };
}

/** Throws `internal_error` when the replay fails or does not end. */
export async function replayDecisions(plane: ControlPlane): Promise<DecisionReplay> {
  const { id } = await started(plane);
  const deadlineMs = performance.now() + replayWithinMs;
  while (performance.now() < deadlineMs) {
    const report = replayReportSchema.parse(await callControl(plane, `/api/v1/replays/${id}`));
    if (report.state === 'failed') {
      throw new TensorForgeError('internal_error', `the replay failed: ${report.words}`);
    }
    if (report.state === 'done') return replayOf(report);
    await delay(100);
  }
  throw new TensorForgeError(
    'internal_error',
    `the replay did not end within ${replayWithinMs / 1000} s`,
  );
}
