// Version numbers of models: three parts, compared as numbers. Rows of the platform specification
// C.1.

import { compareNumbers } from '../../base/compare.ts';

/** Each part is a whole number within 0..{@link versionPartMax}. */
export type ModelVersion = {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
};

/** The largest unsigned 32-bit integer. */
export const versionPartMax = 4_294_967_295;

/** Zero, or digits that do not begin with it, as in semantic versioning (C.1 decision). */
const partShape = /^(?:0|[1-9]\d{0,9})$/;

export function isVersionPart(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= versionPartMax;
}

/** -1, 0 or 1 by major, minor, patch as numbers: 1.10.0 is after 1.9.9. */
export function compareVersions(a: ModelVersion, b: ModelVersion): number {
  return Math.sign(
    compareNumbers(a.major, b.major) ||
      compareNumbers(a.minor, b.minor) ||
      compareNumbers(a.patch, b.patch),
  );
}

function parsePart(text: string | undefined): number | undefined {
  if (text === undefined || !partShape.test(text)) return undefined;
  const value = Number(text);
  return isVersionPart(value) ? value : undefined;
}

/** Exactly three decimal parts between dots, each within 32 bits; absent for anything else. */
export function parseVersion(text: string): ModelVersion | undefined {
  const parts = text.split('.', 4);
  if (parts.length !== 3) return undefined;
  const [major, minor, patch] = parts.map(parsePart);
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  return Object.freeze({ major, minor, patch });
}

/** `major.minor.patch`; parseVersion(formatVersion(v)) equals v. */
export function formatVersion(version: ModelVersion): string {
  return `${version.major}.${version.minor}.${version.patch}`;
}
