// The import graph of a set of source files: who names whom, how, and on which line.
// Static imports and re-exports, dynamic imports, `import('x').Type` and worker files named by
// `new URL('./x.ts', import.meta.url)` all count.
import { posix } from 'node:path';
import { codeOnly, lineOf } from './source-text.ts';

export type ImportKind = 'value' | 'type' | 'dynamic' | 'worker';

export type Import = {
  readonly from: string;
  /** A path relative to the project for files of ours, else the specifier as written. */
  readonly to: string;
  readonly target: 'file' | 'node' | 'npm' | 'computed';
  readonly kind: ImportKind;
  readonly line: number;
};

export type SourceFile = { readonly path: string; readonly text: string };

// In blanked text a quoted specifier is a pair of quotes with blanks between.
const staticImport = /\b(import|export)(\s+type)?\b(?:[\s\w$*,{}]*?\bfrom)?\s*(['"])([ ]*)\3/g;
const dynamicImport = /\bimport\s*\(\s*(?:(['"])([ ]*)\1|)/g;
const workerUrl = /\bnew\s+URL\s*\(\s*(['"])([ ]*)\1\s*,\s*import\.meta\.url/g;

export function importsOf(file: SourceFile): readonly Import[] {
  const code = codeOnly(file.text);
  const found: Import[] = [];
  const add = (kind: ImportKind, offset: number, specifier: string | undefined): void => {
    const line = lineOf(file.text, offset);
    if (specifier === undefined) {
      found.push({ from: file.path, to: '(computed)', target: 'computed', kind, line });
    } else {
      found.push({ from: file.path, ...resolve(file.path, specifier), kind, line });
    }
  };
  for (const match of code.matchAll(staticImport)) {
    const blanks = match[4]?.length ?? 0;
    const end = match.index + match[0].length - 1;
    const kind = match[2] === undefined ? 'value' : 'type';
    add(kind, match.index, file.text.slice(end - blanks, end));
  }
  for (const match of code.matchAll(dynamicImport)) {
    const quoted = match[1] !== undefined;
    const end = match.index + match[0].length - 1;
    const blanks = match[2]?.length ?? 0;
    add('dynamic', match.index, quoted ? file.text.slice(end - blanks, end) : undefined);
  }
  for (const match of code.matchAll(workerUrl)) {
    const open = match.index + match[0].indexOf(match[1] ?? '"') + 1;
    const specifier = file.text.slice(open, open + (match[2]?.length ?? 0));
    if (/\.[mc]?[tj]s$/.test(specifier)) add('worker', match.index, specifier);
  }
  return found;
}

function resolve(from: string, specifier: string): Pick<Import, 'to' | 'target'> {
  if (specifier.startsWith('.')) {
    return { to: posix.join(posix.dirname(from), specifier), target: 'file' };
  }
  if (specifier.startsWith('node:')) return { to: specifier, target: 'node' };
  return { to: specifier, target: 'npm' };
}

/**
 * Every import cycle, once each, as the list of its files beginning with the smallest name.
 * A worker file runs in a thread of its own, so naming it closes no cycle.
 */
export function cyclesOf(imports: readonly Import[]): readonly (readonly string[])[] {
  const edges = new Map<string, string[]>();
  for (const { from, to, target, kind } of imports) {
    if (target !== 'file' || kind === 'worker') continue;
    const list = edges.get(from) ?? [];
    list.push(to);
    edges.set(from, list);
  }
  const finished = new Set<string>();
  const path: string[] = [];
  const cycles = new Map<string, readonly string[]>();
  const visit = (file: string): void => {
    const open = path.indexOf(file);
    if (open >= 0) {
      const cycle = smallestFirst(path.slice(open));
      cycles.set(cycle.join(' '), cycle);
      return;
    }
    if (finished.has(file)) return;
    path.push(file);
    for (const to of edges.get(file) ?? []) visit(to);
    path.pop();
    finished.add(file);
  };
  for (const file of [...edges.keys()].sort()) visit(file);
  return [...cycles.values()];
}

function smallestFirst(cycle: readonly string[]): readonly string[] {
  let smallest = 0;
  for (let at = 1; at < cycle.length; at += 1) {
    if ((cycle[at] ?? '') < (cycle[smallest] ?? '')) smallest = at;
  }
  return [...cycle.slice(smallest), ...cycle.slice(0, smallest)];
}
