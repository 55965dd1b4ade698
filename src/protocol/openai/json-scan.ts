// One pass over a JSON body before anything parses it. It bounds what parsing may cost (depth,
// containers, members, elements: ten megabytes of `[` hold JSON.parse for over a second), refuses a
// top-level member that occurs twice (engines mostly take the last `model`, a prefix scan would
// have authorised the first), and finds the bytes of one member's string value, so that only they
// need to be rewritten.
//
// It is no validator. On text that is JSON, every fact it gives is exact; on text that is not, it
// has bounded the part that a parser reads before it stops, and JSON.parse must refuse the rest.
// Two things it refuses, at any depth, that JSON.parse accepts:
// - a number that overflows to Infinity (`1e999`);
// - a member name that spells a letter, digit or underscore as an escape (`\u0069mage_url`). No
//   encoder writes that, and V8's JSON.parse can be made to read it as another name by names it has
//   read before (nodejs/node issue 63785): what the engine takes for `image_url` we would not see.
//
// The text is the body as latin1, one character per byte: positions are byte offsets, and UTF-8
// needs no decoding, because its bytes from 0x80 up occur in strings only. Strings are skipped by
// `indexOf('"')`, which is why a long prompt costs little.

import { err, ok, type Result } from '../../base/result.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';

export type JsonLimits = {
  readonly depthMax: number;
  readonly containersMax: number;
  /** Members of all objects together. */
  readonly membersMax: number;
  /** Elements of all arrays together. */
  readonly elementsMax: number;
};

/**
 * Security section 3. The elements are ours: a body of nothing but array elements would hold the
 * loop for 100 ms. 300 000 is the most tokens that OpenAI takes in one embeddings request.
 */
export const defaultJsonLimits: JsonLimits = {
  depthMax: 64,
  containersMax: 100_000,
  membersMax: 200_000,
  elementsMax: 300_000,
};

export type JsonScan = {
  /** Names of the top-level members, decoded, in order. Empty when the root is no object. */
  readonly names: readonly string[];
  /** Byte offset of the opening quote of the sought member's string value; -1 without one. */
  readonly valueStart: number;
  /** Byte offset behind its closing quote; -1 without one. */
  readonly valueEnd: number;
};

const quote = 0x22;
const backslash = 0x5c;

/** Offset of the quote that closes the string opened at `open`; -1 when there is none. */
export function closingQuote(text: string, open: number): number {
  let close = text.indexOf('"', open + 1);
  while (close >= 0 && text.charCodeAt(close - 1) === backslash) {
    let run = close - 1;
    while (run > open && text.charCodeAt(run) === backslash) run -= 1;
    // An even number of backslashes escape each other and leave the quote alone.
    if ((close - 1 - run) % 2 === 0) break;
    close = text.indexOf('"', close + 1);
  }
  return close;
}

// Names that we rely on hold nothing else, so every other escape is harmless.
const escapedPlainCharacter = /\\u00(?:3[0-9]|[46][1-9a-f]|[57][0-9a]|5f)/i;

function hidesPlainCharacter(rawName: string): boolean {
  // An escaped backslash makes plain text of what follows it.
  return escapedPlainCharacter.test(rawName.replaceAll('\\\\', ''));
}

/** The name as a parser will see it; undefined when the text is not a JSON string. */
function decodedName(raw: string): string | undefined {
  if (!/[\\\x80-\xff]/.test(raw)) return raw;
  try {
    const name: unknown = JSON.parse(`"${Buffer.from(raw, 'latin1').toString('utf8')}"`);
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Top-level names seen so far: a short list is searched faster than a set is built. */
class NameList {
  readonly names: string[] = [];
  #set: Set<string> | undefined;

  /** False when the name was there already. */
  add(name: string): boolean {
    if (this.#set === undefined) {
      if (this.names.includes(name)) return false;
      if (this.names.length >= 16) this.#set = new Set(this.names);
    } else if (this.#set.has(name)) {
      return false;
    }
    this.#set?.add(name);
    this.names.push(name);
    return true;
  }
}

function tooComplex(what: string, limit: number): { readonly ok: false; readonly error: Refusal } {
  return err(
    refusal(
      'json_too_complex',
      `The JSON body holds more than ${limit} ${what}. Send a simpler body, or several requests.`,
    ),
  );
}

/** Offset behind the number at `start`, or -1 when its value overflows a double. */
function numberEnd(text: string, start: number): number {
  let at = start + 1;
  let hasExponent = false;
  for (; at < text.length; at += 1) {
    const c = text.charCodeAt(at);
    if (c >= 0x30 && c <= 0x39) continue;
    if (c === 0x65 || c === 0x45) hasExponent = true;
    else if (c !== 0x2e && c !== 0x2b && c !== 0x2d) break;
  }
  if (!hasExponent && at - start <= 308) return at;
  const value = Number(text.slice(start, at));
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY ? -1 : at;
}

/**
 * Scans the latin1 text of a body for its cost, its top-level names and the string value of the
 * top-level member `sought`. Refuses with `json_too_complex`, `duplicate_field` or `invalid_json`.
 */
export function scanJson(
  text: string,
  sought: string,
  limits: JsonLimits,
): Result<JsonScan, Refusal> {
  const { length } = text;
  const found = new NameList();
  let depth = 0;
  let containers = 0;
  let members = 0;
  let commas = 0;
  let valueStart = -1;
  let valueEnd = -1;
  // Both only matter at depth 1 of an object: is the next string a name, and is it the sought one?
  let rootIsObject = false;
  let nameIsNext = false;
  let valueIsSought = false;
  // The last string, which is a name if a colon follows, and the first backslash that is not before
  // it. Only moving on, the search for backslashes reads every byte at most once.
  let lastOpen = 0;
  let lastClose = 0;
  let nextBackslash = text.indexOf('\\');
  let hidesName = false;
  let at = 0;
  while (at < length) {
    const c = text.charCodeAt(at);
    if (c === quote) {
      const close = closingQuote(text, at);
      if (close < 0) break;
      lastOpen = at;
      lastClose = close;
      if (depth === 1 && rootIsObject) {
        if (nameIsNext) {
          nameIsNext = false;
          const name = decodedName(text.slice(at + 1, close));
          if (name === undefined) break;
          if (!found.add(name)) return duplicate(name);
          valueIsSought = name === sought;
        } else if (valueIsSought) {
          valueIsSought = false;
          valueStart = at;
          valueEnd = close + 1;
        }
      }
      at = close + 1;
      continue;
    }
    if ((c >= 0x30 && c <= 0x39) || c === 0x2d) {
      at = numberEnd(text, at);
      if (at < 0) return overflow();
      continue;
    }
    at += 1;
    switch (c) {
      case 0x2c: // ,
        commas += 1;
        if (depth === 1) nameIsNext = rootIsObject;
        break;
      case 0x3a: // :
        members += 1;
        if (members > limits.membersMax) return tooComplex('members', limits.membersMax);
        if (nextBackslash >= 0 && nextBackslash < lastOpen) {
          nextBackslash = text.indexOf('\\', lastOpen);
        }
        if (nextBackslash > lastOpen && nextBackslash < lastClose) {
          hidesName ||= hidesPlainCharacter(text.slice(lastOpen, lastClose));
        }
        break;
      case 0x7b: // {
      case 0x5b: // [
        if (depth === 0) {
          rootIsObject = c === 0x7b;
          nameIsNext = rootIsObject;
        } else if (depth === 1) {
          valueIsSought = false;
        }
        depth += 1;
        containers += 1;
        if (depth > limits.depthMax) return tooComplex('levels of nesting', limits.depthMax);
        if (containers > limits.containersMax) {
          return tooComplex('objects and arrays', limits.containersMax);
        }
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth -= 1;
        break;
    }
    // Every element but the first of its array follows a comma, as does every member but the first
    // of its object: what exceeds the members by commas are elements.
    if (commas - members > limits.elementsMax) {
      return tooComplex('array elements', limits.elementsMax);
    }
  }
  // Told last, because a doubled name is the graver news of the two.
  if (hidesName) return hiddenName();
  return ok({ names: found.names, valueStart, valueEnd });
}

function hiddenName(): { readonly ok: false; readonly error: Refusal } {
  return err(
    refusal(
      'invalid_json',
      'A member name spells a letter, digit or underscore as an escape. Write it plainly.',
    ),
  );
}

function duplicate(name: string): { readonly ok: false; readonly error: Refusal } {
  const shown = name.length > 64 ? `${name.slice(0, 64)}...` : name;
  return err(
    refusal(
      'duplicate_field',
      `The member ${JSON.stringify(shown)} occurs twice in the body. Send it once.`,
      { param: shown },
    ),
  );
}

function overflow(): { readonly ok: false; readonly error: Refusal } {
  return err(
    refusal('invalid_json', 'The body holds a number that no double can hold. Send a smaller one.'),
  );
}
