// Requests of which several can go to an engine as one: embeddings and completions take an array in
// the place of one text, and answer with an index for each. Here a request says what it would bring,
// several become one body, and one answer is split again.
//
//   A1  Only requests whose options are the same go together: every member but model, user, stream and
//       the input itself. What is not understood is an option like any other.
//   A2  An answer is split only if it has every index exactly once; entries keep their order, and each
//       part counts its own from 0.

import { canonicalJson, type Json } from '../../base/canonical.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { isObject, type JsonObject } from './member-check.ts';

export type ArrayKind = 'embeddings' | 'completions';

/** What one request brings. */
export type ArrayPart = {
  readonly kind: ArrayKind;
  /** At least one: texts, or lists of tokens. */
  readonly items: readonly Json[];
  /** Texts and tokens do not go into one array. */
  readonly form: 'text' | 'tokens';
  /** Entries of the answer for each item: `n`. */
  readonly answersEach: number;
  /** Canonical JSON of everything else; equal for requests that may go together. */
  readonly options: string;
};

const memberOf = { embeddings: 'input', completions: 'prompt' } as const;
const listOf = { embeddings: 'data', completions: 'choices' } as const;
/** Members that do not stand in the way: who asks is no option, and a stream is never joined. */
const ownMembers: ReadonlySet<string> = new Set(['model', 'user', 'stream', 'stream_options']);

function isTokens(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'number');
}

function itemsOf(value: unknown): Pick<ArrayPart, 'items' | 'form'> | undefined {
  if (typeof value === 'string') return { items: [value], form: 'text' };
  if (isTokens(value)) return { items: [value], form: 'tokens' };
  if (!Array.isArray(value) || value.length === 0) return undefined;
  if (value.every((one) => typeof one === 'string')) return { items: value, form: 'text' };
  return value.every(isTokens) ? { items: value, form: 'tokens' } : undefined;
}

/** A number that JSON writes otherwise than it was read, such as a seed beyond 2^53, stays as it came. */
function isExact(text: string): boolean {
  let exact = true;
  JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== 'number') return value;
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
      exact = false;
    }
    return value;
  });
  return exact;
}

/** Undefined for a body that goes alone. It has been read by `readRequestBody`, and streams nothing. */
export function arrayPartOf(kind: ArrayKind, body: Buffer): ArrayPart | undefined {
  const text = body.toString('utf8');
  const value: unknown = JSON.parse(text);
  if (!isObject(value) || !isExact(text)) return undefined;
  const name = memberOf[kind];
  const items = itemsOf(value[name]);
  if (items === undefined) return undefined;
  const rest = Object.entries(value).filter(
    ([member]) => member !== name && !ownMembers.has(member),
  );
  const n = value['n'];
  return {
    kind,
    ...items,
    answersEach: kind === 'completions' && typeof n === 'number' ? n : 1,
    options: canonicalJson(JSON.parse(JSON.stringify(Object.fromEntries(rest)))),
  };
}

/** One body for all of them; at least one, of one kind, form and options. */
export function jointBody(parts: readonly ArrayPart[], model: string): Buffer {
  const first = parts[0];
  const kind = first?.kind ?? 'embeddings';
  const items = parts.flatMap((part) => part.items);
  const options: JsonObject = JSON.parse(first?.options ?? '{}');
  return Buffer.from(JSON.stringify({ model, [memberOf[kind]]: items, ...options }));
}

type Entry = JsonObject & { readonly index: number };

export type SplitAnswer = {
  /** Of each part: the entries that are its own. */
  readonly lists: readonly (readonly Entry[])[];
  /** Everything else of the answer. */
  readonly rest: JsonObject;
};

function entriesOf(value: unknown, count: number): readonly Entry[] | string {
  if (!Array.isArray(value)) return 'without a list of answers';
  if (value.length !== count) return `with ${value.length} answers to ${count}`;
  const entries: Entry[] = [];
  for (const entry of value) {
    const index: unknown = isObject(entry) ? entry['index'] : undefined;
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= count) {
      return 'with an answer without its index';
    }
    if (entries[index] !== undefined) return `with two answers of index ${index}`;
    entries[index] = { ...entry, index };
  }
  return entries;
}

/**
 * The answer to {@link jointBody} of these parts, parsed, with the entries of each. Words for one
 * that cannot be split.
 */
export function splitAnswer(
  answer: unknown,
  parts: readonly ArrayPart[],
): Result<SplitAnswer, string> {
  const kind = parts[0]?.kind ?? 'embeddings';
  if (!isObject(answer)) return err('The backend answered with no object.');
  const { [listOf[kind]]: list, ...rest } = answer;
  const sizes = parts.map((part) => part.items.length * part.answersEach);
  const entries = entriesOf(
    list,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  if (typeof entries === 'string') return err(`The backend answered a batch ${entries}.`);
  let from = 0;
  const lists = sizes.map((size) => {
    const own = entries.slice(from, from + size).map((entry, index) => ({ ...entry, index }));
    from += size;
    return own;
  });
  return ok({ lists, rest });
}

export type PartUsage = {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
};

function usageMember(kind: ArrayKind, usage: PartUsage): JsonObject {
  const { promptTokens, completionTokens, cachedTokens } = usage;
  const total = { total_tokens: promptTokens + completionTokens };
  if (kind === 'embeddings') return { prompt_tokens: promptTokens, ...total };
  const details =
    cachedTokens === 0 ? {} : { prompt_tokens_details: { cached_tokens: cachedTokens } };
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    ...total,
    ...details,
  };
}

/**
 * The answer of one part. `id` takes the place of an id that the answer has; `usage` that of its
 * usage, which is left out where nobody told any.
 */
export function partAnswer(
  kind: ArrayKind,
  rest: JsonObject,
  list: readonly Entry[],
  own: { readonly id: string; readonly usage: PartUsage | undefined },
): string {
  const { id, usage: _, ...others } = rest;
  return JSON.stringify({
    ...(id === undefined ? {} : { id: own.id }),
    ...others,
    [listOf[kind]]: list,
    ...(own.usage === undefined ? {} : { usage: usageMember(kind, own.usage) }),
  });
}

/** Characters that a completion has; what its share of the output is measured by. */
export function textLength(list: readonly Entry[]): number {
  return list.reduce((sum, { text }) => sum + (typeof text === 'string' ? text.length : 0), 0);
}
