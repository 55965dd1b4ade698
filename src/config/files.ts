// Reads the configuration of this machine: the file, then the files that it names.

import { readFileSync, statSync } from 'node:fs';
import { err, ok, type Result } from '../base/result.ts';
import type { ConfigurationFault } from './fault.ts';
import { type FlagValues, type Loaded, loadConfiguration } from './load.ts';
import { type Environment, secretFileProblem } from './places.ts';

export type ReadInput = {
  /** From findConfigurationFile; undefined runs without a file. */
  readonly configurationFile: string | undefined;
  readonly env: Environment;
  readonly flags: FlagValues;
};

function fileFaults({ config, sources }: Loaded): ConfigurationFault[] {
  const faults: ConfigurationFault[] = [];
  const check = (path: string, file: string | undefined, expected: string | undefined): void => {
    if (file === undefined || expected === undefined) return;
    faults.push({ path, value: file, expected, source: sources[path] ?? 'default' });
  };
  const { tlsCert, tlsKey } = config.server;
  const isCert = tlsCert === undefined || statSync(tlsCert, { throwIfNoEntry: false })?.isFile();
  check('server.tls_cert', tlsCert, isCert ? undefined : 'a file that exists');
  for (const [path, file] of [
    ['server.tls_key', tlsKey],
    ['security.pepper_file', config.security.pepperFile],
  ] as const) {
    if (file !== undefined) check(path, file, secretFileProblem(file));
  }
  return faults;
}

/** Reads the file, loads it with variables and flags, and looks at the files it names. */
export function readConfiguration(input: ReadInput): Result<Loaded, ConfigurationFault[]> {
  const filePath = input.configurationFile;
  let fileText: string | undefined;
  if (filePath !== undefined) {
    try {
      fileText = readFileSync(filePath, 'utf8');
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      const expected = `a file that can be read: ${words}`;
      return err([{ path: '', value: '', expected, source: 'file', origin: filePath }]);
    }
  }
  const loaded = loadConfiguration({ fileText, filePath, env: input.env, flags: input.flags });
  if (!loaded.ok) return loaded;
  const faults = fileFaults(loaded.value);
  return faults.length > 0 ? err(faults) : ok(loaded.value);
}
