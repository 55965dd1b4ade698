// The first line of a replay: what was decided again and what came of it, said the same everywhere.

const groupedDigits = /\B(?=(\d{3})+$)/g;

/** `412 880`: thousands apart by a space, which reads in any font. */
export function grouped(count: number): string {
  return String(count).replace(groupedDigits, ' ');
}

function shareWords(part: number, whole: number): string {
  return whole === 0 ? '0 %' : `${((part / whole) * 100).toFixed(1)} %`;
}

export type ReplayVerdict = {
  readonly decisions: number;
  readonly divergences: number;
  /** Records from which nothing could be decided. */
  readonly skipped: number;
  /** Damaged places. */
  readonly faults: number;
  readonly gaps: number;
  /** Decisions that the candidate would change; undefined without one. */
  readonly changed: number | undefined;
};

/** One or two sentences; damage and doubt come before everything that is fine. */
export function verdictWords(verdict: ReplayVerdict): string {
  const { decisions, divergences, skipped, faults, gaps, changed } = verdict;
  const count = decisions === 1 ? '1 decision' : `${grouped(decisions)} decisions`;
  const parts: string[] = [];
  if (divergences > 0) {
    const verb = divergences === 1 ? 'differs' : 'differ';
    parts.push(`${count} replayed, ${grouped(divergences)} ${verb} from what ran.`);
  } else parts.push(`${count} replayed, 0 differ from what ran.`);
  if (faults > 0) {
    const places = faults === 1 ? '1 place' : `${grouped(faults)} places`;
    parts.push(`The log is damaged in ${places}: this is no proof.`);
  }
  if (skipped > 0) parts.push(`${grouped(skipped)} could not be decided again.`);
  if (gaps > 0) parts.push(`Incomplete: ${gaps === 1 ? '1 gap' : `${gaps} gaps`} in the log.`);
  // What a candidate would have done is no fact while the log itself is in doubt.
  if (changed !== undefined && divergences === 0 && faults === 0) {
    const share = shareWords(changed, decisions);
    parts.push(`The candidate would change ${grouped(changed)} (${share}).`);
  }
  return parts.join(' ');
}
