// Goal: the layers of docs/ARCHITECTURE.md hold in the code as it stands. Method: walk the import
// graph of the whole tree; and feed the same check small bad graphs, so that a check which has
// gone blind is noticed.
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { importsOf } from '../scripts/test/import-graph.ts';
import { codeOnly } from '../scripts/test/source-text.ts';
import { projectSources, wallFaults } from '../scripts/test/walls.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function faultsOf(files: Readonly<Record<string, string>>): readonly string[] {
  return wallFaults(Object.entries(files).map(([path, text]) => ({ path, text })));
}

test('no source file of the project climbs over a wall', () => {
  const files = projectSources(root);
  assert.ok(files.length > 10, 'the walk found the sources');
  assert.deepEqual(wallFaults(files), []);
});

test('an import against the direction of the layers is told with file and line', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['src/base/a.ts', `import { x } from '../errors/x.ts';`, /base imports errors/],
    ['src/base/a.ts', `import { readFileSync } from 'node:fs';`, /base imports node:fs/],
    ['src/errors/a.ts', `import { z } from 'zod';`, /errors imports npm zod/],
    ['src/config/a.ts', `import { x } from '../protocol/x.ts';`, /config imports protocol/],
    ['src/protocol/a.ts', `import { x } from '../core/x.ts';`, /protocol imports core/],
    ['src/core/a.ts', `import type { x } from '../io/x.ts';`, /core imports io/],
    ['src/core/a.ts', `import { x } from '../protocol/x.ts';`, /core imports protocol/],
    ['src/core/a.ts', `import { hash } from 'node:crypto';`, /core imports node:crypto/],
    ['src/core/a.ts', `import semver from 'semver';`, /core imports npm semver/],
    ['src/io/a.ts', `export * from '../core/x.ts';`, /io imports core/],
    ['src/io/a.ts', `const x = import('../services/x/x.ts');`, /io imports services/],
    ['src/io/a.ts', `new Worker(new URL('../cli/x.ts', import.meta.url));`, /io imports cli/],
    ['src/cli/a.ts', `import { x } from '../services/x/x.ts';`, /cli imports services/],
    ['src/services/y/a.ts', `import { x } from '../x/x.ts';`, /service y imports service x/],
    ['src/services/y/a.ts', `import { x } from '../../cli/x.ts';`, /services imports cli/],
    ['src/services/y/a.ts', `import { x } from '../../targets/x.ts';`, /services imports targets/],
    ['src/services/y/a.ts', `import x from '../../main.ts';`, /services imports targets/],
    ['src/io/a.ts', `import { x } from '../../test/support/x.ts';`, /outside of src/],
    ['src/io/a.ts', `import { x } from './x.test.ts';`, /is for tests/],
    ['src/io/a.ts', `import { x } from './x.test-support.ts';`, /is for tests/],
    ['src/io/a.ts', `import { x } from './testing/x.ts';`, /is for tests/],
    ['src/io/a.ts', `import { x } from './gone.ts';`, /does not exist/],
    ['src/odd/a.ts', `import { x } from '../base/x.ts';`, /not a layer/],
    ['dashboard/src/a.ts', `import type { x } from '../../src/io/x.ts';`, /dashboard imports src/],
    ['dashboard/src/a.ts', `import { x } from '../../src/base/x.ts';`, /more than types/],
  ];
  const targets: Record<string, string> = {};
  for (const folder of ['base', 'errors', 'protocol', 'core', 'io', 'services/x', 'cli', 'targets'])
    targets[`src/${folder}/x.ts`] = '';
  targets['src/main.ts'] = '';
  for (const [path, line, expected] of cases) {
    const faults = faultsOf({ ...targets, [path]: `// one\n${line}\n` });
    assert.equal(faults.length, 1, `${path} ${line} gives one fault, got ${faults.join('; ')}`);
    assert.match(faults[0] ?? '', expected);
    assert.ok(faults[0]?.startsWith(`${path}:2: `), line);
  }
});

test('an import along the layers is no fault', () => {
  const faults = faultsOf({
    'src/base/a.ts': `import { b } from './b.ts';`,
    'src/base/b.ts': '',
    'src/core/a.ts': `import { b } from '../base/b.ts';`,
    'src/services/y/a.ts': `import { a } from '../../core/a.ts';\nimport { z } from 'zod';`,
    'src/targets/all.ts': `import { a } from '../services/y/a.ts';`,
    'src/main.ts': `import { a } from './targets/all.ts';`,
    'src/core/a.test.ts': `import { test } from 'node:test';\nawait Date.now();`,
    'dashboard/src/a.tsx': `import type { b } from '../../src/base/b.ts';`,
  });
  assert.deepEqual(faults, []);
});

test('a clock, chance or waiting in the core is told, in its tests it is not', () => {
  const lines = [
    'const a = await b;',
    'const a = Date.now();',
    'const a = new Date();',
    'const a = Math.random();',
    'const a = performance.now();',
    'const a = crypto.randomUUID();',
    'setTimeout(a, 1);',
    'const a = process.env;',
  ];
  for (const line of lines) {
    assert.equal(faultsOf({ 'src/core/a.ts': line }).length, 1, line);
    assert.equal(faultsOf({ 'src/core/a.test.ts': line }).length, 0, line);
    assert.equal(faultsOf({ 'src/io/a.ts': line }).length, 0, line);
    assert.equal(faultsOf({ 'src/core/a.ts': `// ${line}\nconst a = "${line}";` }).length, 0, line);
  }
});

test('a default export is told', () => {
  assert.equal(faultsOf({ 'src/io/a.ts': 'export default 1;' }).length, 1);
  assert.equal(faultsOf({ 'src/io/a.ts': 'const a = 1;\nexport { a as default };' }).length, 1);
});

test('an import cycle is told once, a worker file closes none', () => {
  const faults = faultsOf({
    'src/io/a.ts': `import { b } from './b.ts';`,
    'src/io/b.ts': `import type { c } from './c.ts';`,
    'src/io/c.ts': `import { a } from './a.ts';`,
  });
  assert.deepEqual(faults, [
    'src/io/a.ts: import cycle: src/io/a.ts -> src/io/b.ts -> src/io/c.ts -> src/io/a.ts',
  ]);
  const worker = faultsOf({
    'src/io/a.ts': `new Worker(new URL('./b.ts', import.meta.url));`,
    'src/io/b.ts': `import { a } from './a.ts';`,
  });
  assert.deepEqual(worker, []);
});

test('imports are found in every form, and not in comments, strings or regular expressions', () => {
  const text = [
    `import './side.ts';`,
    `import type { A } from './type.ts';`,
    `import {\n  b,\n  type C,\n} from './many.ts';`,
    `import * as d from 'npm-name';`,
    `export { e } from './again.ts';`,
    `export type { F } from './again-type.ts';`,
    `type G = import('./inline.ts').G;`,
    `const h = await import(\`./\${name}.ts\`);`,
    `// import x from './comment.ts';`,
    `const i = "import x from './string.ts'";`,
    `const j = \`\${\`import x from "./nested.ts"\`} import y from "./template.ts"\`;`,
    `const k = /import x from '.\\/regexp.ts'/;`,
    `const l = 4 / 2; const m = "'" + 8 / 4;`,
    `import n from 'node:path';`,
  ].join('\n');
  const found = importsOf({ path: 'src/io/x.ts', text }).map(({ to, kind }) => `${kind} ${to}`);
  assert.deepEqual(found.sort(), [
    'dynamic (computed)',
    'dynamic src/io/inline.ts',
    'type src/io/again-type.ts',
    'type src/io/type.ts',
    'value node:path',
    'value npm-name',
    'value src/io/again.ts',
    'value src/io/many.ts',
    'value src/io/side.ts',
  ]);
  assert.equal(codeOnly(text).length, text.length);
});
