// What becomes of each parameter of a client's interface on its way to OpenAI's: one table per face and
// object, and one check that walks the request. What stands in no table is refused by its name, so a
// parameter that comes later is never lost without a word. `null` counts as absent.
//
//   translated  OpenAI's request says it, in the words of `to`
//   only        the values that ask for nothing special are taken, any other is refused
//   passed      its loss changes no answer; `because` says why that is so
//   engine      it steers the engine instead of the request, and is refused as such (security 2.1)

import { isDeepStrictEqual } from 'node:util';
import { BodyFault, isObject, type JsonObject, kindOf } from '../openai/member-check.ts';

type FaceRule =
  | { readonly kind: 'translated'; readonly to: string }
  | { readonly kind: 'only'; readonly values: readonly unknown[] }
  | { readonly kind: 'passed'; readonly because: string }
  | { readonly kind: 'engine' };

export type FaceTable = Readonly<Record<string, FaceRule>>;

export const engine: FaceRule = { kind: 'engine' };

export function to(words: string): FaceRule {
  return { kind: 'translated', to: words };
}

export function only(...values: readonly unknown[]): FaceRule {
  return { kind: 'only', values };
}

export function passed(because: string): FaceRule {
  return { kind: 'passed', because };
}

/** The fault of what this gateway cannot say to a backend. */
export function unsupported(param: string, words: string): BodyFault {
  return new BodyFault('unsupported_parameter', words, param);
}

function shown(value: unknown): string {
  return isObject(value) || Array.isArray(value)
    ? kindOf(value)
    : (JSON.stringify(value) ?? '').slice(0, 64);
}

function nameOf(at: string, name: string): string {
  return (at === '' ? name : `${at}.${name}`).slice(0, 128);
}

function refuse(param: string, value: unknown, rule: FaceRule | undefined): never {
  if (rule === undefined) {
    throw unsupported(param, `${param} cannot be passed on to a backend. Leave it out.`);
  }
  if (rule.kind !== 'only') {
    const words = `${param} controls the engine and is refused. Leave it out.`;
    throw new BodyFault('field_not_allowed', words, param);
  }
  const instead = rule.values.map((allowed) => JSON.stringify(allowed)).join(' or ');
  const advice = instead === '' ? 'Leave it out.' : `Send ${instead}, or leave it out.`;
  throw unsupported(param, `${param} is ${shown(value)}, which cannot be passed on. ${advice}`);
}

function isTaken(value: unknown, rule: FaceRule): boolean {
  if (rule.kind === 'only') return rule.values.some((allowed) => isDeepStrictEqual(allowed, value));
  return rule.kind !== 'engine';
}

/** Refuses the first member of `object` that the table does not take; `at` is the way to it. */
export function checkTable(object: JsonObject, table: FaceTable, at = ''): void {
  for (const name of Object.keys(object)) {
    const value = object[name];
    if (value === null) continue;
    const rule = Object.hasOwn(table, name) ? table[name] : undefined;
    if (rule === undefined || !isTaken(value, rule)) refuse(nameOf(at, name), value, rule);
  }
}
