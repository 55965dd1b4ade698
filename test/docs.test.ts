// Goal: generated reference pages say what the code says. Method: render them again and compare
// with the files in the tree, byte for byte.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pagesOutOfStep, referencePages, renderErrors } from '../scripts/docs.ts';
import { catalogue } from '../src/errors/catalogue.ts';

test('every generated page is in step with the code', async () => {
  assert.deepEqual(await pagesOutOfStep(), [], 'run: npm run docs:generate');
});

test('the page of errors has one row for each code of the catalogue', async () => {
  const pages = await referencePages();
  const errors = pages.find(({ path }) => path === 'docs/reference/errors.md');
  assert.ok(errors !== undefined);
  for (const code of Object.keys(catalogue)) {
    const rows: readonly string[] = errors.text
      .split('\n')
      .filter((line) => line.startsWith(`| \`${code}\` |`));
    assert.equal(rows.length, 1, code);
  }
});

test('a changed entry changes the page', () => {
  const entry = {
    status: 418,
    type: 'server_error',
    retryable: true,
    words: 'One | two.',
  } as const;
  const text = renderErrors({ teapot: { ...entry, retryAfterSeconds: 7 } });
  assert.match(text, /^## 418$/m);
  assert.match(
    text,
    /^\| `teapot` \| `server_error` \| `teapot` \| yes, 7 s \| One \\\| two\. \|$/m,
  );
  assert.notEqual(renderErrors({ teapot: entry }), text);
});
