// The version of this program: the one its package says.

import { readFileSync } from 'node:fs';

export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const value: unknown = JSON.parse(text);
  const isPackage = typeof value === 'object' && value !== null && 'version' in value;
  return isPackage ? String(value.version) : 'unknown';
}
