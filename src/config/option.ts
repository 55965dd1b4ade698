// One option, declared once. The declaration is the only source of its type, default, unit, range,
// words, flag and variables: the loader, `--help`, `config init` and the reference page read it.
//
// A builder makes both the zod schema (which decides) and the English of `expected` (which tells the
// operator), so the two cannot drift apart. `fromText` turns the text of a flag or variable into a
// candidate for the schema; an option without it can be set in the file only.

import { isIP } from 'node:net';
import { z } from 'zod';
import { Secret } from '../base/secret.ts';
import { commaList } from '../base/text-list.ts';

export type Option<T> = {
  readonly kind: 'option';
  /** Decides whether a value holds, and turns it into what the program uses. */
  readonly schema: z.ZodType<T>;
  readonly fallback: () => T;
  /** The default as the reference page prints it. */
  readonly fallbackWords: string;
  /** What a good value looks like: "an integer from 0 to 65535". */
  readonly expected: string;
  readonly unit: string | undefined;
  readonly words: string;
  /** Replaces the flag derived from the path; the flag has its two dashes. */
  readonly flag: string | undefined;
  /** Variables beside the derived one, for instance `TENSORFORGE_PORT`. */
  readonly variables: readonly string[];
  readonly isSecret: boolean;
  /** Does the flag work without a value, meaning "true"? */
  readonly isSwitch: boolean;
  readonly fromText: ((text: string) => unknown) | undefined;
};

type Common = {
  readonly words: string;
  readonly unit?: string;
  readonly flag?: string;
  readonly variables?: readonly string[];
};

function declare<T>(
  common: Common,
  rest: Pick<Option<T>, 'schema' | 'fallback' | 'fallbackWords' | 'expected' | 'fromText'> &
    Partial<Pick<Option<T>, 'isSecret' | 'isSwitch'>>,
): Option<T> {
  return Object.freeze({
    kind: 'option',
    isSecret: false,
    isSwitch: false,
    ...rest,
    words: common.words,
    unit: common.unit,
    flag: common.flag,
    variables: common.variables ?? [],
  });
}

function numberFromText(text: string): unknown {
  return /^[+-]?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
}

/** A whole number within [min, max]. */
export function integer(
  common: Common & {
    readonly fallback: number | (() => number);
    readonly fallbackWords?: string;
    readonly min: number;
    readonly max: number;
  },
): Option<number> {
  const { fallback, min, max } = common;
  return declare(common, {
    schema: z.int().min(min).max(max),
    fallback: typeof fallback === 'number' ? () => fallback : fallback,
    fallbackWords: common.fallbackWords ?? String(fallback),
    expected: `an integer from ${min} to ${max}`,
    fromText: numberFromText,
  });
}

/** A number within [min, max]. */
export function decimal(
  common: Common & { readonly fallback: number; readonly min: number; readonly max: number },
): Option<number> {
  const { fallback, min, max } = common;
  return declare(common, {
    schema: z.number().min(min).max(max),
    fallback: () => fallback,
    fallbackWords: String(fallback),
    expected: `a number from ${min} to ${max}`,
    fromText: numberFromText,
  });
}

const trueWords = ['true', 'on', 'yes', '1'];
const falseWords = ['false', 'off', 'no', '0'];

function booleanFromText(text: string): unknown {
  const word = text.trim().toLowerCase();
  if (trueWords.includes(word)) return true;
  return falseWords.includes(word) ? false : text;
}

/** true or false; `on off yes no 1 0` are understood in variables and flags. */
export function switched(common: Common & { readonly fallback: boolean }): Option<boolean> {
  return declare(common, {
    schema: z.boolean(),
    fallback: () => common.fallback,
    fallbackWords: String(common.fallback),
    expected: 'true or false',
    isSwitch: true,
    fromText: booleanFromText,
  });
}

/** true, false or the word `auto`. */
export function switchedOrAuto(common: Common): Option<boolean | 'auto'> {
  return declare<boolean | 'auto'>(common, {
    schema: z.union([z.boolean(), z.literal('auto')]),
    fallback: () => 'auto',
    fallbackWords: 'auto',
    expected: 'true, false or auto',
    isSwitch: true,
    fromText: (text) => (text.trim().toLowerCase() === 'auto' ? 'auto' : booleanFromText(text)),
  });
}

/** One of a closed set of words; letter case does not matter. */
export function choice<const Words extends readonly [string, ...string[]]>(
  common: Common & { readonly of: Words; readonly fallback: Words[number] },
): Option<Words[number]> {
  const words: readonly string[] = common.of;
  const schema = z.preprocess(
    (value) => (typeof value === 'string' ? value.trim().toLowerCase() : value),
    z.enum(common.of),
  );
  return declare<Words[number]>(common, {
    schema,
    fallback: () => common.fallback,
    fallbackWords: common.fallback,
    expected: `one of ${words.join(', ')}`,
    fromText: (text) => text,
  });
}

const plainText = z.string().trim().min(1).max(4096);

/** A file path, used as written; relative paths start at the working directory. */
export function filePath(common: Common): Option<string | undefined> {
  return declare<string | undefined>(common, {
    schema: plainText,
    fallback: () => undefined,
    fallbackWords: 'not set',
    expected: 'the path of a file',
    fromText: (text) => text,
  });
}

/** An IP address or a host name, without port. */
export function host(common: Common & { readonly fallback: string }): Option<string> {
  return declare(common, {
    schema: plainText.refine(isHost),
    fallback: () => common.fallback,
    fallbackWords: common.fallback,
    expected: 'an IP address or a host name, without port',
    fromText: (text) => text,
  });
}

export function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  // All digits and dots but no address (127.1, 256.0.0.1) would be read as a number by resolvers.
  if (/^[\d.]+$/.test(text)) return false;
  return text.length <= 253 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9-]+)*\.?$/i.test(text);
}

/** A list of texts that each pass `isGood`; comma-separated in variables and flags. */
export function textList(
  common: Common & {
    readonly fallback: readonly string[];
    readonly of: string;
    readonly isGood: (item: string) => boolean;
  },
): Option<readonly string[]> {
  return declare<readonly string[]>(common, {
    schema: z.array(z.string().trim().min(1).max(1000).refine(common.isGood)).max(1000),
    fallback: () => common.fallback,
    fallbackWords: common.fallback.length === 0 ? 'none' : common.fallback.join(', '),
    expected: `a list of ${common.of}`,
    fromText: commaList,
  });
}

/** A list of whole numbers within [min, max]. */
export function integerList(
  common: Common & {
    readonly fallback: readonly number[];
    readonly of: string;
    readonly min: number;
    readonly max: number;
  },
): Option<readonly number[]> {
  return declare<readonly number[]>(common, {
    schema: z.array(z.int().min(common.min).max(common.max)).max(1000),
    fallback: () => common.fallback,
    fallbackWords: common.fallback.join(', '),
    expected: `a list of ${common.of} from ${common.min} to ${common.max}`,
    fromText: (text) => text.split(',').map((item) => numberFromText(item)),
  });
}

/** A URL with one of the given schemes that may hold a password: kept as a {@link Secret}. */
export function secretUrl(
  common: Common & { readonly schemes: readonly string[] },
): Option<Secret | undefined> {
  const isGood = (text: string): boolean =>
    URL.canParse(text) && common.schemes.includes(new URL(text).protocol.slice(0, -1));
  return declare<Secret | undefined>(common, {
    schema: plainText.refine(isGood).transform((text) => new Secret(text)),
    fallback: () => undefined,
    fallbackWords: 'not set',
    expected: `a URL that begins with ${common.schemes.map((s) => `${s}://`).join(' or ')}`,
    isSecret: true,
    fromText: (text) => text,
  });
}

/** Anything with a shape of its own; set in the file only. */
export function structure<T>(
  common: Common & {
    readonly schema: z.ZodType<T>;
    readonly fallback: T;
    readonly fallbackWords: string;
    readonly expected: string;
  },
): Option<T> {
  return declare(common, {
    schema: common.schema,
    fallback: () => common.fallback,
    fallbackWords: common.fallbackWords,
    expected: common.expected,
    fromText: undefined,
  });
}
