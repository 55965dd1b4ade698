// An Ed25519 key whose private half is a 0600 file and never leaves it. Beside it stands a list of the
// public halves of every key that was ever in that file: what an earlier key signed stays proven after
// a change of keys, and a key that came from anywhere else proves nothing.

import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { readSecretFile, writePrivateFile } from '../files/private-file.ts';

export type SigningKey = {
  /** The raw 32 bytes of the public half, base64url. */
  readonly publicKey: string;
  /** Public halves of this key and of those before it. */
  readonly trusted: ReadonlySet<string>;
  /** The signature of the UTF-8 bytes, base64url. */
  sign(text: string): string;
};

/** What stands before the 32 bytes of an Ed25519 key in its DER form (RFC 8410). */
const derHead = Buffer.from('302a300506032b6570032100', 'hex');

function newPrivateKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
}

function rememberPublic(path: string, publicKey: string): ReadonlySet<string> {
  const known = readSecretFile(path)?.reveal().split('\n') ?? [];
  if (!known.includes(publicKey)) {
    known.push(publicKey);
    writePrivateFile(path, `${known.join('\n')}\n`);
  }
  return new Set(known);
}

/**
 * The key in the file `path`, made where there is none; its public halves are in `path` + `.public`.
 * Throws `config_invalid` when others may read either file.
 */
export function openSigningKey(path: string): SigningKey {
  let pem = readSecretFile(path)?.reveal();
  if (pem === undefined) {
    pem = newPrivateKey();
    writePrivateFile(path, pem);
  }
  const key = createPrivateKey(pem);
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const publicKey = der.subarray(derHead.length).toString('base64url');
  return {
    publicKey,
    trusted: rememberPublic(`${path}.public`, publicKey),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
  };
}

/** Was this text signed by the key with this public half? False for halves and signatures that are none. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  const raw = Buffer.from(publicKey, 'base64url');
  if (raw.length !== 32) return false;
  const key = createPublicKey({
    key: Buffer.concat([derHead, raw]),
    type: 'spki',
    format: 'der',
  });
  return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
}
