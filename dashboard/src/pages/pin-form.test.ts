// Goal: what the form sends is what was chosen, and the copied command is one command to a shell.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyPinSchema } from '../../../src/protocol/control/trust-schemas.ts';
import { expiryWords, pinCommand, pinExpiries, pinOf, reasonFault, shellWord } from './pin-form.ts';

test('every expiry that can be chosen is one that the server takes', () => {
  for (const expiry of pinExpiries) {
    const pin = pinOf({ mode: 'watch', expiry, reason: ' move ' });
    assert.equal(policyPinSchema.safeParse(pin).success, true);
    assert.equal(pin.reason, 'move');
    assert.notEqual(expiryWords[expiry], '');
  }
  assert.equal(pinOf({ mode: 'watch', expiry: 'lifted', reason: 'x' }).expires_in_seconds, null);
  assert.equal(pinOf({ mode: 'watch', expiry: '8h', reason: 'x' }).expires_in_seconds, 28_800);
});

test('a reason is needed, blank is none, and its length has an end', () => {
  assert.match(reasonFault('   ') ?? '', /audit trail/);
  assert.match(reasonFault('x'.repeat(501)) ?? '', /501 characters; at most 500/);
  assert.equal(reasonFault('x'.repeat(500)), undefined);
});

test('the command quotes whatever the reason holds', () => {
  assert.equal(
    pinCommand({ mode: 'halted', expiry: '2h', reason: "it's $HOME; rm" }),
    "tensorforge policy pin halted --for 2h --reason 'it'\\''s $HOME; rm'",
  );
  assert.equal(
    pinCommand({ mode: 'watch', expiry: 'lifted', reason: 'move' }),
    'tensorforge policy pin watch --reason move',
  );
  assert.equal(shellWord(''), "''");
});
