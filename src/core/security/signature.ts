// Digests of texts and signatures of deployment manifests (platform specification A.12). A digest
// tells that a text is the one that was meant; a signature, made with a key, also who meant it. This
// is the operation with a shared key; manifests that anyone may verify carry Ed25519 (ruling 16).

import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { constantTimeEqual } from './constant-time.ts';
import type { CryptoPort } from './crypto-port.ts';

/** SHA-256 as 64 lower-case hexadecimal digits, also of an empty text. */
export function digest(text: string, cryptoPort: CryptoPort): string {
  return cryptoPort.sha256Hex(text);
}

/** Is `signature` equal to `expected`, and both the digest of `payload`? In constant time. */
export function verifySignature(
  payload: string,
  signature: string,
  expected: string,
  cryptoPort: CryptoPort,
): boolean {
  const isExpected = constantTimeEqual(signature, expected);
  const isDigest = constantTimeEqual(signature, digest(payload, cryptoPort));
  return isExpected && isDigest;
}

/**
 * HMAC-SHA-256 as 64 lower-case hexadecimal digits. An empty key is an error, and so is one that ends
 * in NUL: HMAC fills keys up with NUL, so it would sign what the shorter key signs.
 */
export function signManifest(
  payload: string,
  key: string,
  cryptoPort: CryptoPort,
): Result<string, Fault<'empty_key' | 'padded_key'>> {
  if (key === '')
    return err(fault('empty_key', 'the signing key must have at least one character'));
  if (key.endsWith('\0')) return err(fault('padded_key', 'the signing key must not end in NUL'));
  return ok(cryptoPort.hmacSha256Hex(key, payload));
}

/**
 * Was the signature made of this payload with this key? False for another payload, key or length,
 * and for a key that signs nothing. In constant time.
 */
export function verifyManifest(
  payload: string,
  key: string,
  signature: string,
  cryptoPort: CryptoPort,
): boolean {
  const signed = signManifest(payload, key, cryptoPort);
  return signed.ok && constantTimeEqual(signature, signed.value);
}
