// A replay for a person at a terminal: the verdict first, then what is certain, estimated and
// simulated, each under its own label. After a divergence or damage only that is shown: nothing else
// of the report is fact then.

import type { ReplayReportWire } from '../../protocol/control/trust-schemas.ts';
import { type ShapeKind, type ShapeStyle, shape } from './shapes.ts';
import { cutTo, escapeControl, shownMs } from './text.ts';

type CandidateWire = NonNullable<ReplayReportWire['candidate']>;

const changesShown = 10;
const faultsShown = 10;
const labelWidth = 11;

function verdictShape(report: ReplayReportWire): ShapeKind {
  if (report.state === 'running') return 'active';
  const isBroken = report.divergences > 0 || report.faults.length > 0;
  if (report.state === 'failed' || isBroken) return 'bad';
  return Object.keys(report.skipped).length > 0 || (report.gaps ?? []).length > 0
    ? 'attention'
    : 'ok';
}

function padded(rows: readonly (readonly string[])[], alignRight: readonly boolean[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, at) =>
        alignRight[at] === true ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** A label in the first line of its part, blanks before the others. */
function labelled(label: string, lines: readonly string[]): string[] {
  return lines.map((line, at) => (at === 0 ? label : '').padEnd(labelWidth) + line);
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value);
}

function certain(candidate: CandidateWire): string[] {
  const { shifts } = candidate;
  const sum = (side: 'recorded' | 'candidate'): number =>
    shifts.reduce((total, shift) => total + shift[side], 0);
  const row = (name: string, recorded: number, wanted: number): string[] => [
    name,
    String(recorded),
    String(wanted),
    signed(wanted - recorded),
  ];
  const table = padded(
    [
      ['BACKEND', 'NOW', 'CANDIDATE', 'SHIFT'],
      ...shifts.map((shift) => row(shift.backend_id, shift.recorded, shift.candidate)),
      row('sum', sum('recorded'), sum('candidate')),
    ],
    [false, true, true, true],
  );
  const head = `exact decision diff, ${candidate.changed} changed, candidate ${candidate.digest.slice(0, 12)}`;
  return labelled('CERTAIN', [head, ...table, ...modeMoves(candidate), ...changes(candidate)]);
}

function modeMoves({ mode_moves: moves }: CandidateWire): string[] {
  return moves
    .slice(0, changesShown)
    .map((move) => `mode at ${move.at}: was ${move.recorded}, would be ${move.candidate}`);
}

function changes({ diff, changed }: CandidateWire): string[] {
  if (diff.length === 0) return [];
  const shown = diff.slice(0, changesShown);
  const rows = shown.map((item) => [item.decision_id, item.was, item.would_be, item.because]);
  const lines = padded([['DECISION', 'WAS', 'WOULD BE', 'BECAUSE'], ...rows], []);
  const rest = changed - shown.length;
  return rest > 0 ? [...lines, `and ${rest} more; --json has the first hundred`] : lines;
}

function estimated({ estimated: slices }: CandidateWire): string[] {
  const lines = slices.map((slice) => {
    const name = `${slice.model}, ${slice.tokens} tokens`;
    if (slice.refused !== null) return `${name}: refused, ${slice.refused}`;
    const interval = `[${shownMs(slice.low_ms)}, ${shownMs(slice.high_ms)}]`;
    const mean = `${shownMs(slice.recorded_first_byte_ms)} -> ${shownMs(slice.candidate_first_byte_ms)}`;
    const size = Math.round(slice.effective_sample_size ?? 0);
    return `${name}: mean first byte ${mean} ${interval}, effective n ${size}`;
  });
  const none = lines.length === 0 ? ['no request with an outcome'] : lines;
  return labelled('ESTIMATED', ['off-policy, decisions without congestion only', ...none]);
}

function simulated(candidate: CandidateWire): string[] {
  const both = candidate.simulated;
  if (both === null) {
    return labelled('SIMULATED', [`refused: ${candidate.simulated_refused ?? 'no words'}`]);
  }
  const { recorded_policy: now, candidate: wanted, calibration_error: error } = both;
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const off = error === null ? 'not calibrated' : `± ${percent(error)} calibrated`;
  const p50 = `${shownMs(now.first_byte_p50_ms)} -> ${shownMs(wanted.first_byte_p50_ms)}`;
  const p95 = `${shownMs(now.first_byte_p95_ms)} -> ${shownMs(wanted.first_byte_p95_ms)}`;
  return labelled('SIMULATED', [
    `these requests, production code, engines fitted to the log; ${off}`,
    `first byte p50 ${p50}, p95 ${p95}`,
    `goodput ${percent(now.goodput)} -> ${percent(wanted.goodput)}, rejected ${now.rejected} -> ${wanted.rejected} of ${now.requests}`,
  ]);
}

/** The first record that differs, side by side. */
function divergence(first: NonNullable<ReplayReportWire['first_divergence']>): string[] {
  const place = `${first.segment} at byte ${first.offset}, record ${first.sequence}`;
  return [
    `first difference: decision ${first.decision_id} of ${first.at}, ${place}`,
    ...padded(
      [
        ['MEMBER', 'RECORDED', 'AGAIN'],
        [first.member, first.recorded, first.again],
      ],
      [],
    ).map((line) => `  ${line}`),
  ];
}

function faultLines(report: ReplayReportWire): string[] {
  const lines = report.faults.slice(0, faultsShown).map((fault) => {
    const byte = fault.offset === null ? '' : ` at byte ${fault.offset}`;
    const record = fault.sequence === null ? '' : `, record ${fault.sequence}`;
    const sides = `expected ${fault.expected ?? '-'}, found ${fault.found ?? '-'}`;
    return `damaged: ${fault.name}${byte}${record}: ${fault.reason}, ${sides}`;
  });
  const rest = report.faults.length - lines.length;
  return rest > 0 ? [...lines, `and ${rest} more; --json has them`] : lines;
}

function doubtLines(report: ReplayReportWire): string[] {
  const skipped = Object.entries(report.skipped).map(
    ([reason, count]) => `not decided again: ${count}, ${reason.replaceAll('_', ' ')}`,
  );
  const gaps = (report.gaps ?? [])
    .slice(0, faultsShown)
    .map((gap) => `gap in ${gap.stream} from ${gap.from} to ${gap.to}: ${gap.words}`);
  return [...skipped, ...gaps];
}

function factsLine(report: ReplayReportWire): string {
  const window = report.from === null ? 'nothing in the window' : `${report.from} to ${report.to}`;
  const rate = report.seconds > 0 ? Math.round(report.decisions / report.seconds / 1000) : 0;
  return `${window}  ${report.seconds.toFixed(1)} s, ${rate} k/s`;
}

/** The lines of a finished report, none longer than the terminal where that is known. */
export function replayLines(
  report: ReplayReportWire,
  style: ShapeStyle,
  columns = Number.POSITIVE_INFINITY,
): readonly string[] {
  const first = report.first_divergence;
  const isBroken = first !== null || report.faults.length > 0;
  const { candidate } = report;
  const tiers =
    candidate === null || isBroken || report.state !== 'done'
      ? []
      : [...certain(candidate), ...estimated(candidate), ...simulated(candidate)];
  const body = [
    factsLine(report),
    ...(first === null ? [] : divergence(first)),
    ...faultLines(report),
    ...doubtLines(report),
    ...tiers,
  ].map((line) => cutTo(escapeControl(line), columns));
  return [`${shape(verdictShape(report), style)} ${escapeControl(report.words)}`, ...body];
}

/** Do the records agree with what ran, and is the log whole? */
export function isProof(report: ReplayReportWire): boolean {
  return report.state === 'done' && report.divergences === 0 && report.faults.length === 0;
}
