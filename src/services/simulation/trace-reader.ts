// Reads a trace from disk: a file of one of the public formats, plain or `.gz`, or the folder of a
// decision log.

import { statSync } from 'node:fs';
import { type Trace, TraceLines } from '../../core/workload/traces/arrivals.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { textLines } from '../../io/files/text-lines.ts';
import { readDecisionTrace } from './decision-trace.ts';

export type ReadTrace = Trace & {
  /** What a reader of the report must know of the trace. */
  readonly notes: readonly string[];
};

/**
 * The trace, of a file its first `limit` rows. Throws `config_invalid` with every fault and its
 * line for a trace that does not hold, and for one without a request to play.
 */
export async function readTrace(path: string, limit: number | undefined): Promise<ReadTrace> {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const trace = isFolder ? recordedTrace(path, limit) : await fileTrace(path, limit);
  if (trace.arrivals.length > 0) return trace;
  const words = ['no request with output in it; there is nothing to play.', ...trace.notes];
  throw new TensorForgeError('config_invalid', `${path}: ${words.join(' ')}`);
}

async function fileTrace(path: string, limit: number | undefined): Promise<ReadTrace> {
  const lines = new TraceLines();
  for await (const line of textLines(path)) {
    const goesOn = lines.push(line);
    if (!goesOn || lines.rows === limit) break;
  }
  const trace = lines.finish();
  if (!trace.ok) throw new TensorForgeError('config_invalid', `${path}: ${trace.error.message}`);
  return { ...trace.value, notes: notesOf(trace.value) };
}

function notesOf(trace: Trace): string[] {
  const notes: string[] = [];
  if (trace.unsorted > 0) {
    notes.push(`${trace.unsorted} rows of the trace were out of order; they were sorted by time.`);
  }
  if (trace.withoutOutput > 0) {
    notes.push(`${trace.withoutOutput} rows without output were left out; they failed back then.`);
  }
  return notes;
}

function recordedTrace(folder: string, limit: number | undefined): ReadTrace {
  const { trace, notes } = readDecisionTrace(folder);
  return {
    ...trace,
    arrivals: trace.arrivals.slice(0, limit),
    notes: [...notesOf(trace), ...notes],
  };
}
