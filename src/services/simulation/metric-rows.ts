// How far candidates lie apart in each figure: one panel per metric, one row per candidate, all on
// one scale. A spread is a dot at p95 in an interval from p50 to p99; a single figure is a dot. The
// number stands beside it, and no candidate is coloured as the best.

import type { SimulatedCandidateWire } from '../../protocol/simulation/report.ts';
import {
  escaped,
  linearScale,
  type Scale,
  shownMs,
  shownNumber,
  shownShare,
} from './plot-marks.ts';

const width = 720;
const left = 130;
const right = 560;
const rowHeight = 24;
const axisHeight = 26;

type Mark = { readonly low: number; readonly dot: number; readonly high: number };

type Panel = {
  readonly title: string;
  readonly markOf: (candidate: SimulatedCandidateWire) => Mark | undefined;
  readonly shown: (value: number) => string;
  /** Right end of the scale where it is known beforehand. */
  readonly end?: number;
};

type Spread = { readonly p50: number; readonly p95: number; readonly p99: number } | null;

function spread(figures: Spread): Mark | undefined {
  return figures === null ? undefined : { low: figures.p50, dot: figures.p95, high: figures.p99 };
}

function single(value: number | null): Mark | undefined {
  return value === null ? undefined : { low: value, dot: value, high: value };
}

const panels: readonly Panel[] = [
  {
    title: 'Time to first token: p95, interval p50 to p99',
    markOf: (each) => spread(each.ttft_ms),
    shown: shownMs,
  },
  {
    title: 'Whole request: p95, interval p50 to p99',
    markOf: (each) => spread(each.total_ms),
    shown: shownMs,
  },
  {
    title: 'Goodput, share of all offered requests',
    markOf: (each) => single(each.goodput),
    shown: shownShare,
    end: 1,
  },
  {
    title: 'Service level met, share of the answered requests',
    markOf: (each) => single(each.slo_attainment),
    shown: shownShare,
    end: 1,
  },
  {
    title: 'Price of a million output tokens',
    markOf: (each) => single(each.price_per_million_output_tokens),
    shown: shownNumber,
  },
];

/** A figure per metric, each with a heading of its own. */
export function metricRows(candidates: readonly SimulatedCandidateWire[]): string {
  return panels.map((panel, index) => panelOf(panel, index, candidates)).join('\n');
}

function panelOf(
  panel: Panel,
  number: number,
  candidates: readonly SimulatedCandidateWire[],
): string {
  const marks = candidates.map(panel.markOf);
  const largest = panel.end ?? Math.max(0, ...marks.map((mark) => mark?.high ?? 0));
  if (largest === 0) return '';
  const x = linearScale(largest, left, right);
  const height = candidates.length * rowHeight + axisHeight;
  const words = candidates
    .map((each, index) => `${each.name} ${wordsOf(panel, marks[index])}`)
    .join('; ');
  return [
    `<h3>${escaped(panel.title)}</h3>`,
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="m${number}-t">`,
    `<title id="m${number}-t">${escaped(`${panel.title}. ${words}`)}</title>`,
    ...x.ticks.map((tick) => tickOf(tick, x, height, panel)),
    ...candidates.map((each, index) => rowOf(each, marks[index], index, x, panel)),
    '</svg>',
  ].join('\n');
}

function wordsOf(panel: Panel, mark: Mark | undefined): string {
  return mark === undefined ? 'without an answer' : panel.shown(mark.dot);
}

function tickOf(tick: number, x: Scale, height: number, panel: Panel): string {
  const at = x.at(tick).toFixed(1);
  const bottom = height - axisHeight + 4;
  return `<line class="grid" x1="${at}" x2="${at}" y1="0" y2="${bottom}"/><text class="tick" x="${at}" y="${bottom + 14}" text-anchor="middle">${escaped(panel.shown(tick))}</text>`;
}

function rowOf(
  candidate: SimulatedCandidateWire,
  mark: Mark | undefined,
  index: number,
  x: Scale,
  panel: Panel,
): string {
  const y = index * rowHeight + rowHeight / 2;
  const name = candidate.name.length > 16 ? `${candidate.name.slice(0, 15)}…` : candidate.name;
  const label = `<text class="name" x="${left - 10}" y="${y}" dy="4" text-anchor="end">${escaped(name)}</text>`;
  const value = `<text class="value" x="${right + 12}" y="${y}" dy="4">${escaped(wordsOf(panel, mark))}</text>`;
  if (mark === undefined) return label + value;
  const interval =
    mark.low === mark.high
      ? ''
      : `<line class="interval" x1="${x.at(mark.low).toFixed(1)}" x2="${x.at(mark.high).toFixed(1)}" y1="${y}" y2="${y}"/>`;
  return `${label}${interval}<circle class="dot" cx="${x.at(mark.dot).toFixed(1)}" cy="${y}" r="4.5"/>${value}`;
}
