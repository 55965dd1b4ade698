// What the dialogs of a pin say, checked as the server will check it, and the same as a command.

import type { PolicyPinWire, ServingModeWire } from '../api/wire.ts';

export const pinExpiries = ['1h', '2h', '8h', 'lifted'] as const;
export type PinExpiry = (typeof pinExpiries)[number];

const hourSeconds = 3600;
const expirySeconds: Readonly<Record<PinExpiry, number | null>> = {
  '1h': hourSeconds,
  '2h': 2 * hourSeconds,
  '8h': 8 * hourSeconds,
  lifted: null,
};

export const expiryWords: Readonly<Record<PinExpiry, string>> = {
  '1h': '1 hour',
  '2h': '2 hours',
  '8h': '8 hours',
  lifted: 'until it is lifted',
};

const reasonLengthMax = 500;

/** Why the reason cannot be sent; undefined when it can. */
export function reasonFault(reason: string): string | undefined {
  const { length } = reason.trim();
  if (length === 0) return 'A reason is written to the audit trail.';
  return length > reasonLengthMax ? `${length} characters; at most ${reasonLengthMax}.` : undefined;
}

export type PinForm = {
  readonly mode: ServingModeWire;
  readonly expiry: PinExpiry;
  readonly reason: string;
};

export function pinOf({ mode, expiry, reason }: PinForm): PolicyPinWire {
  return { mode, reason: reason.trim(), expires_in_seconds: expirySeconds[expiry] };
}

/** A word of a POSIX shell that stands for `text`, whatever is in it. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function pinCommand({ mode, expiry, reason }: PinForm): string {
  const span = expiry === 'lifted' ? '' : ` --for ${expiry}`;
  return `tensorforge policy pin ${mode}${span} --reason ${shellWord(reason.trim())}`;
}

export function unpinCommand(reason: string): string {
  return `tensorforge policy unpin --reason ${shellWord(reason.trim())}`;
}
