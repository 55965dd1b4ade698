// The API key: `tfk_` id `_` secret `_` check.
//
//   tfk_ k3v7qz2mnb4a _ 0Zr...43 base64url characters...8Q _ q7x2ma
//        12 base32      32 random bytes, canonical           6 base32
//
// The id is public (`key_` + id names the key in lists and logs), the secret is shown once and
// stored only as a digest. The check is no protection: it tells a mistyped or cut key from an
// unknown one without a look-up, and makes every character of the text count. It is the low 30
// bits of FNV-1a over `<id>_<secret>`. Each step of it is a bijection of those 30 bits, so every
// change of a single character changes the check.

import { assert } from '../../base/assert.ts';
import type { KeyId } from '../../base/brand.ts';
import { textHash } from '../../base/text-hash.ts';

export type ParsedApiKey = {
  readonly keyId: KeyId;
  /** The 43 characters of the secret, for the digest. */
  readonly secret: string;
  /** The whole text as it came. */
  readonly text: string;
};

const base32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** Bytes of randomness that {@link formatApiKey} takes for the id; five bits of each are used. */
export const keyIdBytes = 12;
/** Bytes of randomness of the secret: 256 bits. */
export const keySecretBytes = 32;

// 32 bytes leave two unused bits in the last base64url character: only these 16 endings are
// canonical, so one secret has one spelling.
const keyShape = /^tfk_([a-z2-7]{12})_([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])_([a-z2-7]{6})$/;

function checkOf(idAndSecret: string): string {
  const hash = textHash(idAndSecret);
  let check = '';
  for (let shift = 25; shift >= 0; shift -= 5) check += base32[(hash >>> shift) & 31];
  return check;
}

/** Makes the text of a key from random bytes that the caller drew. */
export function formatApiKey(idBytes: Uint8Array, secretBytes: Uint8Array): string {
  assert(idBytes.length === keyIdBytes, `a key id needs ${keyIdBytes} bytes`);
  assert(secretBytes.length === keySecretBytes, `a key secret needs ${keySecretBytes} bytes`);
  let id = '';
  for (const byte of idBytes) id += base32[byte & 31];
  const idAndSecret = `${id}_${Buffer.from(secretBytes).toString('base64url')}`;
  return `tfk_${idAndSecret}_${checkOf(idAndSecret)}`;
}

/** Reads a key by its form alone; undefined for every text that {@link formatApiKey} cannot make. */
export function parseApiKey(text: string): ParsedApiKey | undefined {
  const match = keyShape.exec(text);
  if (match === null) return undefined;
  const [, id = '', secret = '', check] = match;
  if (checkOf(text.slice(4, -7)) !== check) return undefined;
  return { keyId: `key_${id}` as KeyId, secret, text };
}
