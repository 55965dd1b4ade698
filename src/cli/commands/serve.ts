// `up` and `serve`: the commands that run the control plane. Their flags are the options of the
// configuration; they are added when the command is called, so that other commands start quickly.

import { isIP } from 'node:net';
import { type Command, Option } from 'commander';
import type { UpRequest } from '../actions.ts';
import { describe, runs, type Surroundings } from '../command.ts';
import { type Context, configurationFileOf, outputStyleOf } from '../context.ts';
import { usageFailure } from '../failure.ts';

type Flags = Record<string, string | true>;

/** `HOST`, `HOST:PORT`, `[IPV6]:PORT`. */
function parseListen(text: string): { readonly host: string; readonly port?: string } {
  if (isIP(text) !== 0) return { host: text };
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  if (host === undefined) {
    throw usageFailure(`--listen "${text}" is not HOST or HOST:PORT`, 'for instance 0.0.0.0:8120');
  }
  const port = parts?.[3];
  return port === undefined ? { host } : { host, port };
}

/** Adds a flag for each option of the configuration; those without a short name are not in --help. */
export async function addConfigurationFlags(command: Command): Promise<void> {
  const { listOptions } = await import('../../config/options.ts');
  for (const { path, flag, option } of listOptions()) {
    if (flag === undefined) continue;
    const unit = option.unit === undefined ? '' : ` Unit: ${option.unit}.`;
    const value = option.isSwitch ? '[value]' : '<value>';
    const declared = new Option(
      `${flag} ${value}`,
      `${option.words}${unit} Takes ${option.expected}. Default: ${option.fallbackWords}.`,
    );
    if (option.flag === undefined) declared.hideHelp();
    command.addOption(declared);
    declared.helpGroup('Configuration:');
    command.on(`option:${declared.name()}`, (given: unknown) => {
      const text = typeof given === 'string' ? given : true;
      command.setOptionValue(`configuration:${path}`, text);
    });
  }
}

const keyPrefix = 'configuration:';

function flagsOf(command: Command): Flags {
  const flags: Flags = {};
  for (const [name, value] of Object.entries(command.opts<Record<string, unknown>>())) {
    if (!name.startsWith(keyPrefix)) continue;
    flags[name.slice(keyPrefix.length)] = typeof value === 'string' ? value : true;
  }
  const { listen } = command.opts<{ readonly listen?: string }>();
  if (listen === undefined) return flags;
  if (flags['server.host'] !== undefined) throw usageFailure('give --listen or --host, not both');
  const { host, port } = parseListen(listen);
  flags['server.host'] = host;
  if (port === undefined) return flags;
  if (flags['server.port'] !== undefined) throw usageFailure('give --port or --listen HOST:PORT');
  flags['server.port'] = port;
  return flags;
}

function requestOf(context: Context, command: Command): UpRequest {
  return {
    dataDirectory: context.dataDirectory,
    configurationFile: configurationFileOf(context),
    flags: flagsOf(command),
    output: outputStyleOf(context),
  };
}

const moreFlags =
  'Every option of docs/reference/configuration.md has a flag: server.head_bytes is --server-head-bytes.';

function withListen(command: Command): Command {
  return command
    .option('--listen <host[:port]>', 'Address to listen on: --host and --port in one.')
    .addHelpText('after', `\n${moreFlags}`);
}

export function addServeCommands(program: Command, surroundings: Surroundings): void {
  const { actions } = surroundings;
  const up = withListen(
    describe(program.command('up'), {
      summary: 'start the control plane on this machine',
      description:
        'Starts the control plane: gateway, control services and, without DATABASE_URL, a PostgreSQL of its own. Runs until Ctrl-C or SIGTERM, then lets running requests end.',
      examples: ['tensorforge up', 'tensorforge up --port 9000 --log-level debug'],
    }),
  );
  runs(up, surroundings, (context, _, command) => actions.up(requestOf(context, command)));

  const serve = withListen(
    describe(program.command('serve'), {
      summary: 'run services of the control plane',
      description: 'Runs the named services. `--target all` is what `tensorforge up` does.',
      examples: [
        'tensorforge serve --target all',
        'tensorforge serve --target all --listen 0.0.0.0:8120 --behind-tls-proxy',
      ],
    }).requiredOption('--target <services>', 'Which services run; this version knows `all`.'),
  );
  runs(serve, surroundings, (context, _, command) => {
    const { target } = command.opts<{ readonly target: string }>();
    if (target.toLowerCase() !== 'all') {
      throw usageFailure(
        `--target ${target}: services apart come with a later version; this one runs all together`,
        'tensorforge serve --target all',
      );
    }
    return actions.serve('all', requestOf(context, command));
  });
  program.hook('preSubcommand', async (_, command) => {
    if (command === up || command === serve) await addConfigurationFlags(command);
  });
}
