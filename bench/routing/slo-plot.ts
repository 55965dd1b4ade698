// The share of requests that each policy serves well at three loads, as one SVG file: a row for each
// policy, three marks on it. Drawn by hand, so that the same figures give the same bytes.
import { escaped } from '../../src/services/simulation/plot-marks.ts';

export type SloRow = {
  readonly name: string;
  /** Shares from 0 to 1, in the order of the loads. */
  readonly shares: readonly number[];
};

export type SloPanel = { readonly title: string; readonly rows: readonly SloRow[] };

const panelWidth = 440;
const left = 130;
const right = panelWidth - 20;
const rowHeight = 20;
const top = 50;
const colours = ['#1a7f5a', '#c98a00', '#b3372f'] as const;

function xOf(share: number): number {
  return left + (right - left) * share;
}

function mark(share: number, y: number, at: number): string {
  const fill = at === 0 ? colours[0] : 'none';
  const colour = colours[at] ?? colours[2];
  return `<circle cx="${xOf(share).toFixed(1)}" cy="${y}" r="${4 + at}" fill="${fill}" stroke="${colour}" stroke-width="2"/>`;
}

function row({ name, shares }: SloRow, index: number): string {
  const y = top + index * rowHeight;
  const marks = shares.map((share, at) => mark(share, y, at)).join('');
  const line = `<line x1="${left}" x2="${right}" y1="${y}" y2="${y}" stroke="#ddd"/>`;
  return `${line}<text x="${left - 8}" y="${y + 4}" text-anchor="end">${escaped(name)}</text>${marks}`;
}

function panel({ title, rows }: SloPanel, index: number): string {
  const bottom = top + rows.length * rowHeight;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const x = xOf(share).toFixed(1);
    return `<line x1="${x}" x2="${x}" y1="${top - 12}" y2="${bottom - 8}" stroke="#eee"/><text x="${x}" y="${bottom + 8}" text-anchor="middle">${share * 100} %</text>`;
  });
  const heading = `<text x="${left}" y="20" font-weight="bold">${escaped(title)}</text>`;
  return `<g transform="translate(${index * panelWidth} 0)">${heading}${ticks.join('')}${rows.map(row).join('')}</g>`;
}

/** `loads` are the words of the legend, one for each mark of a row, at most three. */
export function sloPlot(panels: readonly SloPanel[], loads: readonly string[]): string {
  const rows = Math.max(...panels.map((one) => one.rows.length));
  const width = panels.length * panelWidth;
  const height = top + rows * rowHeight + 50;
  const legend = loads.map(
    (words, at) =>
      `<g transform="translate(${left - xOf(0) + at * 150} 0)">${mark(0, height - 14, at)}<text x="${xOf(0) + 12}" y="${height - 10}">${escaped(words)}</text></g>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...panels.map(panel),
    ...legend,
    '</svg>',
    '',
  ].join('\n');
}
