// Passwords at rest (platform specification A.12, ruling 16).

import { assert } from '../../base/assert.ts';
import type { CryptoPort } from './crypto-port.ts';

/**
 * The slow hash of a password with its salt; different salts give different hashes. The salt is ours
 * and drawn for each password, so an empty one is a bug.
 */
export function hashPassword(password: string, salt: string, cryptoPort: CryptoPort): string {
  assert(salt !== '', 'a password is hashed with a salt');
  return cryptoPort.passwordHash(password, salt);
}
