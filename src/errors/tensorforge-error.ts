// The one error class. A refusal is the same thing as a value: see `Refusal`.

import { type Fault, violationWords } from '../base/fault.ts';
import { type CatalogueEntry, type ErrorCode, entryOf } from './catalogue.ts';

export type ErrorDetails = {
  /** The request member at fault; the OpenAI face prints it as `param`. */
  readonly param?: string;
  /** Reasons of a refusal or faults of a configuration; the control face prints them. */
  readonly details?: unknown;
  /** Facts for the client beside the message; the OpenAI face prints them as `context`. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** Overrides the figure of the catalogue, whole seconds, at least 1. */
  readonly retryAfterSeconds?: number;
  /** The same in ms, at least 1, where it is known so well; both headers then go by it. */
  readonly retryAfterMs?: number;
  /** `tokens` instead of `requests` for a token limit. */
  readonly limit?: 'requests' | 'tokens';
  readonly cause?: unknown;
};

/** A refusal as a value: what was met, which limit, what to do, in `message`. */
export type Refusal = { readonly code: ErrorCode; readonly message: string } & ErrorDetails;

export class TensorForgeError extends Error {
  override readonly name: string = 'TensorForgeError';
  readonly code: ErrorCode;
  readonly info: ErrorDetails;

  constructor(code: ErrorCode, message: string, info: ErrorDetails = {}) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause });
    this.code = code;
    this.info = info;
  }

  get entry(): CatalogueEntry {
    return entryOf(this.code);
  }

  get status(): number {
    return this.entry.status;
  }

  toRefusal(): Refusal {
    return { code: this.code, message: this.message, ...this.info };
  }

  static of(refusal: Refusal): TensorForgeError {
    const { code, message, ...info } = refusal;
    return new TensorForgeError(code, message, info);
  }
}

export function refusal(code: ErrorCode, message: string, info: ErrorDetails = {}): Refusal {
  return { code, message, ...info };
}

function wireName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * A fault of the core as the refusal `code`. Its fields stand in words and `details` under their names
 * on the wire, the first of them as `param`.
 */
export function refusalOf(code: ErrorCode, fault: Fault): Refusal {
  const details = fault.details?.map((one) => ({ ...one, field: wireName(one.field) }));
  const first = details?.[0];
  if (details === undefined || first === undefined) return refusal(code, `${fault.message}.`);
  return refusal(code, `${violationWords(details)}.`, { param: first.field, details });
}
