// The plot of a simulation as one file that needs nothing else: no network, no script, light and
// dark by the reader's own setting. What the drawings say stands in words above and in a table
// below.

import { basename } from 'node:path';
import type { SimulatedCandidateWire, SimulationReport } from '../../protocol/simulation/report.ts';
import { metricRows } from './metric-rows.ts';
import { percentilePlot } from './percentile-plot.ts';
import { escaped, shownCount, shownMs, shownNumber, shownShare } from './plot-marks.ts';

const style = `
:root{color-scheme:light dark;--bg:#ffffff;--surface:#f6f7f9;--line:#d5d9e0;--text:#16191f;--muted:#545c69;
--s1:#2f7df0;--s2:#8a3b00;--s3:#00564d;--s4:#4f1a78;--s5:#a08a00;--s6:#d0609a}
@media (prefers-color-scheme:dark){:root{--bg:#0f1216;--surface:#161a20;--line:#2c333d;--text:#e8ebf0;
--muted:#a2abb8;--s1:#8fb0ff;--s2:#ff9a3c;--s3:#2ee6cd;--s4:#a45fe0;--s5:#f6eaa0;--s6:#d9486b}}
body{margin:0 auto;max-width:960px;padding:24px;background:var(--bg);color:var(--text);
font:14px/20px ui-sans-serif,system-ui,sans-serif}
h1{font-size:20px;line-height:28px}h2{font-size:16px;line-height:24px;margin-top:32px}
h3{font-size:13px;margin:16px 0 4px}p,li{max-width:72ch}.muted{color:var(--muted)}
svg{display:block;width:100%;max-width:720px;height:auto}svg text{font-size:12px;fill:var(--text)}
svg .tick{fill:var(--muted)}.grid{stroke:var(--line)}.series{fill:none;stroke-width:2}
.interval{stroke:var(--muted);stroke-width:2}.dot{fill:var(--s1)}
.series.s1{stroke:var(--s1)}.series.s2{stroke:var(--s2)}.series.s3{stroke:var(--s3)}
.series.s4{stroke:var(--s4)}.series.s5{stroke:var(--s5)}.series.s6{stroke:var(--s6)}
.box{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:6px 10px;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}thead th{background:var(--surface)}
caption{text-align:left;color:var(--muted);padding:4px 0}`;

/** The whole page; the same report gives the same bytes. */
export function plotPage(report: SimulationReport): string {
  const { candidates, trace, fleet } = report;
  const title = `Simulated: ${basename(trace.file)} on ${basename(fleet.file)}`;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${escaped(title)}</title><style>${style}</style></head><body><main>`,
    `<h1>${escaped(title)}</h1>`,
    `<p>${escaped(summaryOf(report))}</p>`,
    '<h2>Time to first token</h2>',
    `<figure class="box" style="margin:0">${percentilePlot(candidates)}</figure>`,
    `<p class="muted">${escaped(sourceOf(report))}</p>`,
    '<h2>Figure by figure</h2>',
    metricRows(candidates),
    '<h2>All figures</h2>',
    `<div class="box">${candidateTable(candidates)}</div>`,
    '<h2>Backends</h2>',
    ...candidates.map((each) => `<div class="box">${backendTable(each)}</div>`),
    '<h2>What to know</h2>',
    `<ul>${report.notes.map((note) => `<li>${escaped(note)}</li>`).join('')}</ul>`,
    '</main></body></html>\n',
  ].join('\n');
}

function summaryOf({ trace, fleet, candidates, slo }: SimulationReport): string {
  const each = candidates
    .map(
      ({ name, ttft_ms: ms, goodput }) =>
        `${name}: p95 first token ${shownMs(ms?.p95 ?? null)}, goodput ${shownShare(goodput)}`,
    )
    .join('; ');
  const level = `first token within ${shownMs(slo.ttft_ms)} and ${shownMs(slo.tpot_ms)} per further token`;
  return `${shownCount(trace.requests)} requests over ${shownMs(trace.seconds * 1000)}, ${fleet.engines} engines. ${each}. Served well means ${level}; what was refused counts as failed.`;
}

function sourceOf({ trace, seed, speed, rate_scale: rate }: SimulationReport): string {
  return `Source: exact over n = ${shownCount(trace.requests)} simulated requests; trace at speed ${speed} and rate ${rate}, seed ${seed}.`;
}

type Column = readonly [title: string, shown: (each: SimulatedCandidateWire) => string];

const columns: readonly Column[] = [
  ['Policy', (each) => each.name],
  ['Strategy', (each) => each.strategy],
  ['Requests', (each) => shownCount(each.requests)],
  ['Rejected', (each) => shownCount(each.rejected)],
  ['TTFT p50', (each) => shownMs(each.ttft_ms?.p50 ?? null)],
  ['p95', (each) => shownMs(each.ttft_ms?.p95 ?? null)],
  ['p99', (each) => shownMs(each.ttft_ms?.p99 ?? null)],
  ['Total p50', (each) => shownMs(each.total_ms?.p50 ?? null)],
  ['p95', (each) => shownMs(each.total_ms?.p95 ?? null)],
  ['p99', (each) => shownMs(each.total_ms?.p99 ?? null)],
  ['Between tokens p99', (each) => shownMs(each.inter_token_p99_ms)],
  ['Goodput', (each) => shownShare(each.goodput)],
  ['SLO met', (each) => shownShare(each.slo_attainment)],
  ['Tokens/s', (each) => shownNumber(each.tokens_per_second)],
  ['Price/h', (each) => shownNumber(each.price_per_hour)],
  ['Price/1M tokens', (each) => priceOf(each)],
];

function priceOf({ price_per_million_output_tokens: price }: SimulatedCandidateWire): string {
  return price === null ? '–' : shownNumber(price);
}

function candidateTable(candidates: readonly SimulatedCandidateWire[]): string {
  const head = columns.map(([title]) => `<th scope="col">${escaped(title)}</th>`).join('');
  const rows = candidates.map(
    (each) => `<tr>${columns.map(([, shown]) => `<td>${escaped(shown(each))}</td>`).join('')}</tr>`,
  );
  return `<table><caption>Simulated figures of each policy</caption><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

const backendTitles = [
  'Backend',
  'Requests',
  'Share',
  'Busy',
  'Batch',
  'KV mean',
  'KV peak',
  'Waiting mean',
  'Tokens/s',
  'Prefix cached',
];

function backendTable({ name, backends }: SimulatedCandidateWire): string {
  const head = backendTitles.map((title) => `<th scope="col">${title}</th>`).join('');
  const rows = backends.map((each) => {
    const cells = [
      each.name,
      shownCount(each.requests),
      shownShare(each.share),
      shownShare(each.busy),
      shownShare(each.batch_occupancy),
      shownShare(each.kv_mean),
      shownShare(each.kv_peak),
      shownNumber(each.waiting_mean),
      shownNumber(each.tokens_per_second),
      shownShare(each.prefix_cached),
    ];
    return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
  });
  return `<table><caption>Under the policy ${escaped(name)}</caption><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}
