// Goal: whatever an answer holds, the person gets a message, a code and a next step.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOfAnswer, failureText, isSignedOut, partsOf } from './failure.ts';

test('the words and the code of the server come first', () => {
  const { parts } = failureOfAnswer(404, {
    msg: 'There is no backend “x”.',
    code: 'backend_not_found',
  });
  assert.equal(parts.message, 'There is no backend “x”.');
  assert.equal(parts.code, 'backend_not_found');
  assert.notEqual(parts.remedy, undefined);
});

test('an answer that is not ours still has a code and a remedy', () => {
  for (const body of [undefined, null, 'oops', [], { error: 'x' }, { msg: 5 }]) {
    const { parts } = failureOfAnswer(502, body);
    assert.equal(parts.code, 'http_502');
    assert.match(parts.remedy ?? '', /doctor/);
  }
});

test('details are shown as lines, at most twenty', () => {
  const details = Array.from({ length: 30 }, (_, n) => ({ fault: n }));
  const { parts } = failureOfAnswer(400, { msg: 'm', code: 'invalid_request', details });
  assert.equal(parts.details.length, 20);
  assert.equal(parts.details[1], '{"fault":1}');
});

test('only 401 means signed out', () => {
  assert.equal(isSignedOut(failureOfAnswer(401, {})), true);
  assert.equal(isSignedOut(failureOfAnswer(403, {})), false);
  assert.equal(isSignedOut(new Error('401')), false);
});

test('the copied text holds code, status, message and remedy', () => {
  const text = failureText(
    partsOf(failureOfAnswer(403, { msg: 'No.', code: 'permission_denied' })),
  );
  assert.match(text, /^permission_denied \(HTTP 403\): No\.\nAsk an administrator/);
});
