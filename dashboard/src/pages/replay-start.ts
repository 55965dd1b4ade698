// What the form of a replay asks for: a window, perhaps one request, perhaps a candidate policy. The
// candidate is read only so far that it is one JSON object; the server validates it, with every
// fault named.

import { isRecord } from '../api/shapes.ts';
import type { ReplayStartWire } from '../api/wire.ts';
import type { ReplayRange } from './search.ts';

export type ReplayForm = {
  readonly range: ReplayRange;
  readonly request: string;
  /** JSON text; blank for none. */
  readonly candidate: string;
};

const hourMs = 3_600_000;
const rangeMs: Readonly<Record<ReplayRange, number | undefined>> = {
  '1h': hourMs,
  '24h': 24 * hourMs,
  '7d': 168 * hourMs,
  all: undefined,
};

/** Name under which the copied command expects the candidate; JSON is YAML too. */
const candidateFile = 'candidate.yaml';

/** Why the candidate cannot be sent; undefined when it can or when there is none. */
export function candidateFault(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return undefined;
    return 'One JSON object with the sections routing and policy, as in {"routing": {…}}.';
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `This is no JSON: ${why}`;
  }
}

/** The candidate as it is sent; undefined for none and for text that is no object. */
export function candidateOf(text: string): Readonly<Record<string, unknown>> | undefined {
  if (text.trim() === '' || candidateFault(text) !== undefined) return undefined;
  const value: unknown = JSON.parse(text);
  return isRecord(value) ? value : undefined;
}

/** A single request is looked for in the whole log: its id says when it was. */
export function replayStart(form: ReplayForm, nowMs: number): ReplayStartWire {
  const request = form.request.trim();
  const span = rangeMs[form.range];
  const policy = candidateOf(form.candidate);
  return {
    ...(request !== '' || span === undefined
      ? {}
      : { from: new Date(nowMs - span).toISOString(), to: new Date(nowMs).toISOString() }),
    ...(request === '' ? {} : { request_id: request }),
    ...(policy === undefined ? {} : { policy: { ...policy } }),
  };
}

/** The same for a terminal; the candidate is expected in a file beside it. */
export function replayCommand({ from, to, request_id: request, policy }: ReplayStartWire): string {
  return [
    'tensorforge replay',
    from === undefined ? undefined : `--from ${from}`,
    to === undefined ? undefined : `--to ${to}`,
    request === undefined ? undefined : `--id ${request}`,
    policy === undefined ? undefined : `--policy ${candidateFile}`,
  ]
    .filter((part) => part !== undefined)
    .join(' ');
}
