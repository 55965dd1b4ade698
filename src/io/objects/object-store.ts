// Where whole files go that are not for this disk: sealed segments of the decision log, later
// artifacts and checkpoints. Two kinds behind one shape: a folder (local-store.ts) and a bucket
// (s3-store.ts).

import { assert } from '../../base/assert.ts';
import type { Fault } from '../../base/fault.ts';
import type { Result } from '../../base/result.ts';

export type ObjectBody = { readonly path: string } | { readonly bytes: Uint8Array };

export type StoredObject = { readonly key: string; readonly bytes: number };

/** Operating failures of the store reject with its own error. */
export type ObjectStore = {
  /** Stores the whole or nothing; an object of that key is replaced. */
  readonly put: (key: string, body: ObjectBody) => Promise<void>;
  /** The whole object in memory. */
  readonly get: (key: string) => Promise<Result<Buffer, Fault<'object_not_found'>>>;
  readonly has: (key: string) => Promise<boolean>;
  /** Objects whose key begins with `prefix`, by key. */
  readonly list: (prefix: string) => Promise<readonly StoredObject[]>;
};

/** `t0/00000001-ab12.tfd`: parts of letters, digits, dot, dash, underscore; no part is `.` or `..`. */
export function assertObjectKey(key: string): void {
  assert(key.length <= 512, `an object key of ${key.length} characters`);
  const parts = key.split('/');
  const isSafe = parts.every((part) => /^[A-Za-z0-9._-]+$/.test(part) && !/^\.{1,2}$/.test(part));
  assert(isSafe, `object key ${JSON.stringify(key)}`);
}
