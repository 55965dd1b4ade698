// Goal: whatever a cell holds, a reader of CSV gets it back, and no spreadsheet runs it.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { csvLine } from './csv.ts';

it('commas, quotes and line ends are quoted, numbers and nothing are bare', () => {
  const line = csvLine(['a,b', 'say "hi"', 'two\nlines', 'plain', 0.0042, null, -1]);
  assert.equal(line, '"a,b","say ""hi""","two\nlines",plain,0.0042,,-1');
});

it('a name that begins like a formula is text', () => {
  assert.equal(csvLine(['=1+1', '+x', '-x', '@x', 'x=1']), "'=1+1,'+x,'-x,'@x,x=1");
});
