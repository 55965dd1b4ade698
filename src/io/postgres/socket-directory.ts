// Where the embedded server's Unix socket is. The kernel allows about 107 bytes for its path, and a
// data directory may be longer than that; then a short private directory stands in for it.

import { lstatSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto } from '../credentials/crypto.ts';

/** Longest socket path used, bytes; below the limit of every platform (macOS: 103). */
const pathBytesMax = 100;
const socketName = '.s.PGSQL.5432';

export type SocketPlace = {
  readonly directory: string;
  /** The socket itself. */
  readonly path: string;
};

function placeIn(directory: string): SocketPlace {
  return { directory, path: join(directory, socketName) };
}

function fits(directory: string): boolean {
  return Buffer.byteLength(placeIn(directory).path) <= pathBytesMax;
}

/** Is it a directory (no link) of ours, closed to others? */
function isPrivate(directory: string): boolean {
  const stat = lstatSync(directory);
  return stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0;
}

/**
 * The directory of the socket, made with mode 0700. A short stand-in has the same name at each start,
 * so that a crash leaves no trail of them; when somebody else has that name, it gets a random one.
 */
export function prepareSocketDirectory(dataPath: string): SocketPlace {
  const inside = join(dataPath, 'run');
  if (fits(inside)) {
    mkdirSync(inside, { recursive: true, mode: 0o700 });
    return placeIn(inside);
  }
  const digest = nodeCrypto.sha256Hex(dataPath).slice(0, 16);
  const short = [tmpdir(), '/tmp']
    .map((parent) => join(parent, `tensorforge-${digest}`))
    .find(fits);
  const directory = short ?? join('/tmp', `tensorforge-${digest}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return placeIn(isPrivate(directory) ? directory : mkdtempSync(join('/tmp', 'tensorforge-')));
}
