// Goal: what people read about options follows from the table, and the printed file is a good one.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadConfiguration } from './load.ts';
import { listOptions } from './options.ts';
import { renderConfigurationReference, renderConfigurationTemplate } from './reference.ts';
import { configurationView } from './view.ts';

test('docs/reference/configuration.md is what the table renders', () => {
  const page = new URL('../../docs/reference/configuration.md', import.meta.url);
  assert.equal(
    readFileSync(page, 'utf8'),
    renderConfigurationReference(),
    'generate it again: npm run docs:generate',
  );
});

test('the reference names every option with its flag and variables', () => {
  const page = renderConfigurationReference();
  for (const { path, flag, variables } of listOptions()) {
    for (const name of [path, ...(flag === undefined ? [] : [flag]), ...variables]) {
      assert.ok(page.includes(`\`${name}\``), name);
    }
  }
});

test('the template changes nothing as it is, and loads the defaults when uncommented', () => {
  const template = renderConfigurationTemplate();
  const asIs = loadConfiguration({ fileText: template, env: {}, flags: {} });
  const empty = loadConfiguration({ env: {}, flags: {} });
  assert.deepEqual(asIs, empty);

  const uncommented = template
    .split('\n')
    .filter((line) => !/^ *# ([A-Z]|- )/.test(line) && !/^# {3}/.test(line))
    .map((line) => line.replace(/^( *)# /, '$1'))
    .filter((line) => !line.includes('number of cores'))
    .join('\n');
  const full = loadConfiguration({ fileText: uncommented, env: {}, flags: {} });
  assert.ok(full.ok && empty.ok, JSON.stringify(full));
  assert.deepEqual(full.value.config, empty.value.config);
  assert.deepEqual(full.value.warnings, []);
  const given = Object.values(full.value.sources).filter((source) => source === 'file');
  assert.ok(given.length > 50, `${given.length} options are in the file`);
});

test('the view has every option, in snake_case, and shows no secret', () => {
  const env = { DATABASE_URL: 'postgres://ana:hunter2@h/db' };
  const fileText =
    'routing: {aliases: {gptFour: real}}\nbackends: [{name: a, url: "http://h", type: vllm}]';
  const outcome = loadConfiguration({ env, flags: {}, fileText });
  assert.ok(outcome.ok);
  const view = configurationView(outcome.value.config);
  assert.deepEqual(
    Object.keys(view),
    listOptions().map((listed) => listed.path),
  );
  assert.equal(view['database.url'], '[redacted]');
  assert.equal(view['server.tls_cert'], null);
  assert.deepEqual(view['routing.aliases'], { gptFour: 'real' });
  assert.match(JSON.stringify(view['backends']), /"api_key_env":null/);
});
