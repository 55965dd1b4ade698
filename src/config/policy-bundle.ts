// A candidate policy: the sections `routing` and `policy` of a configuration file, alone. Replay and
// simulation ask what it would have done. It is refused whole, with every fault named, because half a
// candidate would answer a question that nobody asked.
//
// What a candidate does not name stays as it was when each decision was made. The three weights of the
// score belong together: with one of them, all three are to be given.
//
//   B1  A result is a whole candidate without a fault, or at least one fault.
//   B2  Values are judged by the declarations of the options and the rules between them, as at start.

import { canonicalJson, type Json } from '../base/canonical.ts';
import { err, ok, type Result } from '../base/result.ts';
import { type Refusal, refusal } from '../errors/tensorforge-error.ts';
import { type ConfigurationFault, describeFault, shownValue } from './fault.ts';
import { examineConfiguration } from './load.ts';
import { nearest } from './nearest.ts';
import { type Configuration, listOptions } from './options.ts';
import { isRecord, parseYamlFile, type YamlFile } from './yaml-file.ts';

export const bundleSections = ['routing', 'policy'] as const;

/** Only what the candidate names; members as the program reads them. */
export type PolicyBundle = {
  readonly routing: Partial<Configuration['routing']>;
  readonly policy: Partial<Configuration['policy']>;
  /** Canonical text of what was given, by option path: its SHA-256 is the digest of the bundle. */
  readonly text: string;
};

const options = listOptions().filter(({ path }) =>
  bundleSections.some((section) => path.startsWith(`${section}.`)),
);

function isAbove(path: string): boolean {
  return options.some((option) => option.path.startsWith(`${path}.`));
}

function unknownKey(
  file: YamlFile,
  steps: readonly string[],
  value: unknown,
  origin: string,
): ConfigurationFault {
  const path = steps.join('.');
  const known: readonly string[] =
    steps.length === 1 ? bundleSections : options.map((option) => option.path);
  const near = nearest(path, known);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  const expected =
    steps.length === 1
      ? `one of the sections ${bundleSections.join(', ')}${hint}`
      : `a key of this section${hint}`;
  const line = file.lineOf(steps);
  return {
    path,
    value: shownValue(value, true),
    expected,
    source: 'file',
    origin,
    ...(line === undefined ? {} : { line }),
  };
}

/** Every key that no option of the two sections has. */
function unknownKeys(file: YamlFile, origin: string): ConfigurationFault[] {
  const faults: ConfigurationFault[] = [];
  const visit = (record: Readonly<Record<string, unknown>>, above: readonly string[]): void => {
    for (const [key, value] of Object.entries(record)) {
      const steps = [...above, key];
      const path = steps.join('.');
      if (options.some((option) => option.path === path)) continue;
      if (!isAbove(path)) faults.push(unknownKey(file, steps, value, origin));
      else if (isRecord(value)) visit(value, steps);
    }
  };
  visit(file.values, []);
  return faults;
}

/** Weights named in part: the others would silently be those of whatever ran then. */
function partialWeights(file: YamlFile, given: ReadonlySet<string>, origin: string) {
  const weights = options.map(({ path }) => path).filter((path) => path.includes('.weights.'));
  const missing = weights.filter((path) => !given.has(path));
  if (missing.length === 0 || missing.length === weights.length) return [];
  const steps = ['routing', 'weights'];
  const line = file.lineOf(steps);
  const fault: ConfigurationFault = {
    path: 'routing.weights',
    value: `without ${missing.map((path) => path.split('.').at(-1)).join(', ')}`,
    expected: 'all three weights or none of them; they sum to 100',
    source: 'file',
    origin,
    ...(line === undefined ? {} : { line }),
  };
  return [fault];
}

type Tree = { [name: string]: unknown };

/** The members of one section of `config` whose option was given. */
function givenMembers(config: Configuration, section: string, given: ReadonlySet<string>): Tree {
  const tree: Tree = {};
  for (const { path, members } of options) {
    if (!path.startsWith(`${section}.`) || !given.has(path)) continue;
    const name = members[1] ?? '';
    const whole: unknown = Reflect.get(config, section);
    tree[name] = isRecord(whole) ? whole[name] : undefined;
  }
  return tree;
}

function textOf(config: Configuration, given: ReadonlySet<string>): string {
  const values: { [path: string]: Json } = {};
  for (const { path, members } of options) {
    if (!given.has(path)) continue;
    const value = members.reduce<unknown>(
      (at, name) => (isRecord(at) ? at[name] : undefined),
      config,
    );
    // Options of these sections are numbers, texts and plain mappings of texts.
    values[path] = value as Json;
  }
  return canonicalJson(values);
}

/**
 * Reads YAML or JSON. `origin` is the name of the file for the words of faults. An empty candidate is
 * a fault too: it would compare a policy with itself.
 */
export function readPolicyBundle(
  text: string,
  origin: string,
): Result<PolicyBundle, readonly ConfigurationFault[]> {
  const file = parseYamlFile(text, origin);
  const examined = examineConfiguration({ fileText: text, filePath: origin, env: {}, flags: {} });
  const given = new Set(
    options.map(({ path }) => path).filter((path) => examined.sources[path] === 'file'),
  );
  const inSections = (path: string): boolean =>
    path === '' || bundleSections.some((name) => path === name || path.startsWith(`${name}.`));
  const partial = partialWeights(file, given, origin);
  const own = examined.faults
    .filter(({ path }) => inSections(path))
    .filter(({ path }) => partial.length === 0 || path !== 'routing.weights');
  const faults = [...own, ...partial, ...unknownKeys(file, origin)];
  if (faults.length === 0 && given.size === 0) {
    const expected = `something to change: keys of ${bundleSections.join(' or ')}`;
    faults.push({ path: '', value: '', expected, source: 'file', origin });
  }
  if (faults.length > 0) return err(faults);
  const { config } = examined;
  return ok({
    routing: givenMembers(config, 'routing', given),
    policy: givenMembers(config, 'policy', given),
    text: textOf(config, given),
  });
}

/** The refusal of a candidate: 422 `policy_invalid`, its faults as details. */
export function bundleRefusal(faults: readonly ConfigurationFault[]): Refusal {
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  const words = `The candidate policy has ${count}; nothing was replayed. ${faults.map(describeFault).join(' ')}`;
  return refusal('policy_invalid', words, { details: faults });
}
