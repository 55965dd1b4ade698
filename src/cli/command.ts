// How a command is put together: its words, two examples, synonyms, and a runner that gives it the
// caller's context. A noun without a verb lists; an unknown verb names the nearest and exits 2.

import { type Command, InvalidArgumentError } from 'commander';
import { nearest } from '../config/nearest.ts';
import type { Actions, Machine } from './actions.ts';
import { type Context, createContext, type GlobalFlags } from './context.ts';
import { exitCodes, usageFailure } from './failure.ts';

/** What all commands share. */
export type Surroundings = {
  readonly actions: Actions;
  readonly machine: Machine;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Tells the exit code of the command that ran. */
  exit(code: number): void;
};

export type CommandWords = {
  readonly summary: string;
  readonly description?: string;
  /** At least two, each a whole command line with a comment if it needs one. */
  readonly examples: readonly [string, string, ...string[]];
};

/** Sets summary, description and examples. */
export function describe(command: Command, words: CommandWords): Command {
  const examples = words.examples.map((line) => `  $ ${line}`).join('\n');
  return command
    .summary(words.summary)
    .description(words.description ?? words.summary)
    .addHelpText('after', `\nExamples:\n${examples}`);
}

/** The context of the command that was called. */
export function contextOf(command: Command, surroundings: Surroundings): Context {
  return createContext(command.optsWithGlobals<GlobalFlags>(), surroundings.env);
}

// biome-ignore lint/suspicious/noConfusingVoidType: most commands have nothing to say but 0.
type Run = (context: Context, args: readonly string[], command: Command) => Promise<number | void>;

/** Runs `run` with the context and the positional arguments; its number is the exit code. */
export function runs(command: Command, surroundings: Surroundings, run: Run): Command {
  // Said for each command: a subcommand would take over the leniency of a bare noun.
  return command.allowExcessArguments(false).action(async () => {
    const outcome = await run(contextOf(command, surroundings), command.args, command);
    surroundings.exit(outcome ?? exitCodes.ok);
  });
}

/** Makes the bare noun do what its `list` (or `show`) does, and refuses unknown verbs. */
export function bareNoun(noun: Command, surroundings: Surroundings, run: Run): Command {
  const lenient = runs(noun, surroundings, async (context, args, command) => {
    const verb = args[0];
    if (verb === undefined) return run(context, args, command);
    const verbs = noun.commands.flatMap((each) => [each.name(), ...each.aliases()]);
    throw unknownCommand(`${noun.name()} ${verb}`, verb, verbs);
  });
  return lenient.allowExcessArguments(true);
}

function unknownCommand(words: string, word: string, known: readonly string[]) {
  const near = nearest(word, known);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return usageFailure(`no command "${words}"${hint}`, `known: ${known.join(', ')}`);
}

/** A parser for commander: a whole number within [min, max]. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected an integer from ${min} to ${max}.`);
  };
}

/** A parser for commander: a number above 0 and at most `max`. */
export function positiveNumber(max: number): (text: string) => number {
  return (text) => {
    const value = /^\+?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (value > 0 && value <= max) return value;
    throw new InvalidArgumentError(`Expected a number above 0 and at most ${max}.`);
  };
}

/** A parser for commander: collects the values of an option that may be repeated. */
export function repeated(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}
