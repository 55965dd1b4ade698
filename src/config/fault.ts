// What is wrong with a configuration, as data. A fault names the option, the value that was met
// (never a secret), where it came from and what would hold, so that one reading is enough to mend it.

import { redactText } from '../base/secret.ts';
import { TensorForgeError } from '../errors/tensorforge-error.ts';

export type Source = 'default' | 'file' | 'env' | 'flag';

export type ConfigurationFault = {
  /** Path of the option, `backends[1].url`; empty for a fault of the file as a whole. */
  readonly path: string;
  /** The value as text; `[redacted]` for a secret, empty when nothing was given. */
  readonly value: string;
  /** What would hold. */
  readonly expected: string;
  readonly source: Source;
  /** The variable, flag or file that the value came from. */
  readonly origin?: string;
  /** Line of the file, from 1. */
  readonly line?: number;
};

const longestShown = 120;

/** The value as one line of text, credentials masked, cut to a readable length. */
export function shownValue(value: unknown, isSecret: boolean): string {
  if (value === undefined) return '';
  if (isSecret) return '[redacted]';
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  const clean = redactText(text);
  return clean.length <= longestShown ? clean : `${clean.slice(0, longestShown)}…`;
}

function place(fault: ConfigurationFault): string {
  if (fault.origin === undefined) return '';
  const line = fault.line === undefined ? '' : ` line ${fault.line}`;
  return ` (${fault.origin}${line})`;
}

/** One sentence: `server.port is 99999 (TENSORFORGE_PORT); expected an integer from 0 to 65535.` */
export function describeFault(fault: ConfigurationFault): string {
  const name = fault.path === '' ? 'The file' : fault.path;
  const met = fault.value === '' ? '' : ` is ${fault.value}`;
  const verb = met === '' ? ' does not hold' : met;
  return `${name}${verb}${place(fault)}; expected ${fault.expected}.`;
}

/** All faults as the one error that stops a start or a reload. */
export function configurationError(faults: readonly ConfigurationFault[]): TensorForgeError {
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  return new TensorForgeError(
    'config_invalid',
    `The configuration has ${count}; nothing was started or changed. ${faults.map(describeFault).join(' ')}`,
    { details: faults },
  );
}
