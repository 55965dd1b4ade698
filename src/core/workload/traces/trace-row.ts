// One line of a trace of real use, read. Three formats, told apart by their first line:
//
//  azure     CSV   TIMESTAMP,ContextTokens,GeneratedTokens; wall clock with up to 9 digits
//  mooncake  JSONL {"timestamp": ms, "input_length", "output_length", "hash_ids"}; requests share
//                  ticks of 3 s; an id of `hash_ids` is one prefix block of 512 tokens
//  burstgpt  CSV   Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type; seconds
//
// Columns of CSV files are found by name, so their order and further columns do not matter; what
// is needed and missing is told by name. A line that does not hold is refused with words that name
// the member, the value met and what belongs there; which line it is, the caller knows.

import { err, ok, type Result } from '../../../base/result.ts';

export type TraceFormat = 'azure' | 'mooncake' | 'burstgpt';

export type TraceRow = {
  /** Milliseconds on the clock of the trace, with fractions. */
  readonly clockMs: number;
  readonly promptTokens: number;
  /** 0 for a request that failed at its origin. */
  readonly outputTokens: number;
  /** Undefined where the trace does not tell. */
  readonly stream: boolean | undefined;
  readonly model: string | undefined;
  /** Prefix blocks of 512 tokens, equal ids for equal text; empty where the trace has none. */
  readonly prefixIds: readonly number[];
};

/** What the first line says of all others. */
export type TraceHead = {
  readonly format: TraceFormat;
  /** Is the first line a row already? */
  readonly isRow: boolean;
  /** Position of each column of a CSV file. */
  readonly columns: ReadonlyMap<string, number>;
};

const azureColumns = ['TIMESTAMP', 'ContextTokens', 'GeneratedTokens'];
const burstgptColumns = ['Timestamp', 'Request tokens', 'Response tokens'];
const azureHead = azureColumns.join(',');
const burstgptHead = 'Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type';
const noIds: readonly number[] = [];

/** Without a byte order mark and the blanks at the end, which a carriage return is as well. */
export function bareLine(line: string): string {
  return line.replace(/^\uFEFF/, '').trimEnd();
}

/** Reads the first line, or says why no known trace starts so. */
export function readTraceHead(firstLine: string): Result<TraceHead, string> {
  const line = bareLine(firstLine).trimStart();
  if (line.startsWith('{')) return ok({ format: 'mooncake', isRow: true, columns: new Map() });
  const names = line.split(',').map((name) => name.trim());
  const has = (wanted: readonly string[]): boolean => wanted.some((name) => names.includes(name));
  if (has(azureColumns)) return csvHead('azure', names, azureColumns);
  if (has(burstgptColumns)) return csvHead('burstgpt', names, burstgptColumns);
  return err(`not a known trace; it starts with "${azureHead}", "${burstgptHead}" or "{"`);
}

function csvHead(
  format: TraceFormat,
  names: readonly string[],
  needed: readonly string[],
): Result<TraceHead, string> {
  const missing = needed.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    const words = missing.map((name) => `"${name}"`).join(' and ');
    return err(`no column ${words}; the columns are ${names.join(', ')}`);
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return err(`two columns "${twice}"`);
  return ok({ format, isRow: false, columns: new Map(names.map((name, at) => [name, at])) });
}

/** Reads one line that is not blank, by the head of its file. */
export function readTraceRow(head: TraceHead, line: string): Result<TraceRow, string> {
  if (head.format === 'mooncake') return mooncakeRow(line);
  const cells = line.split(',');
  if (cells.length !== head.columns.size) {
    return err(`${cells.length} cells where ${head.columns.size} belong`);
  }
  const cell = (name: string): string | undefined => cells[head.columns.get(name) ?? -1];
  return head.format === 'azure' ? azureRow(cell) : burstgptRow(cell);
}

type Cell = (name: string) => string | undefined;

function azureRow(cell: Cell): Result<TraceRow, string> {
  const time = cell('TIMESTAMP') ?? '';
  const clockMs = clockMsOf(time);
  if (clockMs === undefined) {
    return err(`TIMESTAMP "${time}" is not YYYY-MM-DD HH:MM:SS.fffffff`);
  }
  const prompt = tokensOf('ContextTokens', cell('ContextTokens'));
  if (!prompt.ok) return prompt;
  const output = tokensOf('GeneratedTokens', cell('GeneratedTokens'));
  if (!output.ok) return output;
  return ok(row(clockMs, prompt.value, output.value));
}

function clockMsOf(time: string): number | undefined {
  const found = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:\+00:00)?$/.exec(time);
  if (found === null) return undefined;
  const secondsMs = Date.parse(`${found[1]}T${found[2]}Z`);
  return Number.isNaN(secondsMs) ? undefined : secondsMs + Number(`0.${found[3] ?? '0'}`) * 1000;
}

function burstgptRow(cell: Cell): Result<TraceRow, string> {
  const time = cell('Timestamp') ?? '';
  const seconds = time.trim() === '' ? Number.NaN : Number(time);
  if (!Number.isFinite(seconds) || seconds < 0) {
    return err(`Timestamp "${time}" is not seconds from 0`);
  }
  const prompt = tokensOf('Request tokens', cell('Request tokens'));
  if (!prompt.ok) return prompt;
  const output = tokensOf('Response tokens', cell('Response tokens'));
  if (!output.ok) return output;
  const stream = streamOf(cell('Log Type'));
  if (!stream.ok) return stream;
  const model = (cell('Model') ?? '').trim();
  return ok({
    ...row(seconds * 1000, prompt.value, output.value),
    stream: stream.value,
    model: model === '' ? undefined : model,
  });
}

/** Conversations come from a chat page, which streams. */
function streamOf(kind: string | undefined): Result<boolean | undefined, string> {
  if (kind === undefined) return ok(undefined);
  if (/^conversation/i.test(kind.trim())) return ok(true);
  if (/^api/i.test(kind.trim())) return ok(false);
  return err(`Log Type "${kind}" is neither a conversation log nor an API log`);
}

function mooncakeRow(line: string): Result<TraceRow, string> {
  const members = membersOf(line);
  if (members === undefined) return err('not a JSON object');
  const time = tokensOf('timestamp', members.get('timestamp'));
  if (!time.ok) return time;
  const prompt = tokensOf('input_length', members.get('input_length'));
  if (!prompt.ok) return prompt;
  const output = tokensOf('output_length', members.get('output_length'));
  if (!output.ok) return output;
  const ids = members.get('hash_ids') ?? noIds;
  if (!isIdList(ids)) return err('hash_ids is not a list of whole numbers from 0');
  return ok({ ...row(time.value, prompt.value, output.value), prefixIds: ids });
}

function isIdList(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((id) => Number.isSafeInteger(id) && id >= 0);
}

function membersOf(line: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return new Map(Object.entries(value));
  } catch {
    return undefined;
  }
}

function row(clockMs: number, promptTokens: number, outputTokens: number): TraceRow {
  const nothing = { stream: undefined, model: undefined, prefixIds: noIds };
  return { clockMs, promptTokens, outputTokens, ...nothing };
}

/** A whole number from 0, as text or as JSON number. */
function tokensOf(name: string, value: unknown): Result<number, string> {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return ok(number);
  return err(`${name} is ${JSON.stringify(value) ?? 'missing'}, not a whole number from 0`);
}
