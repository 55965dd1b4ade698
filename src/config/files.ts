// Reads the configuration of this machine: the file, then the files that it names.

import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import type { Result } from '../base/result.ts';
import type { ConfigurationFault } from './fault.ts';
import {
  type Examined,
  examineConfiguration,
  type FlagValues,
  type Loaded,
  verdictOn,
} from './load.ts';
import { type Environment, secretFileProblem } from './places.ts';
import { readPriceFile } from './price-file.ts';

export type ReadInput = {
  /** From findConfigurationFile; undefined runs without a file. */
  readonly configurationFile: string | undefined;
  readonly env: Environment;
  readonly flags: FlagValues;
};

/** What is wrong with a file that anybody may read. */
function fileProblem(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'a file that exists';
  if (!stat.isFile()) return 'a regular file';
  accessSync(path, constants.R_OK);
  return undefined;
}

/** What the price list itself has; it is refused whole, like the configuration that names it. */
function priceFaults(file: string | undefined): readonly ConfigurationFault[] {
  if (file === undefined) return [];
  const read = readPriceFile(readFileSync(file, 'utf8'), file);
  return read.ok ? [] : read.error;
}

function fileFaults({ config, sources }: Loaded): ConfigurationFault[] {
  const faults: ConfigurationFault[] = [];
  const check = (
    path: string,
    file: string | undefined,
    problemOf: (file: string) => string | undefined,
  ): void => {
    if (file === undefined) return;
    let expected: string | undefined;
    try {
      expected = problemOf(file);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      expected = `a file that can be read: ${words}`;
    }
    if (expected === undefined) return;
    faults.push({ path, value: file, expected, source: sources[path] ?? 'default' });
  };
  check('server.tls_cert', config.server.tlsCert, fileProblem);
  check('server.tls_key', config.server.tlsKey, secretFileProblem);
  check('security.pepper_file', config.security.pepperFile, secretFileProblem);
  check('prices.file', config.prices.file, fileProblem);
  const hasPrices = !faults.some(({ path }) => path === 'prices.file');
  if (hasPrices) faults.push(...priceFaults(config.prices.file));
  return faults;
}

/**
 * Reads the file, loads it with variables and flags, and looks at the files it names; every fault
 * and every warning of all three. Never throws.
 */
export function examineFiles(input: ReadInput): Examined {
  const filePath = input.configurationFile;
  const unread: ConfigurationFault[] = [];
  let fileText: string | undefined;
  if (filePath !== undefined) {
    try {
      fileText = readFileSync(filePath, 'utf8');
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      const expected = `a file that can be read: ${words}`;
      unread.push({ path: '', value: '', expected, source: 'file', origin: filePath });
    }
  }
  const { env, flags } = input;
  const examined = examineConfiguration({ fileText, filePath, env, flags });
  return { ...examined, faults: [...unread, ...examined.faults, ...fileFaults(examined)] };
}

/** The configuration of this machine, or every fault of it at once. */
export function readConfiguration(input: ReadInput): Result<Loaded, ConfigurationFault[]> {
  return verdictOn(examineFiles(input));
}
