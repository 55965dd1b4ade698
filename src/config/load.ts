// Configuration = defaults < file < environment < flags. Pure: text and variables in, a validated
// value or *all* faults out. Every value that was given is checked, also one that a stronger source
// overrides: a bad value is a mistake wherever it stands.
//
// Invariants
//   C1  A result is either a whole configuration without a fault, or at least one fault.
//   C2  A secret appears in no fault, warning or source.
//   C3  An unknown key or variable is a warning with the nearest name, never silently dropped.
//   C4  No variable reserved for tasks and hooks is read.

import { err, ok, type Result } from '../base/result.ts';
import { backendEntryMembers } from './backend-entry.ts';
import { crossFaults } from './cross-checks.ts';
import { type ConfigurationFault, type Source, shownValue } from './fault.ts';
import { nearest } from './nearest.ts';
import { type Configuration, type ListedOption, listOptions } from './options.ts';
import { isOtherVariable } from './variables.ts';
import { isRecord, parseYamlFile, type YamlFile } from './yaml-file.ts';

/** Values given as flags: path of the option -> text, or true for a switch without a value. */
export type FlagValues = Readonly<Record<string, string | true>>;

export type LoadInput = {
  readonly fileText?: string | undefined;
  /** Name of the file, for the words of faults only. */
  readonly filePath?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: FlagValues;
};

export type Loaded = {
  readonly config: Configuration;
  readonly warnings: readonly string[];
  /** Where the value of each option came from, by path. */
  readonly sources: Readonly<Record<string, Source>>;
};

type Given = { readonly source: Source; readonly origin: string; readonly value: unknown };
type Settled = { readonly value: unknown; readonly source: Source };

/** Members of `backends[]` whose text is never a secret; the value of any other key is not shown. */
const backendMembers: readonly string[] = Object.keys(backendEntryMembers);

function fromFile(listed: ListedOption, file: YamlFile, origin: string): Given | undefined {
  let value: unknown = file.values;
  for (const step of listed.path.split('.')) {
    if (!isRecord(value)) return undefined;
    value = Object.hasOwn(value, step) ? value[step] : undefined;
  }
  // A key without a value (`port:`) is what a commented template leaves behind: not given.
  if (value === undefined || value === null) return undefined;
  return { source: 'file', origin, value };
}

/** What was given for one option, weakest first. */
function givenFor(
  listed: ListedOption,
  file: YamlFile,
  input: LoadInput,
  warnings: string[],
): Given[] {
  const found: Given[] = [];
  const written = fromFile(listed, file, input.filePath ?? 'tensorforge.yaml');
  if (written !== undefined) found.push(written);
  const convert = listed.option.fromText;
  if (convert === undefined) return found;
  const set = listed.variables.filter((name) => (input.env[name] ?? '') !== '');
  // The derived variable stands first in the list and wins over the short ones.
  for (const name of set.toReversed()) {
    found.push({ source: 'env', origin: name, value: convert(input.env[name] ?? '') });
  }
  if (new Set(set.map((name) => input.env[name])).size > 1) {
    warnings.push(`${set.join(' and ')} differ; ${set[0]} is used.`);
  }
  const flag = input.flags[listed.path];
  if (flag !== undefined) {
    const value = flag === true ? true : convert(flag);
    found.push({ source: 'flag', origin: listed.flag ?? listed.path, value });
  }
  return found;
}

/** Structures whose schemas say of each member what it is to be. */
const tellsItself: ReadonlySet<string> = new Set([
  'backends',
  'routing.policies',
  'routing.splits',
  'routing.shadows',
]);

/** The faults of one given value; one fault for each broken member of a structure. */
function faultsOf(listed: ListedOption, given: Given, file: YamlFile): ConfigurationFault[] {
  const outcome = listed.option.schema.safeParse(given.value);
  if (outcome.success) return [];
  const { source, origin } = given;
  const line = (path: readonly (string | number)[]) => {
    const found = source === 'file' ? file.lineOf([...listed.path.split('.'), ...path]) : undefined;
    return found === undefined ? {} : { line: found };
  };
  if (listed.option.fromText !== undefined) {
    const value = shownValue(given.value, listed.option.isSecret);
    const { expected } = listed.option;
    return [{ path: listed.path, value, expected, source, origin, ...line([]) }];
  }
  return outcome.error.issues.map((issue) => {
    const steps = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    const path = steps.reduce<string>(
      (text, step) => (typeof step === 'number' ? `${text}[${step}]` : `${text}.${step}`),
      listed.path,
    );
    let met: unknown = given.value;
    for (const step of steps) {
      met = typeof met === 'object' && met !== null ? Reflect.get(met, step) : undefined;
    }
    const expected =
      tellsItself.has(listed.path) && steps.length > 1 ? issue.message : listed.option.expected;
    return { path, value: shownValue(met, false), expected, source, origin, ...line(steps) };
  });
}

function settle(
  listed: ListedOption,
  given: readonly Given[],
  file: YamlFile,
  faults: ConfigurationFault[],
): Settled {
  let settled: Settled = { value: listed.option.fallback(), source: 'default' };
  for (const one of given) {
    faults.push(...faultsOf(listed, one, file));
    const outcome = listed.option.schema.safeParse(one.value);
    if (outcome.success) settled = { value: outcome.data, source: one.source };
  }
  return settled;
}

/** Keys of the file that no option has, each with the nearest that exists. */
function unknownKeys(file: YamlFile, listed: readonly ListedOption[], origin: string): string[] {
  const paths = listed.map((item) => item.path);
  const sections = new Set(
    paths.flatMap((path) => {
      const steps = path.split('.');
      return steps.slice(0, -1).map((_, index) => steps.slice(0, index + 1).join('.'));
    }),
  );
  const warnings: string[] = [];
  const warn = (path: string, steps: readonly (string | number)[], known: Iterable<string>) => {
    const near = nearest(path, known);
    const line = file.lineOf(steps);
    const where = line === undefined ? origin : `${origin} line ${line}`;
    const hint = near === undefined ? '' : ` Did you mean ${near}?`;
    warnings.push(`Unknown key ${path} (${where}) has no effect.${hint}`);
  };
  const visit = (record: Readonly<Record<string, unknown>>, above: readonly string[]): void => {
    for (const [key, value] of Object.entries(record)) {
      const steps = [...above, key];
      const path = steps.join('.');
      if (paths.includes(path)) continue;
      if (!sections.has(path)) warn(path, steps, [...paths, ...sections]);
      else if (isRecord(value)) visit(value, steps);
    }
  };
  visit(file.values, []);
  const entries = file.values['backends'];
  for (const [index, entry] of (Array.isArray(entries) ? entries : []).entries()) {
    for (const key of isRecord(entry) ? Object.keys(entry) : []) {
      if (backendMembers.includes(key)) continue;
      const known = backendMembers.map((member) => `backends[${index}].${member}`);
      warn(`backends[${index}].${key}`, ['backends', index, key], known);
    }
  }
  return warnings;
}

/** Sections that hold something else than a mapping. */
function brokenSections(
  file: YamlFile,
  listed: readonly ListedOption[],
  origin: string,
): ConfigurationFault[] {
  const faults = new Map<string, ConfigurationFault>();
  for (const { path } of listed) {
    const steps = path.split('.');
    let value: unknown = file.values;
    for (const [depth, step] of steps.slice(0, -1).entries()) {
      value = isRecord(value) ? value[step] : undefined;
      if (value === undefined || value === null || isRecord(value)) continue;
      const section = steps.slice(0, depth + 1);
      const line = file.lineOf(section);
      faults.set(section.join('.'), {
        path: section.join('.'),
        value: shownValue(value, true),
        expected: 'a mapping of options',
        source: 'file',
        origin,
        ...(line === undefined ? {} : { line }),
      });
    }
  }
  return [...faults.values()];
}

function unknownVariables(input: LoadInput, listed: readonly ListedOption[]): string[] {
  const known = listed.flatMap((item) => item.variables);
  return Object.keys(input.env)
    .filter((name) => name.startsWith('TENSORFORGE_'))
    .filter((name) => !known.includes(name) && !isOtherVariable(name))
    .map((name) => {
      const near = nearest(name, known);
      const hint = near === undefined ? '' : ` Did you mean ${near}?`;
      return `Unknown variable ${name} has no effect.${hint}`;
    });
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
}

type Tree = { [name: string]: unknown };

function assemble(listed: readonly ListedOption[], settled: readonly Settled[]): Configuration {
  const root: Tree = {};
  for (const [index, { members }] of listed.entries()) {
    let section = root;
    for (const name of members.slice(0, -1)) {
      section[name] ??= {};
      section = section[name] as Tree;
    }
    section[members.at(-1) ?? ''] = settled[index]?.value;
  }
  deepFreeze(root);
  // The walk follows the same table as the type `Configuration`, so each member has its type.
  return root as Configuration;
}

/** What was found, whether it holds or not; a broken option has its default in `config`. */
export type Examined = Loaded & { readonly faults: readonly ConfigurationFault[] };

/** Everything there is to say about the input: faults and warnings together. Never throws. */
export function examineConfiguration(input: LoadInput): Examined {
  const origin = input.filePath ?? 'tensorforge.yaml';
  const file = parseYamlFile(input.fileText ?? '', origin);
  const listed = listOptions();
  const warnings: string[] = [];
  const faults = [...file.faults, ...brokenSections(file, listed, origin)];
  const settled = listed.map((item) =>
    settle(item, givenFor(item, file, input, warnings), file, faults),
  );
  warnings.push(...unknownKeys(file, listed, origin), ...unknownVariables(input, listed));

  const sources: Record<string, Source> = {};
  for (const [index, { path }] of listed.entries()) {
    sources[path] = settled[index]?.source ?? 'default';
  }
  const config = assemble(listed, settled);
  const broken = new Set(faults.map((fault) => fault.path));
  for (const fault of crossFaults(config)) {
    // A rule between options says nothing where one of them is no good by itself.
    if ([fault.path, ...fault.depends].some((path) => broken.has(path))) continue;
    const line = file.lineOf(fault.steps ?? fault.path.split('.'));
    const { path, value, expected } = fault;
    const from = [path, ...fault.depends].map((name) => sources[name] ?? 'default');
    const source = from.find((one) => one !== 'default') ?? 'default';
    const where = line === undefined ? {} : { line };
    faults.push({
      path,
      value,
      expected,
      source,
      ...(source === 'file' ? { origin, ...where } : {}),
    });
  }
  return { config, warnings, sources, faults };
}

/** The configuration, or the faults of what was examined. */
export function verdictOn(examined: Examined): Result<Loaded, ConfigurationFault[]> {
  const { faults, ...loaded } = examined;
  return faults.length > 0 ? err([...faults]) : ok(loaded);
}

/** The whole configuration, or every fault of it at once. Never throws on bad input. */
export function loadConfiguration(input: LoadInput): Result<Loaded, ConfigurationFault[]> {
  return verdictOn(examineConfiguration(input));
}
