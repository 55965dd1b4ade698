// `simulate`: what a fleet would do under a trace, one row per policy. The work is an action,
// because engines and decisions are above this layer; here are flags, and the report as this reader
// wants it.

import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { commaList } from '../../base/text-list.ts';
import type {
  SimulatedCandidateWire,
  SimulatedEngineWire,
  SimulationReport,
} from '../../protocol/simulation/report.ts';
import type { SimulateRequest } from '../../protocol/simulation/request.ts';
import { describe, positiveNumber, runs, type Surroundings, wholeNumber } from '../command.ts';
import type { Context } from '../context.ts';
import { usageFailure } from '../failure.ts';
import { type Column, printListing } from '../output/table.ts';
import { escapeControl, shownMs } from '../output/text.ts';

const largestSeed = 0xffff_ffff;
/** The policy without a file. */
const defaultsWord = 'defaults';

type SimulateFlags = {
  readonly fleet?: string;
  readonly trace?: string;
  readonly policy?: string;
  readonly plot?: string;
  readonly speed: number;
  readonly rateScale: number;
  readonly limit?: number;
  readonly warmUp: number;
  readonly model?: string;
  readonly seed: number;
};

/** `1.1` or `110%`. */
function loadFactor(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const value = found === null ? Number.NaN : Number(found[1]) / (found[2] === '%' ? 100 : 1);
  if (value > 0 && value <= 1000) return value;
  throw new InvalidArgumentError('Expected a factor such as 1.1, or 110%; above 0, at most 1000.');
}

function requestOf(flags: SimulateFlags): SimulateRequest {
  const missing = (['fleet', 'trace'] as const).filter((name) => (flags[name] ?? '') === '');
  if (missing.length > 0) {
    const words = missing.map((name) => `--${name} FILE`).join(' and ');
    throw usageFailure(`simulate needs ${words}`, 'tensorforge simulate --help has two examples');
  }
  const policies = commaList(flags.policy ?? '');
  return {
    fleet: resolve(flags.fleet ?? ''),
    trace: resolve(flags.trace ?? ''),
    policies: policies.map((file) => (file === defaultsWord ? file : resolve(file))),
    plot: flags.plot === undefined ? undefined : resolve(flags.plot),
    speed: flags.speed,
    rateScale: flags.rateScale,
    limit: flags.limit,
    warmUpSeconds: flags.warmUp,
    model: flags.model,
    seed: flags.seed,
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

const columns: readonly Column<SimulatedCandidateWire>[] = [
  { title: 'POLICY', name: 'policy', shown: (row) => row.name },
  {
    title: 'TTFT p50',
    name: 'ttft_p50_ms',
    shown: (row) => shownMs(row.ttft_ms?.p50 ?? null),
    raw: (row) => row.ttft_ms?.p50 ?? null,
    alignRight: true,
  },
  {
    title: 'p95',
    name: 'ttft_p95_ms',
    shown: (row) => shownMs(row.ttft_ms?.p95 ?? null),
    raw: (row) => row.ttft_ms?.p95 ?? null,
    alignRight: true,
  },
  {
    title: 'p99',
    name: 'ttft_p99_ms',
    shown: (row) => shownMs(row.ttft_ms?.p99 ?? null),
    raw: (row) => row.ttft_ms?.p99 ?? null,
    alignRight: true,
  },
  {
    title: 'TOTAL p95',
    name: 'total_p95_ms',
    shown: (row) => shownMs(row.total_ms?.p95 ?? null),
    raw: (row) => row.total_ms?.p95 ?? null,
    alignRight: true,
    isSpare: true,
  },
  {
    title: 'TOKEN GAP p99',
    name: 'inter_token_p99_ms',
    shown: (row) => shownMs(row.inter_token_p99_ms),
    raw: (row) => row.inter_token_p99_ms,
    alignRight: true,
    isSpare: true,
  },
  {
    title: 'GOODPUT',
    name: 'goodput',
    shown: (row) => percent(row.goodput),
    raw: (row) => row.goodput,
    alignRight: true,
  },
  {
    title: 'SLO',
    name: 'slo_attainment',
    shown: (row) => percent(row.slo_attainment),
    raw: (row) => row.slo_attainment,
    alignRight: true,
  },
  {
    title: 'REJECTED',
    name: 'rejected',
    shown: (row) => String(row.rejected),
    alignRight: true,
  },
  {
    title: 'TOK/S',
    name: 'tokens_per_second',
    shown: (row) => row.tokens_per_second.toFixed(0),
    raw: (row) => row.tokens_per_second,
    alignRight: true,
    isSpare: true,
  },
  {
    title: 'PRICE/H',
    name: 'price_per_hour',
    shown: (row) => row.price_per_hour.toFixed(2),
    raw: (row) => row.price_per_hour,
    alignRight: true,
  },
  {
    title: 'PRICE/1M',
    name: 'price_per_million_output_tokens',
    shown: (row) => row.price_per_million_output_tokens?.toFixed(2) ?? '-',
    raw: (row) => row.price_per_million_output_tokens,
    alignRight: true,
    isSpare: true,
  },
];

/** `35.2 %`, or `12.1 to 35.2 %` where backends differ. */
function range(
  backends: readonly SimulatedEngineWire[],
  of: (each: SimulatedEngineWire) => number,
): string {
  const values = backends.map((each) => (of(each) * 100).toFixed(1));
  const sorted = values.sort((a, b) => Number(a) - Number(b));
  const [least = '0.0', most = '0.0'] = [sorted[0], sorted.at(-1)];
  return least === most ? `${most} %` : `${least} to ${most} %`;
}

function useWords(candidate: SimulatedCandidateWire): string {
  const { name, backends, rejections, mode_moves: moves } = candidate;
  const words = [
    `backends busy ${range(backends, (each) => each.busy)}`,
    `share ${range(backends, (each) => each.share)}`,
    `KV peak ${range(backends, (each) => each.kv_peak)}`,
    ...rejections.map(({ code, count }) => `rejected ${code} ${count}`),
  ];
  const [move] = moves;
  if (move !== undefined) {
    const others = moves.length === 1 ? '' : ` and ${moves.length - 1} more moves`;
    words.push(`mode ${move.to} after ${move.at_seconds} s${others}`);
  }
  return `${name}: ${words.join(', ')}`;
}

function tell(context: Context, report: SimulationReport, plot: string | undefined): void {
  const { trace, fleet, candidates, seed } = report;
  if (context.isTerminal && !context.json && !context.quiet) {
    const load = `speed ${report.speed}, rate ${report.rate_scale}`;
    context.out(
      escapeControl(
        `SIMULATED  ${trace.requests} requests over ${(trace.seconds / 60).toFixed(1)} min, ${fleet.engines} engines, ${load}, seed ${seed}`,
      ),
    );
  }
  printListing(context, {
    rows: candidates,
    columns,
    id: (row) => row.name,
    json: report,
    empty: '',
  });
  if (context.json) return;
  for (const candidate of candidates) context.note(escapeControl(useWords(candidate)));
  for (const note of report.notes) context.note(escapeControl(note));
  if (plot !== undefined) context.note(escapeControl(`Plot: ${plot}`));
}

export function addSimulateCommand(program: Command, surroundings: Surroundings): void {
  const simulate = describe(program.command('simulate'), {
    summary: 'plan a fleet: play a trace on virtual time',
    description:
      'Plays a trace of real use on a fleet that does not exist, on virtual time, with the decisions of the product and the timing of the simulated engines, once for each policy. Rejections count as failures. The same inputs give the same report.',
    examples: [
      'tensorforge simulate --fleet fleet.yaml --trace AzureLLMInferenceTrace_conv.csv.gz',
      'tensorforge simulate --fleet fleet.yaml --trace t.jsonl --policy defaults,b.yaml --plot out.html',
      'tensorforge simulate --fleet fleet.yaml --trace ~/.local/share/tensorforge/decisions --rate-scale 110%',
    ],
  })
    .option('--fleet <file>', 'The engines, their models, prices and service level (YAML).')
    .option(
      '--trace <path>',
      'Azure CSV, Mooncake JSONL or BurstGPT CSV (.gz is read), or the folder of a decision log.',
    )
    .option(
      '--policy <files>',
      `Candidate policies (sections routing and policy), comma-separated; "${defaultsWord}" is the product's own.`,
    )
    .option('--plot <file>', 'Write the comparison as one HTML page.')
    .option(
      '--speed <factor>',
      'Play the clock faster: every gap is divided.',
      positiveNumber(10_000),
      1,
    )
    .option(
      '--rate-scale <factor>',
      'Requests over those of the trace: 1.1 or 110%.',
      loadFactor,
      1,
    )
    .option('--limit <n>', 'Only the first N requests.', wholeNumber(1, 5_000_000))
    .option(
      '--warm-up <seconds>',
      'Play, but do not count, the beginning.',
      wholeNumber(0, 86_400),
      0,
    )
    .option('--model <name>', 'What every request asks for, whatever the trace says.')
    .option('--seed <n>', 'Seed of everything drawn.', wholeNumber(0, largestSeed), 1);
  runs(simulate, surroundings, async (context, _, command) => {
    const request = requestOf(command.opts<SimulateFlags>());
    tell(context, await surroundings.actions.simulate(request), request.plot);
  });
}
