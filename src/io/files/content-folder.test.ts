// Goal: a content is there whole or not at all, under ids of our own only. Method: a folder on the disk.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AssertionFailed } from '../../base/assert.ts';
import { ContentFolder } from './content-folder.ts';

const home = mkdtempSync(join(tmpdir(), 'tf-contents-'));
after(() => rmSync(home, { recursive: true, force: true }));

const contents = new ContentFolder(join(home, 'files'));
const id = `file-${'a'.repeat(24)}`;

async function textOf(name: string, byte = 0): Promise<string> {
  let text = '';
  for await (const piece of contents.read(name, byte)) text += String(piece);
  return text;
}

test('a content is there under its id once it is kept', async () => {
  assert.deepEqual(await contents.names(), []);
  const draft = await contents.draft(id);
  await draft.write(Buffer.from('one\n'));
  await assert.rejects(textOf(id), { code: 'ENOENT' });
  await draft.write(Buffer.from('two\n'));
  assert.equal(draft.bytes, 8);
  await draft.keep();
  assert.equal(await textOf(id), 'one\ntwo\n');
  assert.equal(await textOf(id, 4), 'two\n');
  assert.deepEqual(await contents.names(), [id]);
  assert.equal(statSync(join(home, 'files', id)).mode & 0o777, 0o600);
});

test('one that is dropped leaves nothing, and one that is removed is gone', async () => {
  const draft = await contents.draft(`file-${'b'.repeat(24)}`);
  await draft.write(Buffer.from('x'));
  assert.equal((await contents.names()).length, 2);
  await draft.drop();
  await contents.remove(id);
  await contents.remove(id);
  assert.deepEqual(await contents.names(), []);
});

test('no other path than that of an id is ever touched', async () => {
  for (const name of ['../x', 'file-1', `file-${'A'.repeat(24)}`, `${id}/..`]) {
    await assert.rejects(contents.draft(name), AssertionFailed);
    assert.throws(() => contents.read(name), AssertionFailed);
  }
  await assert.rejects(contents.removeName('../x'), AssertionFailed);
});
