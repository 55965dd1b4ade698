// Traces of real use as workloads. Three formats, told apart by their first line:
//
//  azure     CSV   TIMESTAMP,ContextTokens,GeneratedTokens; wall clock with up to 7 digits
//  mooncake  JSONL {"timestamp": ms, "input_length", "output_length", "hash_ids"}; requests share
//                  ticks of 3 s and are spread evenly inside them
//  burstgpt  CSV   Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type; seconds
//
// All give the type of the generated workload, in order, with time from the first row. Rows
// without output are requests that failed at their origin and are left out. Only BurstGPT hints at
// streaming (its conversations come from a chat page); elsewhere it is drawn from the seed.

import { type Random, seededRandom } from '../../base/random.ts';
import { streamShareDefault, type WorkloadRequest } from '../../core/workload/requests.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { textLines } from './text-lines.ts';

export const traceFormats = ['azure', 'mooncake', 'burstgpt'] as const;
export type TraceFormat = (typeof traceFormats)[number];

export type TraceOptions = {
  /** Decides which requests stream where the trace does not tell. */
  readonly seed: number;
};

type Row = {
  /** Milliseconds on the clock of the trace, with fractions. */
  readonly clockMs: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly stream: boolean | undefined;
};

const azureHead = 'TIMESTAMP,ContextTokens,GeneratedTokens';
const burstgptHead = 'Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type';
const mooncakeTickMs = 3000;

/**
 * Streams the requests of `file`. Throws `config_invalid` with file and line for a file that cannot
 * be read, an unknown format, a bad row, and time that goes back.
 */
export async function* readTrace(
  file: string,
  options: TraceOptions,
): AsyncGenerator<WorkloadRequest> {
  const rows = rowsOf(file);
  const timed = withoutTicks(rows);
  const random = seededRandom(options.seed);
  let firstMs: number | undefined;
  for await (const row of timed) {
    firstMs ??= row.clockMs;
    const stream = row.stream ?? drawStream(random);
    if (row.outputTokens === 0) continue;
    yield {
      atMs: Math.floor(row.clockMs - firstMs),
      promptTokens: Math.max(1, row.promptTokens),
      outputTokens: row.outputTokens,
      stream,
    };
  }
}

/** The format that `firstLine` is the start of. */
export function traceFormatOf(firstLine: string): TraceFormat | undefined {
  const line = firstLine.replace(/^\uFEFF/, '').trim();
  if (line === azureHead) return 'azure';
  if (line === burstgptHead) return 'burstgpt';
  return line.startsWith('{') ? 'mooncake' : undefined;
}

function drawStream(random: Random): boolean {
  return random.nextUnit() < streamShareDefault;
}

type TickedRow = Row & { readonly tickMs: number };

async function* rowsOf(file: string): AsyncGenerator<TickedRow> {
  let format: TraceFormat | undefined;
  let lineNumber = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  for await (const line of textLines(file)) {
    lineNumber++;
    const fail = (what: string): never => {
      throw new TensorForgeError('config_invalid', `${file} line ${lineNumber}: ${what}`);
    };
    const known: TraceFormat =
      format ??
      traceFormatOf(line) ??
      fail(`not a known trace; it starts with "${azureHead}", "${burstgptHead}" or "{"`);
    const isHead = format === undefined && known !== 'mooncake';
    format = known;
    if (isHead || line.trim() === '') continue;
    const row = parseRow(known, line.replace(/^\uFEFF/, ''), fail);
    if (row.clockMs < lastMs) fail('its time is before that of the row above; sort the file');
    lastMs = row.clockMs;
    yield { ...row, tickMs: format === 'mooncake' ? mooncakeTickMs : 0 };
  }
  if (format === undefined) throw new TensorForgeError('config_invalid', `${file} is empty`);
}

/** Spreads rows that share a tick evenly over it, up to the next row where that is sooner. */
async function* withoutTicks(rows: AsyncGenerator<TickedRow>): AsyncGenerator<Row> {
  let tick: TickedRow[] = [];
  for await (const row of rows) {
    if (row.tickMs === 0) {
      yield row;
      continue;
    }
    const beforeMs = tick[0]?.clockMs ?? row.clockMs;
    if (beforeMs !== row.clockMs) {
      yield* spread(tick, Math.min(row.tickMs, row.clockMs - beforeMs));
      tick = [];
    }
    tick.push(row);
  }
  yield* spread(tick, mooncakeTickMs);
}

/** Row i of n stands at (i + 1/2) / n of the tick. */
function spread(tick: readonly TickedRow[], tickMs: number): Row[] {
  return tick.map((row, index) => ({
    ...row,
    clockMs: row.clockMs + ((index + 0.5) * tickMs) / tick.length,
  }));
}

type Fail = (what: string) => never;

function parseRow(format: TraceFormat, line: string, fail: Fail): Row {
  switch (format) {
    case 'azure':
      return azureRow(line, fail);
    case 'burstgpt':
      return burstgptRow(line, fail);
    case 'mooncake':
      return mooncakeRow(line, fail);
  }
}

function azureRow(line: string, fail: Fail): Row {
  const [time = '', prompt, output] = cellsOf(line, 3, fail);
  const found = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:\+00:00)?$/.exec(time);
  const secondsMs = found === null ? Number.NaN : Date.parse(`${found[1]}T${found[2]}Z`);
  if (Number.isNaN(secondsMs)) fail(`TIMESTAMP "${time}" is not YYYY-MM-DD HH:MM:SS.fffffff`);
  return {
    clockMs: secondsMs + Number(`0.${found?.[3] ?? '0'}`) * 1000,
    promptTokens: tokensOf('ContextTokens', prompt, fail),
    outputTokens: tokensOf('GeneratedTokens', output, fail),
    stream: undefined,
  };
}

function burstgptRow(line: string, fail: Fail): Row {
  const [time = '', , prompt, output, , kind = ''] = cellsOf(line, 6, fail);
  const seconds = time.trim() === '' ? Number.NaN : Number(time);
  if (!Number.isFinite(seconds) || seconds < 0) fail(`Timestamp "${time}" is not seconds from 0`);
  const conversation = /^conversation/i.test(kind.trim());
  if (!conversation && !/^api/i.test(kind.trim())) {
    fail(`Log Type "${kind}" is neither a conversation log nor an API log`);
  }
  return {
    clockMs: seconds * 1000,
    promptTokens: tokensOf('Request tokens', prompt, fail),
    outputTokens: tokensOf('Response tokens', output, fail),
    stream: conversation,
  };
}

function mooncakeRow(line: string, fail: Fail): Row {
  const members = mooncakeMembers(line);
  if (members === undefined) return fail('not a JSON object');
  return {
    clockMs: tokensOf('timestamp', members.get('timestamp'), fail),
    promptTokens: tokensOf('input_length', members.get('input_length'), fail),
    outputTokens: tokensOf('output_length', members.get('output_length'), fail),
    stream: undefined,
  };
}

function mooncakeMembers(line: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return new Map(Object.entries(value));
  } catch {
    return undefined;
  }
}

function cellsOf(line: string, count: number, fail: Fail): string[] {
  const cells = line.split(',');
  if (cells.length !== count) fail(`${cells.length} cells where ${count} belong`);
  return cells;
}

/** A whole number from 0, as text or as JSON number. */
function tokensOf(name: string, value: unknown, fail: Fail): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) {
    return fail(`${name} is ${JSON.stringify(value) ?? 'missing'}, not a whole number from 0`);
  }
  return number;
}
