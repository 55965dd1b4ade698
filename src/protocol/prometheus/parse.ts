// The text that servers show to Prometheus, read for a few names: one sample for each line,
//
//   name{label="value",other="a \"quoted\" one"} 12.5 1700000000000
//
// as in https://prometheus.io/docs/instrumenting/exposition_formats/ (format 0.0.4). The page is a
// stranger's, and most of it is histograms that nobody asked for: lines of other names are passed by
// without being taken apart, a line that cannot be read is passed by too, and a page that is longer
// than any engine's is refused as a whole, since half of its figures would be wrong figures.

import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';

export const metricsCharactersMax = 4 * 1024 * 1024;
export const metricsLinesMax = 50_000;
/** A longer line is no sample of an engine's, and is passed by. */
const lineCharactersMax = 16_384;
/** Labels of one line that are read; engines have at most a dozen. */
const labelsMax = 64;

export type Sample = {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** Finite. */
  readonly value: number;
};

const nameEnd = /[{ \t]/;
const labelStart = /[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*"/y;
const labelText = /(?:[^"\\]|\\.)*/y;
const labelSeparator = /[ \t]*(,?)[ \t]*/y;
/** A value; a timestamp or an exemplar may follow, which nobody needs. */
const valueStart = /[ \t]*([^ \t]{1,64})(?![^ \t])/y;
const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}

type Labels = { readonly labels: ReadonlyMap<string, string>; readonly end: number };

const noLabels: ReadonlyMap<string, string> = new Map();

/** The labels from the opening brace at `at`; undefined when they are not whole. */
function labelsFrom(line: string, at: number): Labels | undefined {
  const labels = new Map<string, string>();
  let next = at + 1;
  for (let count = 0; count <= labelsMax; count++) {
    const close = matchAt(/[ \t]*\}/y, line, next);
    if (close !== null) return { labels, end: next + close[0].length };
    const start = matchAt(labelStart, line, next);
    if (start?.[1] === undefined) return undefined;
    next += start[0].length;
    const text = matchAt(labelText, line, next)?.[0] ?? '';
    next += text.length;
    if (line[next] !== '"') return undefined;
    labels.set(start[1], unescaped(text));
    next += 1;
    const separator = matchAt(labelSeparator, line, next);
    if (separator?.[1] === '' && line[next + separator[0].length] !== '}') return undefined;
    next += separator?.[0].length ?? 0;
  }
  return undefined;
}

function sampleOf(line: string, wanted: ReadonlySet<string>): Sample | undefined {
  const end = line.search(nameEnd);
  const name = end < 0 ? line : line.slice(0, end);
  if (!wanted.has(name)) return undefined;
  const blank = line.slice(end).match(/^[ \t]*/)?.[0].length ?? 0;
  const hasLabels = line[end + blank] === '{';
  const read = hasLabels ? labelsFrom(line, end + blank) : { labels: noLabels, end };
  if (read === undefined) return undefined;
  const text = matchAt(valueStart, line, read.end)?.[1] ?? '';
  // `NaN`, `+Inf` and whatever is no number are no decimals, and `1e999` is not finite.
  const value = decimal.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? { name, labels: read.labels, value } : undefined;
}

/**
 * The samples of `wanted` names in their order. Values that are not finite and lines that are no
 * samples are left out. Refused: more than `metricsCharactersMax` characters or `metricsLinesMax`
 * lines. Never throws, whatever the text.
 */
export function parseMetrics(
  text: string,
  wanted: ReadonlySet<string>,
): Result<readonly Sample[], Fault<'metrics_too_long'>> {
  if (text.length > metricsCharactersMax) {
    return err(tooLong(`${text.length} characters`, `${metricsCharactersMax}`));
  }
  const samples: Sample[] = [];
  let lines = 0;
  for (let from = 0; from < text.length; lines++) {
    if (lines >= metricsLinesMax) return err(tooLong('more lines', `${metricsLinesMax}`));
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    const isPassedBy = text[from] === '#' || end - from > lineCharactersMax;
    const line = isPassedBy ? '' : text.slice(from, text[end - 1] === '\r' ? end - 1 : end);
    const sample = line === '' ? undefined : sampleOf(line, wanted);
    if (sample !== undefined) samples.push(sample);
    from = end + 1;
  }
  return ok(samples);
}

function tooLong(met: string, bound: string): Fault<'metrics_too_long'> {
  return fault('metrics_too_long', `the metrics have ${met}, but at most ${bound} are read`);
}
