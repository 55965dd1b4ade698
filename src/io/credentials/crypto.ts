// The cryptography of the product on node:crypto, in the shape that the core asks for (its crypto
// port). Texts count as their UTF-8 bytes; digests are lower-case hexadecimal.

import { argon2Sync, createHmac, hash } from 'node:crypto';

/** SHA-256, 64 hexadecimal digits. */
function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}

/** HMAC-SHA-256, 64 hexadecimal digits. */
function hmacSha256Hex(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

/** 19 MiB, two passes, one lane: what OWASP recommends at least for argon2id; some 54 ms. */
const passwordCost = { memory: 19 * 1024, passes: 2, parallelism: 1, tagLength: 32 } as const;

function unpaddedBase64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

/**
 * argon2id as a PHC string, which names its algorithm and cost and holds all that a verifier needs.
 * The nonce is the digest of the salt, because argon2 (RFC 9106) wants at least 8 bytes and a salt is
 * text of any length. Blocks for tens of milliseconds: not for a thread that serves requests.
 */
function passwordHash(password: string, salt: string): string {
  const nonce = hash('sha256', salt, 'buffer');
  const tag = argon2Sync('argon2id', { message: password, nonce, ...passwordCost });
  const { memory, passes, parallelism } = passwordCost;
  const cost = `m=${memory},t=${passes},p=${parallelism}`;
  return `$argon2id$v=19$${cost}$${unpaddedBase64(nonce)}$${unpaddedBase64(tag)}`;
}

export const nodeCrypto = Object.freeze({ sha256Hex, hmacSha256Hex, passwordHash });
