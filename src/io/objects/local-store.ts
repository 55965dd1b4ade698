// Objects as files below one folder; the key is the path. A write is a temporary file and a rename,
// so that nobody meets half an object.

import { constants, createReadStream } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { compareText } from '../../base/compare.ts';
import { fault } from '../../base/fault.ts';
import { err, ok } from '../../base/result.ts';
import { isMissing, temporaryName } from '../files/private-file.ts';
import {
  assertObjectKey,
  type ObjectBody,
  type ObjectStore,
  type StoredObject,
} from './object-store.ts';

/** What was begun and not finished; no object has such a name. */
const temporarySuffix = '.tmp';

async function writeWhole(path: string, body: ObjectBody): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile('bytes' in body ? body.bytes : createReadStream(body.path));
    await file.sync();
  } finally {
    await file.close();
  }
}

export class LocalStore implements ObjectStore {
  readonly #root: string;

  /** The folder is made, for its owner only, with the first object. */
  constructor(root: string) {
    this.#root = root;
  }

  async put(key: string, body: ObjectBody): Promise<void> {
    const path = this.#path(key);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const temporary = temporaryName(path);
    try {
      await writeWhole(temporary, body);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async get(key: string): ReturnType<ObjectStore['get']> {
    try {
      return ok(await readFile(this.#path(key)));
    } catch (error) {
      if (!isMissing(error)) throw error;
      return err(fault('object_not_found', `there is no object ${key}`));
    }
  }

  async has(key: string): Promise<boolean> {
    try {
      await access(this.#path(key), constants.F_OK);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async list(prefix: string): Promise<readonly StoredObject[]> {
    const entries = await this.#entries();
    const keys = entries.filter((key) => key.startsWith(prefix)).sort(compareText);
    const sizes = await Promise.all(keys.map((key) => stat(join(this.#root, key))));
    return keys.map((key, index) => ({ key, bytes: sizes[index]?.size ?? 0 }));
  }

  async #entries(): Promise<readonly string[]> {
    try {
      const entries = await readdir(this.#root, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile() && !entry.name.endsWith(temporarySuffix))
        .map((entry) => relative(this.#root, join(entry.parentPath, entry.name)));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  #path(key: string): string {
    assertObjectKey(key);
    return join(this.#root, key);
  }
}
