// The folder that the tests of one run write into. Nothing in it outlives the run, so it lies in memory
// where there is enough: databases that are made and thrown away by the dozen wait for no disk.
import { mkdtempSync, statfsSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';

const memoryFolder = '/dev/shm';
/** Type of a file system in memory: TMPFS_MAGIC of Linux. */
const tmpfs = 0x01021994;
/** Six databases at once take less than half of this. */
const wantedBytes = 4e9;

function isRoomy(folder: string): boolean {
  try {
    const { type, bavail, bsize } = statfsSync(folder);
    return type === tmpfs && bavail * bsize > wantedBytes && freemem() > 2 * wantedBytes;
  } catch {
    return false;
  }
}

/** A new empty folder; whoever asked for it removes it. */
export function scratchFolder(): string {
  const root = process.platform === 'linux' && isRoomy(memoryFolder) ? memoryFolder : tmpdir();
  return mkdtempSync(join(root, 'tft-'));
}
