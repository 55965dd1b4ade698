// The stored form of a PostgreSQL password (RFC 5802, SCRAM-SHA-256), computed here so that the
// password itself never stands in an SQL statement, a log or a statistics view of the server.

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Secret } from '../../base/secret.ts';

/** PostgreSQL's own default; the passwords have 256 random bits, so more would only cost time. */
const iterations = 4096;

export function scramVerifier(password: Secret, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password.reveal(), salt, iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
