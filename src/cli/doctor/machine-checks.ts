// What `doctor` finds out about this machine alone: Node, the data directory and its disk, variables
// that mislead, and the GPU driver.

import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, lstatSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { nvidiaSmiArguments, parseNvidiaSmi } from '../../protocol/gpu/nvidia-smi.ts';
import type { Machine } from '../actions.ts';
import { counted, shownBytes } from '../output/text.ts';
import { attention, bad, type Check, well, wordsOf } from './check.ts';

const run = promisify(execFile);
const oldestNode = 24;
const gigabyte = 1e9;
const diskBadBytes = gigabyte;
const diskLowBytes = 5 * gigabyte;
/** CUDA 12.4 and later, which current engines are built with, need this driver. */
const oldestDriver = 550;

export function checkNode(version: string): Check {
  const major = Number(version.split('.')[0]);
  return major >= oldestNode
    ? well('node', `Node ${version}`)
    : bad(
        'node',
        `Node ${version} is older than ${oldestNode}`,
        'start it by npm start or bin/tensorforge.mjs',
      );
}

/** The nearest directory above (or at) `path` that exists. */
function existing(path: string): string {
  let at = path;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  return at;
}

export async function checkDataDirectory(path: string, machine: Machine): Promise<Check> {
  const problem = await machine.dataDirectoryProblem(path);
  if (problem !== undefined) {
    return bad('data directory', `${path} ${problem}`, 'choose another: --data-dir DIR');
  }
  const place = existing(path);
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
  } catch {
    return bad(
      'data directory',
      `${place} cannot be written by this user`,
      'choose another: --data-dir DIR',
    );
  }
  const key = lstatSync(join(path, 'admin.key'), { throwIfNoEntry: false });
  if (key !== undefined && (key.mode & 0o077) !== 0) {
    const file = join(path, 'admin.key');
    return bad('data directory', `${file} can be read by other users`, `chmod 600 ${file}`);
  }
  return well('data directory', place === path ? path : `${path} (made at the first start)`);
}

export function checkDisk(path: string): Check {
  const place = existing(path);
  try {
    const { bavail, bsize } = statfsSync(place);
    const free = bavail * bsize;
    const words = `${shownBytes(free)} free at ${place}`;
    if (free < diskBadBytes)
      return bad('disk', words, 'free at least 1 GB, or use another --data-dir');
    if (free < diskLowBytes) return attention('disk', words, 'below 5 GB: make room soon');
    return well('disk', words);
  } catch (error) {
    return bad(
      'disk',
      `the free space at ${place} is not known: ${wordsOf(error)}`,
      'check the mount',
    );
  }
}

export function checkVariables(env: Readonly<Record<string, string | undefined>>): Check[] {
  const foreign = Object.keys(env).filter((name) => name.startsWith('NEXUS_'));
  if (foreign.length === 0) return [];
  return [
    attention(
      'variables',
      `${foreign.join(', ')} ${foreign.length === 1 ? 'is' : 'are'} not read by TensorForge`,
      'set TENSORFORGE_... instead; docs/reference/configuration.md has the names',
    ),
  ];
}

/** The GPUs of this machine, from what nvidia-smi printed. */
export function checkGpuOutput(text: string): Check {
  const gpus = parseNvidiaSmi(text);
  const first = gpus[0];
  if (first === undefined) {
    return attention(
      'gpu',
      'nvidia-smi lists no GPU',
      'look at nvidia-smi itself; dmesg may say why',
    );
  }
  const driver = first.driverVersion ?? 'unknown';
  const memory = gpus.map((gpu) =>
    gpu.memoryTotalMib === undefined
      ? gpu.name
      : `${gpu.name} ${(gpu.memoryTotalMib / 1024).toFixed(0)} GiB`,
  );
  const words = `driver ${driver}, ${counted(gpus.length, 'GPU')}: ${memory.join(', ')}`;
  const major = Number.parseInt(driver, 10);
  if (Number.isInteger(major) && major < oldestDriver) {
    return attention(
      'gpu',
      words,
      `upgrade the driver to ${oldestDriver} or later: CUDA 12.4 needs it`,
    );
  }
  return well('gpu', words);
}

export async function checkGpu(): Promise<Check> {
  try {
    const { stdout } = await run('nvidia-smi', [...nvidiaSmiArguments], { timeout: 10_000 });
    return checkGpuOutput(stdout);
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isAbsent) return well('gpu', 'no NVIDIA driver here; remote engines need none');
    return attention(
      'gpu',
      `nvidia-smi fails: ${wordsOf(error)}`,
      'reinstall the driver or reboot',
    );
  }
}
