// Contents of files under ids of our own, in one folder: written piece by piece under a temporary name,
// and there under their own only when they are whole and on the disk.
//
//   C1  a content that can be read is whole.
//   C2  what a crash left half-written, or without a row in the database, is removed at a start.

import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { assert } from '../../base/assert.ts';
import { isMissing, temporaryName } from './private-file.ts';

/** One content that is being written. Ends with `keep` or with `drop`. */
export class ContentDraft {
  readonly #file: FileHandle;
  readonly #temporary: string;
  readonly #path: string;
  readonly #folder: string;
  #bytes = 0;

  constructor(file: FileHandle, paths: { temporary: string; path: string; folder: string }) {
    this.#file = file;
    this.#temporary = paths.temporary;
    this.#path = paths.path;
    this.#folder = paths.folder;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.writeFile(bytes);
    this.#bytes += bytes.length;
  }

  /** Resolves when the whole content is on the disk under its id. */
  async keep(): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
    await rename(this.#temporary, this.#path);
    const folder = await open(this.#folder, 'r');
    await folder.sync().finally(() => folder.close());
  }

  async drop(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.#temporary, { force: true });
  }
}

export class ContentFolder {
  readonly #folder: string;

  /** The folder is made, for its owner only, with the first content. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async draft(id: string): Promise<ContentDraft> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = this.#path(id);
    const temporary = temporaryName(path);
    const file = await open(temporary, 'wx', 0o600);
    return new ContentDraft(file, { temporary, path, folder: this.#folder });
  }

  /** From `byte` on. The stream fails with ENOENT where there is no such content. */
  read(id: string, byte = 0): Readable {
    return createReadStream(this.#path(id), { start: byte });
  }

  async remove(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
  }

  /** Everything in the folder: ids, and names of what is half-written. */
  async names(): Promise<readonly string[]> {
    try {
      return await readdir(this.#folder);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  /** Removes an entry of {@link names}. */
  async removeName(name: string): Promise<void> {
    assert(!name.includes('/'), `a name in a folder, not ${name}`);
    await rm(join(this.#folder, name), { force: true });
  }

  #path(id: string): string {
    assert(/^[a-z]+-[0-9a-f]{24}$/.test(id), `the id of a content, not ${JSON.stringify(id)}`);
    return join(this.#folder, id);
  }
}
