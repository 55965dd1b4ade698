// How every time chart looks: colours read from the page's tokens, at most five ticks, y from 0 or
// logarithmic with lines at the values that matter, our own words on the axes so that no locale
// changes them. Colours are resolved here because a canvas knows nothing of custom properties.

import type uPlot from 'uplot';
import { formatClock } from '../format/time.ts';
import { windowSeconds } from './traffic.ts';

export type LineStyle = {
  readonly label: string;
  /** A colour token, as `--s1`. */
  readonly token: string;
  /** Dash pattern in px; empty for a full line. */
  readonly dash: readonly number[];
};

/** A logarithmic y axis: it starts at `floor`, and has a line and a tick at each of `lines`. */
export type LogScale = { readonly floor: number; readonly lines: readonly number[] };

export type PlotShape = {
  /** Seconds from the left edge to the newest point. */
  readonly windowSeconds: number;
  /** Undefined for a linear axis from 0. */
  readonly log: LogScale | undefined;
};

/** The last five minutes, linear from 0. Charts that name no shape have this one. */
export const fiveMinutes: PlotShape = { windowSeconds, log: undefined };

/** Round clock values only. */
const tickSeconds = [10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10_800, 21_600];

const ticksMax = 5;

/** Seconds are noise on an axis of hours. */
function clockOf(atSeconds: number, shape: PlotShape): string {
  const clock = formatClock(atSeconds * 1000);
  return shape.windowSeconds < 3600 ? clock : clock.slice(0, 5);
}

/** The colour that a token has on this element now. */
function colourOf(element: HTMLElement, token: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${token})`;
  element.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

export type PlotInput = {
  readonly host: HTMLElement;
  readonly width: number;
  readonly height: number;
  readonly lines: readonly LineStyle[];
  readonly formatValue: (value: number) => string;
  readonly shape: PlotShape;
};

function yScale({ log }: PlotShape): uPlot.Scale {
  if (log === undefined) return { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] };
  const top = Math.max(...log.lines, log.floor * 10);
  return {
    distr: 3,
    range: (_plot, _min, max) => [log.floor, Math.max(top, Number.isFinite(max) ? max : 0) * 1.4],
  };
}

/** Ticks of a logarithmic axis stand at its lines, which are drawn to be seen. */
function yAxis({ log }: PlotShape, stroke: string): Pick<uPlot.Axis, 'splits' | 'grid' | 'filter'> {
  if (log === undefined) return {};
  return {
    splits: () => [...log.lines].reverse(),
    // Otherwise uPlot leaves out what is no power of ten.
    filter: (_plot, splits) => splits,
    grid: { stroke, width: 1, dash: [6, 4] },
  };
}

export function plotOptions(input: PlotInput): uPlot.Options {
  const { host, width, height, lines, formatValue, shape } = input;
  const muted = colourOf(host, '--muted');
  const grid = { stroke: colourOf(host, '--line'), width: 1 };
  const font = `12px ${getComputedStyle(host).fontFamily}`;
  const axis = { stroke: muted, grid, ticks: { show: false }, font };
  return {
    width,
    height,
    legend: { show: false },
    padding: [12, 32, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { show: true } },
    scales: {
      x: {
        time: true,
        range: (_plot, _min, max) => [max - shape.windowSeconds + 1, max],
      },
      y: yScale(shape),
    },
    axes: [
      {
        ...axis,
        space: (_plot, _axis, _min, _max, widthPx) => Math.max(64, widthPx / ticksMax),
        size: 28,
        incrs: [...tickSeconds],
        values: (_plot, splits) => splits.map((at) => clockOf(at, shape)),
      },
      {
        ...axis,
        ...yAxis(shape, colourOf(host, '--control')),
        size: 56,
        space: 32,
        values: (_plot, splits) => splits.map(formatValue),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, token, dash }) => ({
        label,
        stroke: colourOf(host, token),
        width: 1.5,
        dash: [...dash],
        points: { show: false },
        spanGaps: false,
      })),
    ],
  };
}
