// Renders the table of options for people: the reference page and the file of `config init`.
// Both are generated; a check fails when the page in docs/ differs from what this file renders.

import { backendEntryMembers } from './backend-entry.ts';
import { type ListedOption, listOptions } from './options.ts';
import { reservedVariables } from './variables.ts';

const sectionWords: Readonly<Record<string, string>> = {
  server: 'Where clients connect, and what is taken from them.',
  database: 'PostgreSQL.',
  security: 'Secrets.',
  limits: 'What one client may take.',
  discovery: 'Finding engines.',
  health_check: 'Probing backends.',
  backends: 'The backends that are always there.',
  routing: 'Choosing a backend.',
  upstream: 'Calling backends.',
  policy: 'When the serving mode moves.',
  decisions: 'The log of request decisions.',
  metrics: 'What is measured.',
  logging: 'What is written.',
  dashboard: 'The pages for the browser.',
  simulate: 'Simulated engines.',
};

function sectionOf(listed: ListedOption): string {
  return listed.path.split('.')[0] ?? listed.path;
}

function bySection(): Map<string, ListedOption[]> {
  return Map.groupBy(listOptions(), sectionOf);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function code(text: string): string {
  return `\`${text}\``;
}

function row(listed: ListedOption): string {
  const { option } = listed;
  const unit = option.unit === undefined ? '' : `, ${option.unit}`;
  const flag = listed.flag === undefined ? '-' : code(listed.flag);
  const variables = listed.variables.length === 0 ? '-' : listed.variables.map(code).join(', ');
  const cells = [
    code(listed.path),
    option.fallbackWords,
    `${option.expected}${unit}`,
    flag,
    variables,
    option.words,
  ];
  return `| ${cells.map(cell).join(' | ')} |`;
}

/** The whole of docs/reference/configuration.md. */
export function renderConfigurationReference(): string {
  const lines = [
    '# Configuration',
    '',
    'Generated from the table of options in `src/config`; do not edit.',
    '',
    'A value comes from its default, the file, an environment variable or a flag; the later of these',
    'wins. Every value that is given is checked, and all faults are told together before anything',
    'starts (exit 1). An unknown key or variable is a warning that names the nearest known one.',
    '',
    'The file is the one named by `--config` or `TENSORFORGE_CONFIG`, else `tensorforge.yaml` in the',
    'working directory, else in the data directory. `tensorforge config init` writes one with every',
    'option and its default; `tensorforge config check` tells what is wrong with it. The data',
    'directory is `--data-dir`, else `TENSORFORGE_DATA_DIR`, else `~/.local/share/tensorforge`.',
    '',
    'In variables and flags, lists are separated by commas and `on off yes no 1 0` stand for true and',
    'false. An empty variable counts as not set. Secrets have no flag: other users of the machine can',
    'read the arguments of a process.',
  ];
  for (const [section, options] of bySection()) {
    lines.push('', `## ${section}`, '', sectionWords[section] ?? '', '');
    lines.push('| Option | Default | Takes | Flag | Variables | Meaning |');
    lines.push('|---|---|---|---|---|---|', ...options.map(row));
    if (section === 'backends') lines.push('', ...backendMembersTable());
  }
  lines.push(
    '',
    '## Variables that are never read',
    '',
    'TensorForge sets these for tasks and hooks and reads none of them as configuration:',
    `${reservedVariables.map((name) => code(`TENSORFORGE_${name}`)).join(', ')}.`,
    '`NEXUS_*` is not read either; `tensorforge doctor` says so when one is set.',
    '',
  );
  return lines.join('\n');
}

const backendWords: Readonly<
  Record<keyof typeof backendEntryMembers, readonly [string, string, string]>
> = {
  name: ['required', 'a text of 1 to 128 characters', 'Its id is made of it; names differ.'],
  url: ['required', 'an http:// or https:// base URL', 'Where its server listens.'],
  type: [
    'required',
    backendEntryMembers.type.options.join(', '),
    'The protocol of its server. The last three clouds need `api_key_env`.',
  ],
  priority: ['50', 'an integer from -1000 to 1000', 'Lower is preferred.'],
  api_key_env: [
    'not set',
    '`TENSORFORGE_BACKEND_KEY_*` or the variable of a provider',
    'Name of the variable with its credential.',
  ],
  zone: ['open for clouds, else restricted', 'restricted, open', 'Who runs it.'],
  tier: ['1', 'an integer from 1 to 5', 'Capability, higher is better.'],
  capacity: ['0', 'an integer from 0 to 1000000', 'Requests it works on at once; 0: not known.'],
};

function backendMembersTable(): string[] {
  const rows = Object.entries(backendWords).map(
    ([name, [fallback, takes, words]]) => `| ${code(name)} | ${fallback} | ${takes} | ${words} |`,
  );
  return ['| Member | Default | Takes | Meaning |', '|---|---|---|---|', ...rows];
}

function yamlDefault(listed: ListedOption): string {
  const value = listed.option.fallback();
  if (value === undefined) return '';
  if (listed.path === 'server.threads') return listed.option.fallbackWords;
  // JSON is YAML; a plain word needs no quotes, a version such as 1.2 does.
  return typeof value === 'string' && /^[a-z_]+$/.test(value) ? value : JSON.stringify(value);
}

function yamlOption(listed: ListedOption, indent: string, name: string): string[] {
  const { option } = listed;
  const unit = option.unit === undefined ? '' : `, ${option.unit}`;
  const value = yamlDefault(listed);
  return [
    `${indent}# ${option.words} Takes ${option.expected}${unit}.`,
    `${indent}# ${name}:${value === '' ? '' : ` ${value}`}`,
  ];
}

const backendExample = [
  '# - name: box-1',
  '#   url: http://192.168.1.20:11434',
  '#   type: ollama',
  '#   priority: 50',
];

/** A file with every option, its words and its default, all commented out: it changes nothing. */
export function renderConfigurationTemplate(): string {
  const lines = [
    '# TensorForge configuration. Every line is commented out and shows the default.',
    '# Stronger than this file: environment variables, then flags.',
    '# Check it with: tensorforge config check',
  ];
  for (const [section, options] of bySection()) {
    lines.push('', `# ${sectionWords[section] ?? ''}`);
    if (section === 'backends') {
      lines.push('backends:', ...backendExample);
      continue;
    }
    const first = options[0];
    if (first !== undefined && first.path === section) {
      lines.push(...yamlOption(first, '', section));
      continue;
    }
    lines.push(`${section}:`);
    let group = '';
    for (const listed of options) {
      const steps = listed.path.split('.').slice(1);
      const inner = steps.slice(0, -1).join('.');
      if (inner !== group && inner !== '') lines.push(`  ${inner}:`);
      group = inner;
      const indent = '  '.repeat(steps.length);
      lines.push(...yamlOption(listed, indent, steps.at(-1) ?? ''));
    }
  }
  return `${lines.join('\n')}\n`;
}
