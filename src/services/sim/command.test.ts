// Goal: `tensorforge sim` says where it is and ends with 0 when told to. Method: a real process.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

function start(output: { readonly json: boolean; readonly quiet: boolean }) {
  const file = new URL('./command.ts', import.meta.url).href;
  const options = { as: 'vllm', port: 0, models: ['a', 'b'], profile: 'a100-7b', seed: 1, output };
  const script = `import { runSim } from '${file}';
    process.exitCode = await runSim(${JSON.stringify(options)});`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

test('--json announces it as one object, --quiet as its address alone', async (context) => {
  for (const json of [true, false]) {
    const child = start({ json, quiet: !json });
    context.after(() => child.kill('SIGKILL'));
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const url = json ? JSON.parse(line).url : line;
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
    const told = { ready: true, simulated: true, as: 'vllm', url, models: ['a', 'b'] };
    if (json) assert.deepEqual(JSON.parse(line), told);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  }
});

test('it prints one line, serves, and ends with 0 on SIGTERM with a stream open', async (context) => {
  const child = start({ json: false, quiet: false });
  context.after(() => child.kill('SIGKILL'));
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const found = /^● sim vllm (http:\/\/127\.0\.0\.1:\d+) models a, b {2}\(simulated\)$/.exec(line);
  assert.ok(found, line);
  const response = await fetch(`${found[1]}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({
      model: 'a',
      messages: [{ role: 'user', content: 'Go on' }],
      max_tokens: 4000,
      stream: true,
    }),
  });
  const cut = assert.rejects(response.text());
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  await cut;
});
