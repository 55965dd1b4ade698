// Goal: the data directory and file are found in the documented order; a secret file that others
// could read stops the start (security case 306). Method: real files in a temporary directory.

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { examineFiles, readConfiguration } from './files.ts';
import { dataDirectory, findConfigurationFile, readSecretFile } from './places.ts';

const folder = mkdtempSync(join(tmpdir(), 'tensorforge-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string, mode: number): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test('the data directory is the flag, else the variable, else below the home', () => {
  const env = { HOME: '/home/ana', TENSORFORGE_DATA_DIR: '/data' };
  assert.equal(dataDirectory('/flag', env), '/flag');
  assert.equal(dataDirectory(undefined, env), '/data');
  assert.equal(
    dataDirectory(undefined, { HOME: '/home/ana' }),
    '/home/ana/.local/share/tensorforge',
  );
  assert.equal(dataDirectory('here', {}), resolve('here'));
});

test('the configuration file is the flag, else the variable, else one that exists', () => {
  assert.equal(findConfigurationFile('/a', { TENSORFORGE_CONFIG: '/b' }, folder), '/a');
  assert.equal(findConfigurationFile(undefined, { TENSORFORGE_CONFIG: '/b' }, folder), '/b');
  const usual = file('tensorforge.yaml', 'simulate: true\n', 0o644);
  assert.equal(findConfigurationFile(undefined, {}, folder), usual);
});

test('a named file that cannot be read is a fault', () => {
  const configurationFile = join(folder, 'absent.yaml');
  const outcome = readConfiguration({ configurationFile, env: {}, flags: {} });
  assert.equal(outcome.ok, false);
  assert.equal(outcome.ok ? '' : outcome.error[0]?.origin, configurationFile);
});

test('306: a secret file that group or others can read is refused, naming the option', () => {
  const cert = file('cert.pem', 'x', 0o644);
  const open = file('key.pem', 'x', 0o644);
  const flags = { 'server.tls_cert': cert, 'server.tls_key': open };
  const outcome = readConfiguration({ configurationFile: undefined, env: {}, flags });
  assert.deepEqual(outcome.ok ? [] : outcome.error.map((fault) => fault.path), ['server.tls_key']);
  assert.match(outcome.ok ? '' : (outcome.error[0]?.expected ?? ''), /chmod 600/);
  chmodSync(open, 0o600);
  assert.equal(readConfiguration({ configurationFile: undefined, env: {}, flags }).ok, true);
});

test('files that the configuration names must exist', () => {
  const flags = { 'server.tls_cert': join(folder, 'no'), 'server.tls_key': join(folder, 'no') };
  const outcome = readConfiguration({ configurationFile: undefined, env: {}, flags });
  assert.equal(outcome.ok ? 0 : outcome.error.length, 2);
});

test('a secret file loses its last newline and refuses to be open', () => {
  assert.equal(readSecretFile(file('secret', 'abc\n', 0o600)).reveal(), 'abc');
  for (const mode of [0o640, 0o604, 0o602, 0o610]) {
    const words = new RegExp(`mode 0${mode.toString(8)}`);
    assert.throws(() => readSecretFile(file('secret-open', 'abc', mode)), words);
  }
});

test('faults of files are told with all others, and warnings beside the faults', () => {
  const text = 'server: {port: x}\nprot: 1\nsecurity: {pepper_file: /nonexistent}\n';
  const configurationFile = file('both.yaml', text, 0o600);
  const flags = { 'server.tls_cert': join(folder, 'no'), 'server.tls_key': file('k', '', 0o600) };
  const { faults, warnings } = examineFiles({ configurationFile, env: {}, flags });
  assert.deepEqual(
    faults.map((fault) => fault.path),
    ['server.port', 'server.tls_cert', 'server.tls_key', 'security.pepper_file'],
  );
  assert.match(warnings[0] ?? '', /Unknown key prot .*line 2/);
});
