// What every command knows about its caller: the global flags, the environment, and whether a person
// reads the output. Data goes to `out` (stdout), everything said beside it to `note` (stderr).

import { dataDirectory, type Environment, findConfigurationFile } from '../config/places.ts';
import type { OutputStyle } from './actions.ts';

export type GlobalFlags = {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color?: boolean;
  readonly url?: string;
  readonly dataDir?: string;
  readonly config?: string;
};

export type Context = OutputStyle & {
  /** Words instead of shapes and boxes. */
  readonly accessible: boolean;
  readonly isTerminal: boolean;
  /** Width of the terminal in characters. */
  readonly columns: number;
  readonly env: Environment;
  /** `--url`, else TENSORFORGE_URL. */
  readonly url: string | undefined;
  readonly dataDirectory: string;
  /** `--config` as it was given. */
  readonly configFlag: string | undefined;
  out(line: string): void;
  note(line: string): void;
};

/** Text of a variable; an empty one counts as not set. */
function variable(env: Environment, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

export function createContext(flags: GlobalFlags, env: Environment): Context {
  const isTerminal = process.stdout.isTTY === true;
  const isPlain = flags.color === false || variable(env, 'NO_COLOR') !== undefined;
  return {
    json: flags.json === true,
    quiet: flags.quiet === true,
    color: isTerminal && !isPlain,
    accessible: env['TENSORFORGE_ACCESSIBLE'] === '1',
    isTerminal,
    columns: process.stdout.columns ?? 80,
    env,
    url: flags.url ?? variable(env, 'TENSORFORGE_URL'),
    dataDirectory: dataDirectory(flags.dataDir, env),
    configFlag: flags.config,
    out: (line) => {
      process.stdout.write(`${line}\n`);
    },
    note: (line) => {
      if (flags.quiet !== true) process.stderr.write(`${line}\n`);
    },
  };
}

/** The configuration file that this caller means, if any. */
export function configurationFileOf(context: Context): string | undefined {
  return findConfigurationFile(context.configFlag, context.env, context.dataDirectory);
}

export function outputStyleOf(context: Context): OutputStyle {
  return { json: context.json, quiet: context.quiet, color: context.color };
}
