// The words of a failure. For people two lines, what was met and what to do; for programs the same
// envelope as the control API.

import { redactText } from '../../base/secret.ts';
import { type ConfigurationFault, describeFault } from '../../config/fault.ts';
import type { CliFailure } from '../failure.ts';
import { escapeControl } from './text.ts';

function isFault(value: unknown): value is ConfigurationFault {
  return (
    typeof value === 'object' &&
    value !== null &&
    'path' in value &&
    'expected' in value &&
    'source' in value
  );
}

function detailLines(details: unknown): string[] {
  if (!Array.isArray(details)) return [];
  return details.map((detail: unknown) => {
    if (isFault(detail)) return describeFault(detail);
    return typeof detail === 'string' ? detail : JSON.stringify(detail);
  });
}

/** `error  code: message`, one line for each reason, `  do   remedy`. */
export function failureLines(failure: CliFailure): string[] {
  const details = detailLines(failure.details);
  // The message of a configuration repeats its faults in one paragraph; here they have lines.
  const isConfiguration = Array.isArray(failure.details) && failure.details.some(isFault);
  const message = isConfiguration
    ? `The configuration has ${details.length === 1 ? '1 fault' : `${details.length} faults`}; nothing was started or changed.`
    : failure.message;
  const lines = [`error  ${failure.code}: ${message}`, ...details.map((line) => `  -    ${line}`)];
  if (failure.remedy !== undefined) lines.push(`  do   ${failure.remedy}`);
  return lines.map((line) => escapeControl(redactText(line)));
}

/** The control envelope: one JSON value, credentials masked in every text of it. */
export function failureJson(failure: CliFailure): string {
  const { message, code, details, remedy } = failure;
  return JSON.stringify({ msg: message, code, details, remedy }, (_, value: unknown) =>
    typeof value === 'string' ? redactText(value) : value,
  );
}
