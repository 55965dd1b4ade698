// Canonical serialisation (rule RD10): one text for one value, on every machine and in every year.
// Keys sorted by code unit, numbers in shortest round-trip form, no undefined. Digests are over it.

import { AssertionFailed } from './assert.ts';
import { compareText } from './compare.ts';

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/**
 * The canonical JSON text of `value`. Members whose value is undefined are left out.
 * Throws {@link AssertionFailed} on NaN, infinities, BigInt, functions and symbols.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') {
    return JSON.stringify(value);
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new AssertionFailed(`not serialisable: ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map((item: Json) => canonicalJson(item ?? null)).join(',')}]`;
  }
  if (typeof value !== 'object') throw new AssertionFailed(`not serialisable: ${typeof value}`);
  const members: string[] = [];
  const record = value as { readonly [key: string]: Json | undefined };
  for (const key of Object.keys(record).sort(compareText)) {
    const member = record[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}
