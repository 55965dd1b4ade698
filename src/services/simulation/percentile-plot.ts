// Which candidate answers sooner, and for how many requests: one curve of percentiles, p50 to
// p99.9, per candidate. The x axis gives the tail its room: equal steps for 50, 90, 99 and 99.9 per
// cent.

import type { SimulatedCandidateWire } from '../../protocol/simulation/report.ts';
import { escaped, linearScale, logScale, type Scale, shownMs } from './plot-marks.ts';

const width = 720;
const height = 320;
const left = 64;
const right = width - 120;
const top = 16;
const bottom = height - 44;
const tickPercents = [50, 75, 90, 95, 99, 99.5, 99.9];

/** Dash of a series beside its colour, so that it reads without colour. */
export const dashes = ['', '7 4', '2 4', '10 4 2 4', '4 2', '1 3'] as const;

function xOf(percent: number): number {
  const nines = (value: number): number => -Math.log10(1 - value / 100);
  return left + ((right - left) * (nines(percent) - nines(50))) / (nines(99.9) - nines(50));
}

function yScale(candidates: readonly SimulatedCandidateWire[]): Scale {
  const values = candidates.flatMap(({ curve }) => curve.map(({ ttft_ms: ms }) => ms));
  const largest = Math.max(1, ...values);
  const median = Math.max(0.001, Math.min(...values));
  // Logarithmic when the tail is ten times the median.
  const isWide = largest > 10 * median;
  return isWide ? logScale(median, largest, bottom, top) : linearScale(largest, bottom, top);
}

/** The figure as one SVG element; empty text when no candidate answered anything. */
export function percentilePlot(candidates: readonly SimulatedCandidateWire[]): string {
  const drawn = candidates.filter(({ curve }) => curve.length > 0);
  if (drawn.length === 0) return '';
  const y = yScale(drawn);
  const words = drawn
    .map(
      ({ name, ttft_ms: ms }) =>
        `${name}: p50 ${shownMs(ms?.p50 ?? null)}, p95 ${shownMs(ms?.p95 ?? null)}`,
    )
    .join('; ');
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="curve-t curve-d">`,
    `<title id="curve-t">Time to first token by percentile</title>`,
    `<desc id="curve-d">${escaped(words)}</desc>`,
    grid(y),
    ...drawn.map((candidate, index) => line(candidate, index, y)),
    ...labels(drawn, y),
    `</svg>`,
  ].join('\n');
}

function grid(y: Scale): string {
  const rows = y.ticks.map((tick) => {
    const at = y.at(tick).toFixed(1);
    return `<line class="grid" x1="${left}" x2="${right}" y1="${at}" y2="${at}"/><text class="tick" x="${left - 8}" y="${at}" dy="4" text-anchor="end">${shownMs(tick)}</text>`;
  });
  const columns = tickPercents.map((percent) => {
    const at = xOf(percent).toFixed(1);
    return `<line class="grid" x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 4}"/><text class="tick" x="${at}" y="${bottom + 18}" text-anchor="middle">p${percent}</text>`;
  });
  const axis = `<text class="tick" x="${(left + right) / 2}" y="${height - 6}" text-anchor="middle">percentile of the answered requests</text>`;
  return [...rows, ...columns, axis].join('\n');
}

function line(candidate: SimulatedCandidateWire, index: number, y: Scale): string {
  const points = candidate.curve
    .map(({ percent, ttft_ms: ms }) => `${xOf(percent).toFixed(1)},${y.at(ms).toFixed(1)}`)
    .join(' ');
  const dash = dashes[index % dashes.length];
  return `<polyline class="series s${(index % dashes.length) + 1}" stroke-dasharray="${dash}" points="${points}"/>`;
}

/** Names at the line ends, moved apart where they would lie on each other. */
function labels(candidates: readonly SimulatedCandidateWire[], y: Scale): string[] {
  const ends = candidates
    .map((candidate, index) => ({
      candidate,
      index,
      at: y.at(candidate.curve.at(-1)?.ttft_ms ?? 0),
    }))
    .sort((a, b) => a.at - b.at);
  let above = Number.NEGATIVE_INFINITY;
  return ends.map(({ candidate, index, at }) => {
    above = Math.max(at, above + 16);
    const name = candidate.name.length > 15 ? `${candidate.name.slice(0, 14)}…` : candidate.name;
    return `<text class="label s${(index % dashes.length) + 1}" x="${right + 8}" y="${above.toFixed(1)}" dy="4">${escaped(name)}</text>`;
  });
}
