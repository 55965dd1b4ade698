// JSON that travels in its own words. What a model or a client wrote as the arguments of a tool, or as
// a schema, is never parsed and printed again: that would turn 1.0 into 1, lose the digits of a long
// id, reorder members with numeric names and rewrite escapes. A RawJson is a place in a text that is
// known to be valid JSON; `jsonText` writes values around it and its own characters where it stands.

import { closingQuote, defaultJsonLimits } from '../openai/json-scan.ts';
import { isObject } from '../openai/member-check.ts';

const quote = 0x22;
const comma = 0x2c;
const { depthMax, containersMax } = defaultJsonLimits;

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** Offset of the first character from `at` on that is no blank. */
function behindBlanks(text: string, at: number): number {
  let next = at;
  while (isBlank(text.charCodeAt(next))) next += 1;
  return next;
}

function isOpening(code: number): boolean {
  return code === 0x7b || code === 0x5b;
}

function isClosing(code: number): boolean {
  return code === 0x7d || code === 0x5d;
}

/** Offset behind the container that opens at `start`; -1 when it is never closed or costs too much. */
function containerEnd(text: string, start: number): number {
  let depth = 0;
  let containers = 0;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = closingQuote(text, at);
      if (at < 0) return -1;
    } else if (isOpening(code)) {
      depth += 1;
      containers += 1;
      if (depth > depthMax || containers > containersMax) return -1;
    } else if (isClosing(code)) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}

/** Offset behind the value at `start` of a valid text. */
function valueEnd(text: string, start: number): number {
  const code = text.charCodeAt(start);
  if (code === quote) return closingQuote(text, start) + 1;
  if (isOpening(code)) return containerEnd(text, start);
  let at = start;
  while (at < text.length) {
    const next = text.charCodeAt(at);
    if (next === comma || isClosing(next) || isBlank(next)) break;
    at += 1;
  }
  return at;
}

function nameOf(raw: string): string {
  if (!raw.includes('\\')) return raw.slice(1, -1);
  const name: unknown = JSON.parse(raw);
  return typeof name === 'string' ? name : '';
}

export class RawJson {
  readonly #whole: string;
  readonly #start: number;
  readonly #end: number;
  #members: ReadonlyMap<string, RawJson> | undefined;
  #elements: readonly RawJson[] | undefined;

  /** `whole` must be valid JSON, and the span one value in it. */
  constructor(whole: string, start = behindBlanks(whole, 0), end = valueEnd(whole, start)) {
    this.#whole = whole;
    this.#start = start;
    this.#end = end;
  }

  /** Its own characters, as they were written. */
  get text(): string {
    return this.#whole.slice(this.#start, this.#end);
  }

  /** The last member of this name, which is the one that parsers take; undefined without one. */
  member(name: string): RawJson | undefined {
    this.#members ??= this.#readMembers();
    return this.#members.get(name);
  }

  element(place: number): RawJson | undefined {
    this.#elements ??= this.#readElements();
    return this.#elements[place];
  }

  #readMembers(): ReadonlyMap<string, RawJson> {
    const members = new Map<string, RawJson>();
    const text = this.#whole;
    if (text[this.#start] !== '{') return members;
    let at = behindBlanks(text, this.#start + 1);
    while (text.charCodeAt(at) === quote) {
      const nameEnd = closingQuote(text, at) + 1;
      const start = behindBlanks(text, behindBlanks(text, nameEnd) + 1);
      const end = valueEnd(text, start);
      members.set(nameOf(text.slice(at, nameEnd)), new RawJson(text, start, end));
      at = behindBlanks(text, behindBlanks(text, end) + 1);
    }
    return members;
  }

  #readElements(): readonly RawJson[] {
    const elements: RawJson[] = [];
    const text = this.#whole;
    if (text[this.#start] !== '[') return elements;
    let start = behindBlanks(text, this.#start + 1);
    while (start < this.#end - 1) {
      const end = valueEnd(text, start);
      elements.push(new RawJson(text, start, end));
      start = behindBlanks(text, behindBlanks(text, end) + 1);
    }
    return elements;
  }
}

/** JSON of `value` in which each RawJson stands in its own words; undefined members are left out. */
export function jsonText(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return arrayText(value);
  if (!isObject(value)) return JSON.stringify(value ?? null);
  let text = '';
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (member === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${jsonText(member)}`;
  }
  return `{${text}}`;
}

function arrayText(values: readonly unknown[]): string {
  let text = '';
  for (const value of values) text += `${text === '' ? '' : ','}${jsonText(value)}`;
  return `[${text}]`;
}

function isValid(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The one JSON object that `text` is, in its own words; undefined when it is none, or nested deeper
 * than 64 levels or made of more than 100 000 containers. Numbers may be of any size: they are only
 * carried.
 */
export function objectText(text: string): RawJson | undefined {
  const start = behindBlanks(text, 0);
  if (text[start] !== '{') return undefined;
  const end = containerEnd(text, start);
  if (end < 0 || !isValid(text)) return undefined;
  return new RawJson(text, start, end);
}
