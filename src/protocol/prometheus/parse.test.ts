// Goal: what an exposition says is read, and nothing that a hostile page says is believed or breaks us.
// Method: lines from the format's own page, hostile ones, and a property over any bytes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { metricsCharactersMax, metricsLinesMax, parseMetrics, type Sample } from './parse.ts';

const names = new Set(['vllm:num_requests_running', 'up', 'm']);

function samples(text: string): readonly Sample[] {
  const parsed = parseMetrics(text, names);
  assert.ok(parsed.ok);
  return parsed.value;
}

function only(text: string): Sample {
  const [first, ...rest] = samples(text);
  assert.ok(first !== undefined && rest.length === 0, text);
  return first;
}

test('a page of an engine: wanted names with their labels, all others passed by', () => {
  const page = [
    '# HELP vllm:num_requests_running Number of requests in model execution batches.',
    '# TYPE vllm:num_requests_running gauge',
    'vllm:num_requests_running{engine="0",model_name="meta-llama/Llama-3.1-8B"} 3.0',
    'vllm:num_requests_running_total 9',
    'vllm:e2e_request_latency_seconds_bucket{le="+Inf"} 12',
    'up 1 1700000000000',
    '',
  ].join('\n');
  assert.deepEqual(
    samples(page).map(({ name, labels, value }) => [name, Object.fromEntries(labels), value]),
    [
      ['vllm:num_requests_running', { engine: '0', model_name: 'meta-llama/Llama-3.1-8B' }, 3],
      ['up', {}, 1],
    ],
  );
});

test('spaces, a trailing comma, carriage returns and an exemplar', () => {
  assert.equal(only('m { a = "1" , b="2", } 7\r\n').value, 7);
  assert.equal(only('m{} 8').value, 8);
  assert.equal(only('m\t9').value, 9);
  assert.equal(only('m 1e+06 # {trace_id="x"} 0.5').value, 1_000_000);
});

test('labels with escapes', () => {
  const { labels } = only('m{a="say \\"hi\\"",b="c:\\\\d",c="x\\ny",d="} 5"} 1');
  assert.deepEqual(Object.fromEntries(labels), { a: 'say "hi"', b: 'c:\\d', c: 'x\ny', d: '} 5' });
});

test('values that are no finite numbers are left out', () => {
  for (const value of ['NaN', '+Inf', '-Inf', '1e999', '0x10', '', '1_000', 'true', '1,5']) {
    assert.deepEqual(samples(`m ${value}`), [], value);
  }
  assert.deepEqual(
    ['-1', '+2.5', '.5', '1.', '1E-2'].map((value) => only(`m ${value}`).value),
    [-1, 2.5, 0.5, 1, 0.01],
  );
});

test('a torn line is passed by, and the next one is read', () => {
  for (const torn of [
    'm{',
    'm{a',
    'm{a="',
    'm{a="x"',
    'm{a="x" b="y"} 1',
    'm{a=x} 1',
    'm{a="x\\',
    '{} 1',
  ]) {
    assert.equal(only(`${torn}\nup 1`).name, 'up', torn);
  }
});

test('a label of the name of a prototype member is plain data', () => {
  assert.equal(only('m{__proto__="x",constructor="y"} 1').labels.get('__proto__'), 'x');
});

test('a page that is too long is refused as a whole', () => {
  const refusals = [
    parseMetrics('m 1\n'.repeat(metricsLinesMax + 1), names),
    parseMetrics(' '.repeat(metricsCharactersMax + 1), names),
  ];
  for (const refused of refusals)
    assert.ok(!refused.ok && refused.error.message.includes('at most'));
  assert.equal(samples('m 1\n'.repeat(metricsLinesMax)).length, metricsLinesMax);
});

test('a line of very many labels or quotes costs no more than its length', () => {
  assert.deepEqual(samples(`m{${'a="",'.repeat(100_000)}} 1`), []);
  assert.deepEqual(samples(`m{a="${'\\"'.repeat(500_000)}`), []);
  assert.deepEqual(samples(`m ${'1'.repeat(1_000_000)}x`), []);
});

const nearlyMetrics = fc
  .array(
    fc.constantFrom('m', 'up', '{', '}', '"', '\\', 'a="b"', ',', ' ', '\n', '1', 'e', '#', '.'),
  )
  .map((parts) => parts.join(''));
const anyBytes = fc.uint8Array({ maxLength: 400 }).map((b) => Buffer.from(b).toString('utf8'));

holds(
  'any bytes give finite samples of wanted names, and never throw',
  fc.property(fc.oneof(nearlyMetrics, anyBytes), (text) => {
    for (const { name, value } of samples(text)) {
      assert.ok(names.has(name));
      assert.ok(Number.isFinite(value));
    }
  }),
);

holds(
  'a sample that was written comes back',
  fc.property(
    fc.dictionary(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/), fc.string(), { maxKeys: 6 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    (labels, value) => {
      const escaped = (text: string): string =>
        text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
      const written = Object.entries(labels).map(([k, v]) => `${k}="${escaped(v)}"`);
      const read = only(`m{${written.join(',')}} ${value}`);
      assert.equal(read.value, value === 0 ? Number(`${value}`) : value);
      assert.deepEqual(Object.fromEntries(read.labels), { ...labels });
    },
  ),
);
