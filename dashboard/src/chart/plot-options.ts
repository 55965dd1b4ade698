// How every time chart looks: colours read from the page's tokens, at most five ticks, y from 0, our
// own words on the axes so that no locale changes them. Colours are resolved here because a canvas
// knows nothing of custom properties.

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

/** Round clock values only. */
const tickSeconds = [10, 15, 30, 60, 120, 300, 600];

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
};

export function plotOptions(input: PlotInput): uPlot.Options {
  const { host, width, height, lines, formatValue } = input;
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
        range: (_plot, _min, max) => [max - windowSeconds + 1, max],
      },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      {
        ...axis,
        space: 64,
        size: 28,
        incrs: [...tickSeconds],
        values: (_plot, splits) => splits.map((at) => formatClock(at * 1000)),
      },
      { ...axis, size: 56, space: 32, values: (_plot, splits) => splits.map(formatValue) },
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
