// The walls between the layers of `src`, as data, and the check of an import graph against them.
//   base <- errors <- config, protocol <- core, io <- services/* ; cli beside the services
//   targets/** and main.ts put the parts together and may import anything.
// The core also holds no clock, no chance, no waiting, no Node and no npm. Test files are free:
// they may reach for whatever proves the code beside them, but no source file may import them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listFiles } from './files.ts';
import { cyclesOf, type Import, importsOf, type SourceFile } from './import-graph.ts';
import { codeOnly, lineOf } from './source-text.ts';

type Layer = {
  readonly mayImport: readonly string[];
  readonly node: boolean;
  readonly npm: boolean;
};

const everythingBelowServices = ['base', 'errors', 'config', 'protocol', 'core', 'io'] as const;

const layers: Readonly<Record<string, Layer>> = {
  base: { mayImport: ['base'], node: false, npm: false },
  errors: { mayImport: ['base', 'errors'], node: false, npm: false },
  config: { mayImport: ['base', 'errors', 'config'], node: true, npm: true },
  protocol: { mayImport: ['base', 'errors', 'protocol'], node: true, npm: true },
  core: { mayImport: ['base', 'errors', 'core'], node: false, npm: false },
  io: { mayImport: ['base', 'errors', 'protocol', 'io'], node: true, npm: true },
  services: { mayImport: everythingBelowServices, node: true, npm: true },
  cli: { mayImport: ['base', 'errors', 'config', 'protocol', 'cli'], node: true, npm: true },
};

/** What the core may not say, and what it should do in its place. */
const forbiddenInCore: readonly (readonly [RegExp, string])[] = [
  [/\b(?:await|async)\b/g, 'waits; return an effect and take its answer as an event'],
  [/\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)|\bperformance\s*\./g, 'reads a clock; take `now`'],
  [/\bTemporal\s*\.\s*Now\b|\bhrtime\b/g, 'reads a clock; take `now`'],
  [/\bMath\s*\.\s*random\b|(?<![.\w$])crypto\s*\./g, 'draws chance; take a seed'],
  [/\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/g, 'sets a timer; state a deadline'],
  [/(?<![.\w$])(?:process|globalThis|console)\s*\.|\bfetch\s*\(/g, 'touches the outside world'],
];

const composition = 'targets';

type Place = { readonly layer: string; readonly service: string | undefined };

function placeOf(path: string): Place | undefined {
  const parts = path.split('/');
  if (parts[0] !== 'src') return undefined;
  if (parts.length === 2) return { layer: composition, service: undefined };
  const layer = parts[1] ?? '';
  return { layer, service: layer === 'services' ? parts[2] : undefined };
}

/** Tests, benches, and what only they use: `x.test-support.ts` and anything in a `testing` folder. */
function isTest(path: string): boolean {
  return /\.(?:test|bench|test-support)\.tsx?$|\/testing\//.test(path);
}

/** Every fault of the given files against the walls; an empty list means that they hold. */
export function wallFaults(files: readonly SourceFile[]): readonly string[] {
  const faults: string[] = [];
  const sources = files.filter((file) => !isTest(file.path));
  const known = new Set(files.map((file) => file.path));
  const imports: Import[] = [];
  for (const file of sources) {
    const own = importsOf(file);
    imports.push(...own);
    for (const edge of own) {
      const fault = file.path.startsWith('src/') ? serverFault(edge, known) : dashboardFault(edge);
      if (fault !== undefined) faults.push(`${file.path}:${edge.line}: ${fault}`);
    }
    faults.push(...wordFaults(file));
  }
  for (const cycle of cyclesOf(imports)) {
    faults.push(`${cycle[0]}: import cycle: ${[...cycle, cycle[0]].join(' -> ')}`);
  }
  return faults;
}

function serverFault(edge: Import, known: ReadonlySet<string>): string | undefined {
  const from = placeOf(edge.from);
  if (from === undefined) return 'is not under src';
  const layer = layers[from.layer];
  if (layer === undefined && from.layer !== composition) {
    return `src/${from.layer} is not a layer; see docs/ARCHITECTURE.md`;
  }
  if (edge.target === 'file') return fileFault(edge, from, layer, known);
  if (layer === undefined) return undefined;
  if (edge.target === 'node') return layer.node ? undefined : `${from.layer} imports ${edge.to}`;
  if (edge.target === 'npm') return layer.npm ? undefined : `${from.layer} imports npm ${edge.to}`;
  return layer.npm ? undefined : `${from.layer} imports a computed name`;
}

function fileFault(
  edge: Import,
  from: Place,
  layer: Layer | undefined,
  known: ReadonlySet<string>,
): string | undefined {
  if (isTest(edge.to)) return `imports ${edge.to}, which is for tests`;
  const to = placeOf(edge.to);
  if (to === undefined && layer === undefined) return undefined;
  if (to === undefined) {
    // The version of the program stands in package.json and nowhere else.
    if (edge.to === 'package.json' && layer?.npm === true) return undefined;
    return `imports ${edge.to}, which is outside of src`;
  }
  if (!known.has(edge.to)) return `imports ${edge.to}, which does not exist`;
  if (layer === undefined) return undefined;
  if (from.layer === 'services' && to.layer === 'services') {
    if (from.service === to.service) return undefined;
    return `service ${from.service} imports service ${to.service} (${edge.to})`;
  }
  if (layer.mayImport.includes(to.layer)) return undefined;
  return `${from.layer} imports ${to.layer} (${edge.to})`;
}

/** The dashboard is browser code: from the server it takes types of the wire and nothing else. */
function dashboardFault(edge: Import): string | undefined {
  if (edge.target !== 'file' || edge.to.startsWith('dashboard/')) return undefined;
  const allowed = edge.to.startsWith('src/protocol/') || edge.to.startsWith('src/base/');
  if (!allowed) return `the dashboard imports ${edge.to}`;
  if (edge.kind !== 'type') return `the dashboard imports more than types from ${edge.to}`;
  return undefined;
}

function wordFaults(file: SourceFile): readonly string[] {
  const faults: string[] = [];
  const code = codeOnly(file.text);
  const search = (pattern: RegExp, words: (found: string) => string): void => {
    for (const match of code.matchAll(pattern)) {
      faults.push(`${file.path}:${lineOf(code, match.index)}: ${words(match[0])}`);
    }
  };
  search(/\bexport\s+default\b|\bas\s+default\b/g, () => 'has a default export');
  if (placeOf(file.path)?.layer === 'core') {
    for (const [pattern, remedy] of forbiddenInCore) {
      search(pattern, (found) => `core says "${found.trim()}": it ${remedy}`);
    }
  }
  return faults;
}

/** Reads the server's and the dashboard's sources from the working tree. */
export function projectSources(root: string): readonly SourceFile[] {
  const wanted = (path: string): boolean => /\.tsx?$/.test(path) && !path.endsWith('.d.ts');
  return listFiles(root, ['src', 'dashboard/src'], wanted).map((path) => ({
    path,
    text: readFileSync(join(root, path), 'utf8'),
  }));
}
