// Renders docs/reference/cli.md from the program itself; a check fails when the page differs.

import type { Command } from 'commander';
import { addConfigurationFlags } from './commands/serve.ts';
import { createProgram } from './program.ts';

const unused = (): never => {
  throw new Error('the reference page runs no command');
};

/** Every command in the order of the program, with its path: `backends add`. */
export function listCommands(program: Command): readonly (readonly [string, Command])[] {
  return program.commands.flatMap((command): [string, Command][] => {
    const nested = listCommands(command).map(([path, child]): [string, Command] => [
      `${command.name()} ${path}`,
      child,
    ]);
    return [[command.name(), command], ...nested];
  });
}

/** The program without anything behind it: for its words only. */
export function createBareProgram(): Command {
  return createProgram(
    {
      up: unused,
      serve: unused,
      sim: unused,
      demo: unused,
      simulate: unused,
      replayFolder: unused,
    },
    { readLock: unused, dataDirectoryProblem: unused, checkDatabase: unused },
    {},
  );
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => 100,
    getOutHasColors: () => false,
    outputError: () => {},
  });
  command.outputHelp();
  return text.trimEnd();
}

/** The whole of docs/reference/cli.md. */
export async function renderCliReference(): Promise<string> {
  const program = createBareProgram();
  const lines = [
    '# Command line',
    '',
    'Generated from the program; do not edit.',
    '',
    '`tensorforge <noun> <verb> [name] [flags]`. Nouns are plural, the singular works; a noun alone',
    'lists. `ls`, `rm` and `status` stand for list, remove and show. Global flags may stand anywhere.',
    '',
    'On a terminal a list is a table with shapes: ● well, ◐ at work, ○ waiting, ▲ attention, ■ bad,',
    '◇ off. In a pipe it is tab-separated with one header line, raw figures and their unit in the name.',
    '`--json` prints the answer of the API, `--quiet` only ids. Data is on stdout, everything else on',
    'stderr. `NO_COLOR` and `--no-color` take the colours away, `TENSORFORGE_ACCESSIBLE=1` the shapes.',
    '',
    'A failure is `error  code: what was met` and `do   what helps`; with `--json` it is the envelope of',
    'the control API, `{"msg", "code", "details"}`, on stdout. Codes of `docs/reference/errors.md` come',
    'from the installation. The command line itself adds `usage`, `service_away`, `certificate_untrusted`, `unexpected_answer`,',
    '`insecure_file`, `credentials_unreadable`, `not_permitted`, `still_running`, `file_exists` and',
    '`file_not_written`.',
    '',
    '| Exit | Meaning |',
    '|---|---|',
    '| 0 | done |',
    '| 1 | failed, or the configuration does not hold |',
    '| 2 | usage: unknown command or flag, bad value; nothing ran |',
    '| 4 | examined and refused, with reasons |',
    '| 69 | the service is away or was lost |',
    '| 75 | another process uses the data directory |',
    '| 77 | credentials refused |',
    '',
    'The installation is `--url`, else `TENSORFORGE_URL`, else the one that runs with the data directory,',
    'else http://127.0.0.1:8120. The key is `TENSORFORGE_API_KEY`, else `admin.key` in the data directory,',
    'which is sent to an installation on this machine only. A secret is never the value of a flag.',
    '',
    '## tensorforge',
    '',
    '```',
    helpOf(program),
    '```',
  ];
  for (const [path, command] of listCommands(program)) {
    if (path === 'up' || path === 'serve') await addConfigurationFlags(command);
    command.configureHelp({ showGlobalOptions: false });
    lines.push('', `## tensorforge ${path}`, '', '```', helpOf(command), '```');
  }
  return `${lines.join('\n')}\n`;
}
