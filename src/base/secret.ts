// A secret redacts itself: its text, JSON and inspected forms never show the value.

const inspectSymbol = Symbol.for('nodejs.util.inspect.custom');

export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Every call site is a place to review. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [inspectSymbol](): string {
    return '[redacted]';
  }
}

/** All but the last four characters as `*`; four or fewer are masked whole (platform rule A.12). */
export function maskSensitive(value: string): string {
  if (value.length <= 4) return '*'.repeat(value.length);
  return '*'.repeat(value.length - 4) + value.slice(-4);
}

const secretShapes: readonly (readonly [RegExp, string])[] = [
  [/tfk_[A-Za-z0-9_-]{4,}/g, 'tfk_[redacted]'],
  // Words that explain the form, `Bearer tfk_...`, hold no secret.
  [/\bBearer\s+(?!tfk_\.{3}(?![^\s"'`.,;:)]))[^\s"']+/gi, 'Bearer [redacted]'],
  [/\beyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)*/g, '[redacted-token]'],
  [/X-Amz-Signature=[0-9A-Fa-f]+/g, 'X-Amz-Signature=[redacted]'],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s/@]*@/gi, '$1[redacted]@'],
  [/("?webhook_secret"?\s*[:=]\s*)"?[^\s",}]+"?/g, '$1[redacted]'],
];

/** The last filter before any sink: masks everything shaped like a credential (security 2.9). */
export function redactText(text: string): string {
  let out = text;
  for (const [shape, replacement] of secretShapes) out = out.replace(shape, replacement);
  return out;
}
