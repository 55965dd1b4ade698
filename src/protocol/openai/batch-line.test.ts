// Goal: a line of a batch is read whole or refused with every member at fault, and bodies keep their words.
// Method: lines as a table.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answeredLine, parseBatchLine, unansweredLine } from './batch-line.ts';

const endpoint = '/v1/chat/completions';
const good = { custom_id: 'a', method: 'POST', url: endpoint, body: { model: 'm', messages: [] } };

/** Code and parameter of each fault of a line; empty for a good one. */
function faultsOf(line: unknown): readonly string[] {
  const parsed = parseBatchLine(typeof line === 'string' ? line : JSON.stringify(line), endpoint);
  return parsed.ok ? [] : parsed.error.map(({ code, param }) => `${code} ${param ?? ''}`.trim());
}

test('a good line gives its id, its model and its body in its own words', () => {
  const body = '{ "seed": 12345678901234567890, "model":"m" , "temperature":1.0}';
  const text = `{"custom_id":"a","method":"POST","url":"${endpoint}","body":${body}}`;
  assert.deepEqual(parseBatchLine(text, endpoint), {
    ok: true,
    value: { customId: 'a', model: 'm', body },
  });
});

const refused: readonly (readonly [unknown, readonly string[]])[] = [
  ['', ['invalid_json_line']],
  ['[]', ['invalid_json_line']],
  ['{', ['invalid_json_line']],
  [`{"a":${'['.repeat(100)}${']'.repeat(100)}}`, ['invalid_json_line']],
  [{}, ['custom_id', 'method', 'url', 'body'].map((name) => `missing_required_parameter ${name}`)],
  [{ ...good, custom_id: 7 }, ['invalid_custom_id custom_id']],
  [{ ...good, custom_id: '' }, ['invalid_custom_id custom_id']],
  [{ ...good, custom_id: 'x'.repeat(513) }, ['invalid_custom_id custom_id']],
  [{ ...good, custom_id: 'a\0' }, ['invalid_custom_id custom_id']],
  [{ ...good, method: 'GET' }, ['invalid_method method']],
  [{ ...good, url: 'https://example.com/v1/chat/completions' }, ['invalid_url url']],
  [{ ...good, url: '/api/v1/keys' }, ['invalid_url url']],
  [{ ...good, url: '/v1/embeddings' }, ['invalid_url url']],
  [{ ...good, body: [] }, ['invalid_request body']],
  [{ ...good, body: {} }, ['missing_required_parameter body.model']],
  [{ ...good, body: { model: '' } }, ['invalid_request body.model']],
  [{ ...good, body: { model: 'm', stream: true } }, ['invalid_request body.stream']],
  [
    { method: 'GET', url: endpoint, body: { model: 'm' } },
    ['missing_required_parameter custom_id', 'invalid_method method'],
  ],
];

for (const [line, faults] of refused) {
  test(`${JSON.stringify(line).slice(0, 70)}: ${faults.join(', ').slice(0, 60)}`, () => {
    assert.deepEqual(faultsOf(line), faults);
  });
}

test('an answer stands on one line in its own words, whatever it was', () => {
  const response = { status: 200, requestId: 'r', body: '{\n  "big": 12345678901234567890\r\n}\n' };
  const line = answeredLine('batch_req_1', 'a"b', response);
  assert.ok(!/[\r\n]/.test(line));
  assert.ok(line.includes('12345678901234567890'));
  assert.equal(JSON.parse(line).custom_id, 'a"b');
  assert.equal(JSON.parse(line).response.status_code, 200);
  const text = answeredLine('batch_req_1', 'a', { ...response, body: '<html>\n' });
  assert.equal(JSON.parse(text).response.body, '<html>\n');
});

test('a request that nobody answered says why', () => {
  const error = { code: 'batch_expired', message: 'too late' };
  assert.deepEqual(JSON.parse(unansweredLine('batch_req_1', 'a', error)), {
    id: 'batch_req_1',
    custom_id: 'a',
    response: null,
    error,
  });
});
