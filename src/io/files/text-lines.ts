// Lines of a text file one after another, unpacked when its name ends in `.gz`. Holds one line and
// one chunk at a time, whatever the size of the file.

import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';

/** Characters that a line may have. */
export const lineCharactersMax = 1_048_576;

/** Yields lines without their ends (LF or CRLF). Throws `config_invalid` when it cannot be read. */
export async function* textLines(file: string): AsyncGenerator<string> {
  const source = sourceOf(file);
  let rest = '';
  try {
    for await (const chunk of source.setEncoding('utf8')) {
      rest += String(chunk);
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield withoutReturn(line);
      if (rest.length > lineCharactersMax) {
        throw new TensorForgeError(
          'config_invalid',
          `${file}: a line is longer than ${lineCharactersMax} characters; this is not a trace`,
        );
      }
    }
    if (rest !== '') yield withoutReturn(rest);
  } catch (cause) {
    if (cause instanceof TensorForgeError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TensorForgeError('config_invalid', `cannot read ${file}: ${reason}`, { cause });
  } finally {
    source.destroy();
  }
}

function sourceOf(file: string): Readable {
  const bytes = createReadStream(file);
  if (!file.endsWith('.gz')) return bytes;
  // The reader of the unpacked side hears of every error; nothing is left to do here.
  return pipeline(bytes, createGunzip(), () => {});
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
