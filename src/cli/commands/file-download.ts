// An answer of any length, on its way to a file or to standard output. A file appears under its name
// only when it is whole, readable by its owner alone; what broke off leaves nothing behind.

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CliFailure, exitCodes } from '../failure.ts';

/** Longer than the last line of anything that is downloaded. */
const lastLineBytesMax = 1024 * 1024;

export type DownloadTarget = {
  /** Undefined: standard output. */
  readonly output?: string | undefined;
  readonly force?: boolean | undefined;
  /** Is this last line the end of a whole answer? */
  readonly isWhole: (lastLine: string) => boolean;
};

export type Downloaded = { readonly path: string | undefined; readonly lastLine: string };

type Download = (take: (part: Buffer) => Promise<void>) => Promise<void>;

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function exists(path: string, cause?: unknown): CliFailure {
  return new CliFailure('file_exists', `${path} exists and was not changed`, {
    exitCode: exitCodes.failed,
    remedy: 'overwrite it: --force, or name another file',
    cause,
  });
}

function notWritten(path: string, cause: unknown): CliFailure {
  return new CliFailure('file_not_written', `${path} cannot be written: ${wordsOf(cause)}`, {
    exitCode: exitCodes.failed,
    remedy: 'name a file in a folder that you may write to, with room for it',
    cause,
  });
}

/** Remembers the end of what passes through it. */
class LastLine {
  #tail: Buffer = Buffer.alloc(0);

  take(part: Buffer): void {
    const joined = Buffer.concat([this.#tail, part]);
    const end = joined.at(-1) === 10 ? joined.length - 2 : joined.length - 1;
    const at = joined.lastIndexOf(10, end);
    this.#tail = joined.subarray(Math.max(at + 1, joined.length - lastLineBytesMax));
  }

  get text(): string {
    return this.#tail.toString('utf8').trimEnd();
  }
}

async function receive(
  download: Download,
  { isWhole }: DownloadTarget,
  write: (part: Buffer) => Promise<void>,
): Promise<string> {
  const last = new LastLine();
  await download(async (part) => {
    last.take(part);
    await write(part);
  });
  if (isWhole(last.text)) return last.text;
  throw new CliFailure('answer_incomplete', 'the answer ended before its last line', {
    exitCode: exitCodes.away,
    remedy: 'repeat it; the log of the installation says why it broke off',
  });
}

function toStandardOutput(part: Buffer): Promise<void> {
  return new Promise((done, fail) => {
    process.stdout.write(part, (error) => {
      if (error === null || error === undefined) done();
      else fail(error);
    });
  });
}

async function moveInto(path: string, temporary: string, isForced: boolean): Promise<void> {
  if (isForced) return rename(temporary, path);
  // A name that somebody took in the meantime is not taken over.
  await link(temporary, path);
  await rm(temporary);
}

async function toFile(download: Download, target: DownloadTarget, path: string): Promise<string> {
  if (target.force !== true && existsSync(path)) throw exists(path);
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, 'wx', 0o600);
    const opened = file;
    const lastLine = await receive(download, target, async (part) => {
      await opened.writeFile(part);
    });
    await file.sync();
    await file.close();
    await moveInto(path, temporary, target.force === true);
    return lastLine;
  } catch (error) {
    await file?.close().catch(() => undefined);
    await rm(temporary, { force: true });
    if (error instanceof CliFailure) throw error;
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    throw isTaken ? exists(path, error) : notWritten(path, error);
  }
}

/** Downloads into the file, or to standard output. */
export async function downloadFile(
  download: Download,
  target: DownloadTarget,
): Promise<Downloaded> {
  if (target.output === undefined) {
    return { path: undefined, lastLine: await receive(download, target, toStandardOutput) };
  }
  const path = resolve(target.output);
  return { path, lastLine: await toFile(download, target, path) };
}
