// Token usage as a backend reports it. A backend may be wrong or hostile, so a report is believed
// only if it is a plausible pair of counts (case 223); otherwise our own count stands.

export type UsageReport =
  | { readonly kind: 'absent' }
  /** There was a report, and it is not believed: counted in `usage_rejected_total`. */
  | { readonly kind: 'rejected' }
  | {
      readonly kind: 'usage';
      readonly promptTokens: number;
      readonly completionTokens: number;
      /** Of the prompt, what came from a cache; only where that is told and more than nothing. */
      readonly cachedTokens?: number;
    };

/** More than any context that exists; callers that know the request can be stricter. */
export const plausibleTokensMax = 2 ** 24;

/** An answer longer than this is searched for usage only at its end. */
const searchedBytesMax = 16 * 1024;

const absent: UsageReport = { kind: 'absent' };
const rejected: UsageReport = { kind: 'rejected' };

function isCount(value: unknown): value is number {
  return (
    typeof value === 'number' &&
    Number.isInteger(value) &&
    value >= 0 &&
    value <= plausibleTokensMax
  );
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}

/** Judges a `usage` value: the words of chat, of embeddings (no output), or of responses. */
export function readUsage(usage: unknown): UsageReport {
  if (usage === undefined || usage === null) return absent;
  const prompt = member(usage, 'prompt_tokens') ?? member(usage, 'input_tokens');
  const completion = member(usage, 'completion_tokens') ?? member(usage, 'output_tokens') ?? 0;
  if (!isCount(prompt) || !isCount(completion)) return rejected;
  const report = { kind: 'usage', promptTokens: prompt, completionTokens: completion } as const;
  const cached = cachedOf(usage);
  return cached === 0 ? report : { ...report, cachedTokens: Math.min(cached, prompt) };
}

/** Of chat, and of responses. A count that is not plausible is none: the prompt itself is believed. */
function cachedOf(usage: unknown): number {
  const details = member(usage, 'prompt_tokens_details') ?? member(usage, 'input_tokens_details');
  const cached = member(details, 'cached_tokens');
  return isCount(cached) ? cached : 0;
}

/** Usage of one parsed event or answer; responses carry it inside `response`. */
export function usageOfValue(value: unknown): UsageReport {
  return readUsage(member(value, 'usage') ?? member(member(value, 'response'), 'usage'));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Usage of an event's JSON text; absent when it is not JSON. */
export function usageOfText(text: string): UsageReport {
  return usageOfValue(parsed(text));
}

/** Offset behind the bracket that closes the one at `open`, or -1. Strings are skipped. */
function closingBracket(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    const c = text[at];
    if (c === '"') {
      at = stringEnd(text, at);
      if (at < 0) return -1;
    } else if (c === '{' || c === '[') {
      depth += 1;
    } else if (c === '}' || c === ']') {
      depth -= 1;
      if (depth <= 0) return at + 1;
    }
  }
  return -1;
}

function stringEnd(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    const c = text[at];
    if (c === '\\') at += 1;
    else if (c === '"') return at;
  }
  return -1;
}

/** Does the text behind a value close exactly one object, the root, and nothing more? */
function closesRoot(rest: string): boolean {
  const end = closingBracket(`{${rest}`, 0) - 1;
  return end > 0 && rest.slice(end).trim() === '';
}

/**
 * Usage of a JSON answer without parsing the answer: looks back from its end for the last
 * top-level `usage`. Absent whenever that is not certain.
 */
export function usageOfJson(answer: Buffer): UsageReport {
  const from = Math.max(0, answer.length - searchedBytesMax);
  const text = answer.toString('latin1', from);
  // Inside a string the quotes would be escaped, so this can only be a member's name (or a value).
  const nameAt = text.lastIndexOf('"usage"');
  if (nameAt < 0 || text[nameAt - 1] === '\\') return absent;
  const opening = /^"usage"[ \t\r\n]*:[ \t\r\n]*(?=\{)/.exec(text.slice(nameAt, nameAt + 64));
  if (opening === null) return absent;
  const start = nameAt + opening[0].length;
  const end = closingBracket(text, start);
  if (end < 0 || !closesRoot(text.slice(end))) return absent;
  const usage = parsed(text.slice(start, end));
  return usage === undefined ? absent : readUsage(usage);
}
