// How a command ends badly: what was met, and what to do. The exit code belongs to the kind of
// failure, so that a script can tell a typing mistake from a service that is away.

import { TensorForgeError } from '../errors/tensorforge-error.ts';

/** Exit codes of the specification, 3.4; `ok` ends a command that did what was asked. */
export const exitCodes = {
  ok: 0,
  /** Failed, or the configuration does not hold. */
  failed: 1,
  usage: 2,
  /** The work failed, or a check found a difference. */
  workFailed: 3,
  /** Examined and refused with reasons. */
  refused: 4,
  /** The service is away or was lost. */
  away: 69,
  /** Another process holds the data directory. */
  lockHeld: 75,
  credentialsRefused: 77,
} as const;

export type CliFailureInfo = {
  readonly exitCode: number;
  /** The next step, a whole sentence or a command. */
  readonly remedy?: string | undefined;
  readonly details?: unknown;
  readonly cause?: unknown;
};

/** A failure with everything that is printed about it. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure';
  readonly code: string;
  readonly exitCode: number;
  readonly remedy: string | undefined;
  readonly details: unknown;

  constructor(code: string, message: string, info: CliFailureInfo) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause });
    this.code = code;
    this.exitCode = info.exitCode;
    this.remedy = info.remedy;
    this.details = info.details;
  }
}

/** A mistake in the arguments: exit 2, nothing ran. */
export function usageFailure(message: string, remedy?: string): CliFailure {
  return new CliFailure('usage', message, { exitCode: exitCodes.usage, remedy });
}

const remedies: Readonly<Record<string, string>> = {
  backend_not_found: 'tensorforge backends list shows all of them',
  key_not_found: 'tensorforge keys list shows all of them',
  model_not_found: 'tensorforge models list shows what can be called',
  duplicate_backend: 'tensorforge backends list shows it; remove it there or choose another name',
  config_invalid: 'tensorforge config check names every fault with its line',
  audit_broken: 'tensorforge audit verify tells every place; put back what was there before',
  permission_denied: 'use a key with that permission: tensorforge keys show ID lists what one has',
  rate_limit_exceeded: 'wait a moment and repeat it',
  auth_attempts_exceeded: 'wait a minute; then check the key in TENSORFORGE_API_KEY',
};

/**
 * The usual next step for a code. `config_invalid` also stands for a port or a directory that cannot
 * be had; only faults of the configuration are for `config check`, and they are details as objects.
 */
export function remedyOf(code: string, details: unknown): string | undefined {
  const hasFaults = Array.isArray(details) && details.some((each) => typeof each === 'object');
  return code === 'config_invalid' && !hasFaults ? undefined : remedies[code];
}

/** The exit code for a code and status of the control API. */
export function exitCodeOf(code: string, status: number): number {
  if (status === 401 || status === 403) return exitCodes.credentialsRefused;
  if (code === 'config_invalid') return exitCodes.failed;
  if (status === 422) return exitCodes.refused;
  const isAway = code === 'starting' || code === 'shutting_down' || code === 'retry';
  return isAway ? exitCodes.away : exitCodes.failed;
}

/** Anything that was thrown, as a failure that can be printed. */
export function toFailure(error: unknown): CliFailure {
  if (error instanceof CliFailure) return error;
  if (error instanceof TensorForgeError) {
    const { code, message, status } = error;
    // The lock is a class of the layer below main that this layer does not import.
    const isLock = error.name === 'DataDirectoryLocked';
    return new CliFailure(code, message, {
      exitCode: isLock ? exitCodes.lockHeld : exitCodeOf(code, status),
      remedy: isLock
        ? 'tensorforge stop, or another --data-dir'
        : remedyOf(code, error.info.details),
      details: error.info.details,
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new CliFailure('internal_error', message, {
    exitCode: exitCodes.failed,
    remedy:
      'tensorforge doctor checks this machine; report it with the trace if that finds nothing',
    cause: error,
  });
}
