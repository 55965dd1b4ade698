// How many evaluation ticks in a row were bad, or good: the burst and the streak that the mode
// moves by (platform specification, RP4, and ruling 24 of its overview). Pure; what makes a tick bad
// is told.
//
//   I1  At most one of both runs is above zero.
//   I2  A change of the mode ends the run that would undo it: an escalation the streak, stepping
//       down the burst. So a burst cannot make the mode swing to and fro.

export type TickRuns = {
  /** Bad ticks in a row. */
  readonly failureBurst: number;
  /** Good ticks in a row. */
  readonly successStreak: number;
};

/** `empty` is a tick without any outcome; it says nothing. */
export type TickVerdict = 'good' | 'bad' | 'empty';

export const noRuns: TickRuns = { failureBurst: 0, successStreak: 0 };

export function countTick(runs: TickRuns, verdict: TickVerdict): TickRuns {
  switch (verdict) {
    case 'bad':
      return { failureBurst: runs.failureBurst + 1, successStreak: 0 };
    case 'good':
      return { failureBurst: 0, successStreak: runs.successStreak + 1 };
    case 'empty':
      return runs;
  }
}

export function runsAfterEscalation(runs: TickRuns): TickRuns {
  return { ...runs, successStreak: 0 };
}

export function runsAfterDeescalation(runs: TickRuns): TickRuns {
  return { ...runs, failureBurst: 0 };
}
