// The program: all commands, the global flags, and how any outcome becomes an exit code.
//
//   arguments -> secret check -> commander -> command -> 0
//                     |              |            |
//                     +--------------+------------+--> failure: two lines or one JSON value, exit N

import { Command, CommanderError } from 'commander';
import type { Actions, Machine } from './actions.ts';
import { describe, type Surroundings } from './command.ts';
import { addAuditCommands } from './commands/audit.ts';
import { addBackendCommands } from './commands/backends.ts';
import { addBatchCommands } from './commands/batches.ts';
import { addBreakerCommands } from './commands/breakers.ts';
import { AlreadyTold, addConfigCommands } from './commands/config.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addExplainCommands } from './commands/explain.ts';
import { addFleetCommands } from './commands/fleet.ts';
import { addKeyCommands } from './commands/keys.ts';
import { addLifecycleCommands } from './commands/lifecycle.ts';
import { addLimitCommands } from './commands/limits.ts';
import { addModelCommands } from './commands/models.ts';
import { addPolicyCommands } from './commands/policy.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addServeCommands } from './commands/serve.ts';
import { addShadowCommands } from './commands/shadows.ts';
import { addSimulateCommand } from './commands/simulate.ts';
import { addUsageCommand } from './commands/usage.ts';
import { addWorkCommands } from './commands/work.ts';
import { type CliFailure, exitCodes, toFailure, usageFailure } from './failure.ts';
import { failureJson, failureLines } from './output/errors.ts';
import { remedyOfSecretFlag, secretFlagIn } from './secret-flags.ts';
import { readVersion } from './version.ts';

const exitWords = [
  'Exit codes: 0 done, 1 failed or bad configuration, 2 usage, 3 work failed or a check found a',
  'difference, 4 refused with reasons, 69 service away, 75 data directory in use, 77 credentials',
  'refused.',
].join('\n');

/** Settings that commander does not hand down to subcommands made before they were set. */
function everywhere(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .configureHelp({ showGlobalOptions: true })
    .helpCommand(false)
    .helpOption('-h, --help', 'Show this help.');
  for (const child of command.commands) everywhere(child);
}

/** The whole command line. `exit` is told the code of the command that ran to its end. */
export function createProgram(
  actions: Actions,
  machine: Machine,
  env: Readonly<Record<string, string | undefined>> = process.env,
  exit: (code: number) => void = () => {},
): Command {
  const surroundings: Surroundings = { actions, machine, env, exit };
  const program = describe(new Command('tensorforge'), {
    summary: 'the control plane for a fleet of GPUs',
    description:
      'TensorForge: one self-hosted control plane for the models you serve on a fleet of GPUs.',
    examples: ['tensorforge up', 'tensorforge backends list', 'tensorforge explain request last'],
  })
    .addHelpText('after', `\n${exitWords}`)
    .option('--json', 'Print one JSON value.')
    .option('--quiet', 'Print ids only.')
    .option('--no-color', 'No colours; NO_COLOR does the same.')
    .option('--url <url>', 'The installation to talk to. Default: the one of the data directory.')
    .option('--data-dir <dir>', 'The data directory. Default: ~/.local/share/tensorforge.')
    .option('--config <file>', 'The configuration file. Default: tensorforge.yaml.')
    .version(readVersion(), '--version', 'Print the version.');
  addServeCommands(program, surroundings);
  addLifecycleCommands(program, surroundings);
  addBackendCommands(program, surroundings);
  addKeyCommands(program, surroundings);
  addModelCommands(program, surroundings);
  addFleetCommands(program, surroundings);
  addExplainCommands(program, surroundings);
  addPolicyCommands(program, surroundings);
  addBreakerCommands(program, surroundings);
  addReplayCommand(program, surroundings);
  addSimulateCommand(program, surroundings);
  addUsageCommand(program, surroundings);
  addBatchCommands(program, surroundings);
  addShadowCommands(program, surroundings);
  addLimitCommands(program, surroundings);
  addAuditCommands(program, surroundings);
  addConfigCommands(program, surroundings);
  addDoctorCommand(program, surroundings);
  addWorkCommands(program, surroundings);
  everywhere(program);
  return program;
}

/** `error: unknown option '--prot'\n(Did you mean --port?)` in our own form. */
function fromCommander(error: CommanderError): CliFailure {
  const words = error.message
    .replace(/^error: /, '')
    .replace(/\s*\(Did you mean (one of )?(.+?)\?\)/, '; did you mean $2?')
    .replaceAll("'", '"');
  return usageFailure(words, 'tensorforge --help, or --help after the command');
}

/** Prints a failure for the reader that the arguments ask for. */
function tellFailure(failure: CliFailure, asJson: boolean): void {
  if (failure instanceof AlreadyTold) return;
  if (asJson) process.stdout.write(`${failureJson(failure)}\n`);
  else process.stderr.write(`${failureLines(failure).join('\n')}\n`);
}

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).includes('--json');
}

/** Runs one command line (without node and script) and resolves with its exit code. */
export async function runProgram(
  args: readonly string[],
  actions: Actions,
  machine: Machine,
): Promise<number> {
  let code: number = exitCodes.ok;
  try {
    const secretFlag = secretFlagIn(args);
    if (secretFlag !== undefined) {
      throw usageFailure(
        `${secretFlag} VALUE is refused: every user of this machine can read the arguments of a process`,
        remedyOfSecretFlag(secretFlag),
      );
    }
    const program = createProgram(actions, machine, process.env, (told) => {
      code = told;
    });
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      const isHelp = error.code === 'commander.helpDisplayed' || error.code === 'commander.version';
      if (isHelp) return exitCodes.ok;
      // A noun that has no meaning alone prints its help to stderr; that is a usage failure too.
      if (error.code === 'commander.help') return exitCodes.usage;
    }
    const failure = error instanceof CommanderError ? fromCommander(error) : toFailure(error);
    tellFailure(failure, wantsJson(args));
    return failure.exitCode;
  }
  return code;
}
