// Goal: the dashboard stays as light as it was promised to be (ux 4). Method: the manifest of a real
// build tells which files a first visit loads and which each page adds; their gzip sizes are summed.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ensureDashboard } from '../scripts/build-dashboard.ts';

type Chunk = {
  readonly file: string;
  readonly css?: readonly string[];
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
  readonly isEntry?: boolean;
};
type Manifest = Readonly<Record<string, Chunk>>;

const firstLoadKbMax = 260;
const cssKbMax = 15;
const routeKbMax = 40;

let dist = '';
let manifest: Manifest = {};

function isManifest(value: unknown): value is Manifest {
  return typeof value === 'object' && value !== null && 'index.html' in value;
}

before(async () => {
  dist = await ensureDashboard();
  const value: unknown = JSON.parse(await readFile(join(dist, '.vite', 'manifest.json'), 'utf8'));
  assert.ok(isManifest(value), 'the manifest names index.html');
  manifest = value;
});

function gzipKb(file: string): number {
  return gzipSync(readFileSync(join(dist, file)), { level: 6 }).length / 1024;
}

/** Every chunk that `key` needs before it can run, itself included. */
function closure(key: string, seen = new Set<string>()): Set<string> {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key]?.imports ?? []) closure(next, seen);
  return seen;
}

function scriptKb(keys: Iterable<string>): number {
  let kb = 0;
  for (const key of keys) kb += gzipKb(manifest[key]!.file);
  return kb;
}

function styleKb(keys: Iterable<string>): number {
  const files = new Set([...keys].flatMap((key) => manifest[key]?.css ?? []));
  return [...files].reduce((sum, file) => sum + gzipKb(file), 0);
}

test('the first load with the heaviest page and its charts is at most 260 KB of gzip', (context) => {
  const entry = closure('index.html');
  const overview = closure('src/pages/overview-page.tsx');
  const plot = Object.keys(manifest).find((key) => key.includes('uplot') && key.endsWith('.js'));
  assert.ok(plot, 'the chart library is a chunk of its own');
  const all = new Set([...entry, ...overview, ...closure(plot)]);
  const kb = scriptKb(all) + styleKb(all) + gzipKb('index.html');
  context.diagnostic(`first load ${kb.toFixed(1)} KB, entry alone ${scriptKb(entry).toFixed(1)} KB`);
  assert.ok(kb <= firstLoadKbMax, `${kb.toFixed(1)} KB`);
});

test('all styles together are at most 15 KB of gzip', (context) => {
  const kb = styleKb(Object.keys(manifest));
  context.diagnostic(`styles ${kb.toFixed(1)} KB`);
  assert.ok(kb <= cssKbMax, `${kb.toFixed(1)} KB`);
});

test('no page adds more than 40 KB of gzip to the first load', (context) => {
  const entry = closure('index.html');
  const pages = Object.keys(manifest).filter((key) => key.startsWith('src/pages/'));
  assert.ok(pages.length >= 6, 'each page is a chunk of its own');
  for (const page of pages) {
    const own = [...closure(page)].filter((key) => !entry.has(key));
    const kb = scriptKb(own);
    context.diagnostic(`${page} ${kb.toFixed(1)} KB`);
    assert.ok(kb <= routeKbMax, `${page}: ${kb.toFixed(1)} KB`);
  }
});

test('the page itself holds no inline script or style and loads nothing from elsewhere', () => {
  const html = readFileSync(join(dist, 'index.html'), 'utf8');
  assert.doesNotMatch(html, /<style|style=|\son\w+=|https?:|\/\/[a-z]/i);
  for (const [tag] of html.matchAll(/<script[^>]*>/g)) assert.match(tag, /src="\/assets\//);
});
