// Reading members out of JSON that a stranger wrote: every reader answers undefined for what is not
// of the expected kind, and nothing is looked up on a prototype.

/** A backend with more models than this is cut off here, in the order it lists them. */
export const modelsMax = 2_000;
const modelIdLengthMax = 1_000;
const contextMax = 1_000_000_000;

export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

/** The member reached by following `names` in turn. */
export function memberAt(value: unknown, ...names: readonly string[]): unknown {
  return names.reduce(memberOf, value);
}

export function listOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A count of tokens or slots, from 1; anything else is no figure at all. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= contextMax
    ? value
    : undefined;
}

/** A size in bytes, from 0. */
export function bytesOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

export function flagOf(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

/** A short printable text that may be shown, such as a version. */
export function labelOf(value: unknown): string | undefined {
  const text = textOf(value);
  return text !== undefined && /^[A-Za-z0-9._+-]{1,64}$/.test(text) ? text : undefined;
}

/** A model id: 1 to 1000 characters without control characters, which no engine has in its names. */
export function modelIdOf(value: unknown): string | undefined {
  const id = textOf(value);
  if (id === undefined || id === '' || id.length > modelIdLengthMax) return undefined;
  return /[\u0000-\u001f\u007f-\u009f]/.test(id) ? undefined : id;
}
