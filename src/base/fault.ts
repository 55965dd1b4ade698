// The error of a fallible operation of the core: a code to match on, words for a person, and for a
// validator each field at fault with the value met and the bound that it broke.

export type Violation = {
  readonly field: string;
  readonly value: unknown;
  /** What the value must be, as words that follow "must be": `at least 1`. */
  readonly bound: string;
};

export type Fault<Code extends string = string> = {
  readonly code: Code;
  /** Names the id concerned and the bound that was broken. */
  readonly message: string;
  readonly details?: readonly Violation[];
};

export function fault<const Code extends string>(
  code: Code,
  message: string,
  details?: readonly Violation[],
): Fault<Code> {
  return details === undefined ? { code, message } : { code, message, details };
}

function printed(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 100));
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === null || value === undefined ? String(value) : typeof value;
}

/** `port is 0, but must be within 1..65535`, for each violation. */
export function violationWords(violations: readonly Violation[]): string {
  return violations
    .map(({ field, value, bound }) => `${field} is ${printed(value)}, but must be ${bound}`)
    .join('; ');
}

/** The fault of a validator: `subject` says which object, `violations` is not empty. */
export function invalid<const Code extends string>(
  code: Code,
  subject: string,
  violations: readonly Violation[],
): Fault<Code> {
  return fault(code, `${subject}: ${violationWords(violations)}`, violations);
}
