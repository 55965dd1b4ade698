// Reads members of a JSON value of which nothing is known, and collects what is wrong with them. A
// wrong member reads as an empty one, so that a reader goes on and finds every fault at once.

import type { Violation } from '../../base/fault.ts';

/** Faults kept; a document that is something else altogether needs no more. */
const violationsMax = 20;

export class JsonReader {
  readonly #violations: Violation[] = [];

  get violations(): readonly Violation[] {
    return this.#violations;
  }

  /** The value of an own member; undefined where there is none, and in what is no object. */
  member(json: unknown, name: string): unknown {
    if (typeof json !== 'object' || json === null || !Object.hasOwn(json, name)) return undefined;
    return Reflect.get(json, name);
  }

  text(value: unknown, field: string): string {
    return typeof value === 'string' ? value : this.#wrong(field, value, 'a text', '');
  }

  number(value: unknown, field: string): number {
    return typeof value === 'number' ? value : this.#wrong(field, value, 'a number', 0);
  }

  flag(value: unknown, field: string): boolean {
    return typeof value === 'boolean' ? value : this.#wrong(field, value, 'true or false', false);
  }

  oneOf<Name extends string>(
    value: unknown,
    names: readonly [Name, ...Name[]],
    field: string,
  ): Name {
    const found = names.find((name) => name === value);
    return found ?? this.#wrong(field, value, `one of ${names.join(', ')}`, names[0]);
  }

  list(value: unknown, field: string): readonly unknown[] {
    return Array.isArray(value) ? value : this.#wrong(field, value, 'a list', []);
  }

  /** The members of an object, in its order. */
  entries(value: unknown, field: string): readonly (readonly [string, unknown])[] {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? Object.entries(value) : this.#wrong(field, value, 'an object', []);
  }

  #wrong<T>(field: string, value: unknown, bound: string, instead: T): T {
    if (this.#violations.length < violationsMax) this.#violations.push({ field, value, bound });
    return instead;
  }
}
