// The one place where a state gets its shape, tone and word (ux 3.1). A state never shows by colour
// alone: the shape says the same. The records below are keyed by the wire enumerations, so a new
// member does not compile until it is mapped here.

import type {
  AuditReportWire,
  BackendViewWire,
  GateWire,
  KeyViewWire,
  OperationWire,
  OverviewWire,
  PolicyViewWire,
  ProbeEntryWire,
  ReplayReportWire,
  ServingModeWire,
} from '../api/wire.ts';

export type Tone = 'ok' | 'active' | 'waiting' | 'attention' | 'bad' | 'off';
export type Shape = 'disc' | 'half' | 'ring' | 'triangle' | 'square' | 'diamond';

export type Mark = { readonly tone: Tone; readonly words: string };

export const shapeOfTone: Readonly<Record<Tone, Shape>> = {
  ok: 'disc',
  active: 'half',
  waiting: 'ring',
  attention: 'triangle',
  bad: 'square',
  off: 'diamond',
};

/** The glyph that stands for the shape in the document title. */
export const glyphOfTone: Readonly<Record<Tone, string>> = {
  ok: '●',
  active: '◐',
  waiting: '○',
  attention: '▲',
  bad: '■',
  off: '◇',
};

export const backendStatusMarks: Readonly<Record<BackendViewWire['status'], Mark>> = {
  healthy: { tone: 'ok', words: 'Healthy' },
  unhealthy: { tone: 'bad', words: 'Unhealthy' },
  unknown: { tone: 'waiting', words: 'Unknown' },
  draining: { tone: 'off', words: 'Draining' },
};

/** Reasons narrow a status; one that this build does not know is shown in the server's word. */
const reasonMarks: ReadonlyMap<string, Mark> = new Map([
  ['busy', { tone: 'attention', words: 'Busy' }],
  ['warming', { tone: 'attention', words: 'Warming' }],
  ['config_error', { tone: 'bad', words: 'Config error' }],
  ['rate_limited', { tone: 'attention', words: 'Rate limited' }],
  ['pending_approval', { tone: 'waiting', words: 'Waits for approval' }],
]);

export function backendMark(backend: {
  readonly status: BackendViewWire['status'];
  readonly status_reason: string | null;
}): Mark {
  const mark = backendStatusMarks[backend.status];
  if (backend.status_reason === null || backend.status_reason === '') return mark;
  // Draining was asked for by a person; no reason of the engine outranks that.
  if (backend.status === 'draining') return mark;
  const narrowed = reasonMarks.get(backend.status_reason);
  return narrowed ?? { tone: mark.tone, words: `${mark.words}, ${backend.status_reason}` };
}

/** A gate that nothing could close is no good news, so it has no tone of its own. */
export const gateMarks: Readonly<Record<GateWire['state'], Mark>> = {
  open: { tone: 'ok', words: 'open' },
  closed: { tone: 'bad', words: 'closed' },
  off: { tone: 'off', words: 'off' },
};

export const probeMarks: Readonly<Record<ProbeEntryWire['kind'], Mark>> = {
  healthy: { tone: 'ok', words: 'Good' },
  unhealthy: { tone: 'bad', words: 'Failed' },
  loading: { tone: 'attention', words: 'Loading' },
  rate_limited: { tone: 'attention', words: 'Rate limited' },
  config_error: { tone: 'bad', words: 'Config error' },
};

export const operationMarks: Readonly<Record<OperationWire['status'], Mark>> = {
  pending: { tone: 'waiting', words: 'Pending' },
  in_progress: { tone: 'active', words: 'In progress' },
  completed: { tone: 'ok', words: 'Completed' },
  failed: { tone: 'bad', words: 'Failed' },
};

type VerdictLevel = OverviewWire['verdict_level'] | PolicyViewWire['verdict_level'];

export const verdictTones: Readonly<Record<VerdictLevel, Tone>> = {
  ok: 'ok',
  attention: 'attention',
  bad: 'bad',
};

/** How one request ended. 499 is a client that left, which is nobody's failure. */
export function outcomeMark(outcome: {
  readonly status: number;
  readonly code: string | null;
}): Mark {
  const { status, code } = outcome;
  const words = code === null ? String(status) : `${status} ${code}`;
  if (status === 499) return { tone: 'off', words: code === null ? '499 client left' : words };
  if (status >= 500) return { tone: 'bad', words };
  if (status >= 400) return { tone: 'attention', words };
  // A code beside a success is a stream that was cut after its head had been sent.
  if (code !== null) return { tone: 'bad', words };
  return { tone: status >= 200 ? 'ok' : 'waiting', words };
}

export function keyMark(key: Pick<KeyViewWire, 'revoked' | 'expires_at'>, nowMs: number): Mark {
  if (key.revoked) return { tone: 'off', words: 'Revoked' };
  if (key.expires_at !== null && Date.parse(key.expires_at) <= nowMs) {
    return { tone: 'off', words: 'Expired' };
  }
  return { tone: 'ok', words: 'Active' };
}

export const modeMarks: Readonly<Record<ServingModeWire, Mark>> = {
  normal: { tone: 'ok', words: 'normal' },
  watch: { tone: 'attention', words: 'watch' },
  restricted: { tone: 'attention', words: 'restricted' },
  halted: { tone: 'bad', words: 'halted' },
};

/** A trail that nobody verified is neither whole nor broken. */
export function auditTone(report: Pick<AuditReportWire, 'whole'> | null): Tone {
  if (report === null) return 'waiting';
  return report.whole ? 'ok' : 'bad';
}

type ReplayEnd = Pick<ReplayReportWire, 'state' | 'divergences'> & {
  readonly faults: readonly unknown[];
  readonly gaps?: readonly unknown[] | undefined;
};

/** Could all of the log be read, and did nothing come out differently? */
export function isProven({ divergences, faults, gaps = [] }: ReplayEnd): boolean {
  return divergences === 0 && faults.length === 0 && gaps.length === 0;
}

/** A replay is in order only when it is a proof. */
export function replayTone(end: ReplayEnd): Tone {
  if (end.state === 'running') return 'active';
  return end.state === 'done' && isProven(end) ? 'ok' : 'bad';
}
