// `config`: write, check, show and reload the configuration. `init` and `check` work on files of this
// machine; `show` and `reload` ask the running installation.

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { openApi } from '../client.ts';
import { bareNoun, describe, runs, type Surroundings } from '../command.ts';
import { type Context, configurationFileOf } from '../context.ts';
import { CliFailure, exitCodes } from '../failure.ts';
import { shape } from '../output/shapes.ts';
import { printListing } from '../output/table.ts';
import { counted, escapeControl } from '../output/text.ts';

async function init(context: Context, file: string | undefined, force: boolean): Promise<void> {
  const { renderConfigurationTemplate } = await import('../../config/reference.ts');
  const text = renderConfigurationTemplate();
  if (file === '-') {
    process.stdout.write(text);
    return;
  }
  const path = resolve(file ?? context.configFlag ?? 'tensorforge.yaml');
  try {
    writeFileSync(path, text, { flag: force ? 'w' : 'wx', mode: 0o600 });
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new CliFailure(
      exists ? 'file_exists' : 'file_not_written',
      exists ? `${path} exists and was not changed` : `${path} cannot be written: ${words}`,
      {
        exitCode: exitCodes.failed,
        remedy: exists ? 'overwrite it: --force, or name another file' : 'name another file',
        cause,
      },
    );
  }
  if (context.json) context.out(JSON.stringify({ file: path }));
  else if (context.quiet) context.out(path);
  else
    context.out(
      `${shape('ok', context)} ${escapeControl(path)} written; every line shows a default`,
    );
}

async function check(context: Context, file: string | undefined): Promise<void> {
  const [{ examineFiles }, { configurationError }] = await Promise.all([
    import('../../config/files.ts'),
    import('../../config/fault.ts'),
  ]);
  const path = file === undefined ? configurationFileOf(context) : resolve(file);
  const { faults, warnings, sources } = examineFiles({
    configurationFile: path,
    env: context.env,
    flags: {},
  });
  const shownPath = path ?? 'no file, only defaults and variables';
  const isValid = faults.length === 0;
  if (context.json) {
    context.out(JSON.stringify({ valid: isValid, faults, warnings, file: path ?? null }));
    if (isValid) return;
    throw new AlreadyTold();
  }
  for (const warning of warnings) {
    context.note(`${shape('attention', context)} ${escapeControl(warning)}`);
  }
  if (!isValid) throw configurationError(faults);
  const set = Object.values(sources).filter((source) => source !== 'default').length;
  if (!context.quiet) {
    context.out(
      `${shape('ok', context)} ${escapeControl(shownPath)}: no fault, ${counted(set, 'option')} set, ${counted(warnings.length, 'warning')}`,
    );
  }
}

/** The outcome is printed; only the exit code 1 is left to say. */
export class AlreadyTold extends CliFailure {
  constructor() {
    super('config_invalid', '', { exitCode: exitCodes.failed });
  }
}

async function show(context: Context, { machine }: Surroundings): Promise<void> {
  const { configurationViewSchema } = await import('../../config/view.ts');
  const api = await openApi(context, machine);
  const view = await api.call(configurationViewSchema, { method: 'GET', path: '/api/v1/config' });
  printListing(context, {
    rows: Object.entries(view.options),
    id: ([path]) => path,
    json: view,
    empty: 'The installation tells no options.',
    summary: view.file === null ? 'No configuration file.' : `File: ${view.file}`,
    columns: [
      { title: 'OPTION', name: 'option', shown: ([path]) => path },
      {
        title: 'VALUE',
        name: 'value',
        mayCut: true,
        shown: ([, value]) => (typeof value === 'string' ? value : JSON.stringify(value)),
      },
      { title: 'FROM', name: 'source', shown: ([path]) => view.sources[path] ?? '' },
    ],
  });
}

async function reload(context: Context, { machine }: Surroundings): Promise<void> {
  const { configurationReloadSchema } = await import('../../config/view.ts');
  const api = await openApi(context, machine);
  const call = { method: 'POST', path: '/api/v1/config/reload', body: {} } as const;
  const outcome = await api.call(configurationReloadSchema, call);
  if (context.json) {
    context.out(JSON.stringify(outcome));
    return;
  }
  for (const warning of outcome.warnings) context.note(escapeControl(warning));
  if (context.quiet) {
    for (const path of outcome.applied) context.out(escapeControl(path));
    return;
  }
  const { applied, needs_restart: later } = outcome;
  const now = applied.length === 0 ? 'nothing changed' : `in force: ${applied.join(', ')}`;
  context.out(`${shape('ok', context)} ${escapeControl(now)}`);
  if (later.length > 0) {
    context.out(
      `${shape('waiting', context)} ${escapeControl(`from the next start: ${later.join(', ')}`)}`,
    );
  }
}

export function addConfigCommands(program: Command, surroundings: Surroundings): void {
  const noun = describe(program.command('config').alias('configs'), {
    summary: 'the configuration: init, check, show, reload',
    examples: ['tensorforge config init', 'tensorforge config check'],
  });
  bareNoun(noun, surroundings, (context) => show(context, surroundings));
  const initCommand = describe(noun.command('init [file]'), {
    summary: 'write a file with every option and its default',
    description:
      'Writes a configuration file in which every option stands with its words and default, commented out. Without FILE it is tensorforge.yaml here; `-` prints it.',
    examples: ['tensorforge config init', 'tensorforge config init /etc/tensorforge.yaml --force'],
  }).option('--force', 'Overwrite a file that exists.');
  runs(initCommand, surroundings, (context, [file], command) =>
    init(context, file, command.opts<{ readonly force?: boolean }>().force === true),
  );
  const checkCommand = describe(noun.command('check [file]'), {
    summary: 'tell everything that is wrong with the configuration',
    description:
      'Loads the file together with the variables of this shell, starts nothing, and tells every fault with its line. Exit 1 when there is one.',
    examples: ['tensorforge config check', 'tensorforge config check ./tensorforge.yaml --json'],
  });
  runs(checkCommand, surroundings, (context, [file]) => check(context, file));
  const showCommand = describe(noun.command('show'), {
    summary: 'show the configuration that is in force, secrets redacted',
    examples: ['tensorforge config show', 'tensorforge config show --json'],
  });
  runs(showCommand, surroundings, (context) => show(context, surroundings));
  const reloadCommand = describe(noun.command('reload'), {
    summary: 'let the running installation read its file again',
    description:
      'Lets the running installation read its file again. A file with a fault changes nothing. No request or stream is cut.',
    examples: ['tensorforge config reload', 'tensorforge config reload --json'],
  });
  runs(reloadCommand, surroundings, (context) => reload(context, surroundings));
}
