// Goal: a dialog tells the numbers of the fleet on show and offers what makes sense. Method: one small
// fleet, each kind of operation on it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backend } from './fleet.test-support.ts';
import {
  emptyForm,
  formCommand,
  formEffect,
  formRefusal,
  formVerb,
  modelChoices,
  type OperationForm,
  targetChoices,
} from './operation-form.ts';

const a = backend('a', ['chat', 'embed', 'code'], {
  loaded_models: ['chat', 'code'],
  closed_models: [{ id: 'code', reason: 'unloading' }],
  pending_requests: 3,
});
const b = backend('b', ['chat', 'vision']);
const waiting = backend('w', ['other'], { approved: false, routable: false });
const fleet = [a, b, waiting];

function form(more: Partial<OperationForm> = {}): OperationForm {
  return { kind: 'load', backend: a, ...emptyForm, modelId: 'chat', ...more };
}

test('what is loaded is not offered to be loaded, and what is closed is left alone', () => {
  assert.deepEqual(modelChoices('load', a, fleet), ['embed', 'other', 'vision']);
  assert.deepEqual(modelChoices('unload', a, fleet), ['chat']);
  assert.deepEqual(modelChoices('migrate', a, fleet), ['chat', 'embed']);
  assert.deepEqual(modelChoices('unload', b, fleet), ['chat', 'vision']);
});

test('a migration goes to another backend that was let in', () => {
  assert.deepEqual(
    targetChoices(a, fleet).map(({ id }) => id),
    ['b'],
  );
});

test('loading says who serves meanwhile, and that nobody does', () => {
  assert.match(formEffect(form(), fleet), /2 other models stay open\. 1 other backend serves it/);
  const alone = formEffect(form({ modelId: 'embed', download: true }), fleet);
  assert.match(alone, /No other backend serves embed: requests for it get 503/);
  assert.match(alone, /fetched first/);
});

test('unloading says what is in flight and whether that is waited for', () => {
  const unload = form({ kind: 'unload' });
  assert.match(formEffect(unload, fleet), /3 requests are in flight on a: those for chat finish/);
  assert.match(formEffect({ ...unload, drain: false }, fleet), /refused while one of them/);
  assert.match(formEffect({ ...unload, modelId: 'embed' }, fleet), /embed is served nowhere else/);
  assert.match(formEffect({ ...unload, backend: b }, fleet), /Nothing is in flight on b/);
});

test('migrating names both sides', () => {
  const words = formEffect(form({ kind: 'migrate', targetId: 'b' }), fleet);
  assert.match(words, /a serves chat until b has it in memory/);
});

test('nothing is sent without a model, nor a migration without a target', () => {
  assert.equal(formRefusal(form()), undefined);
  assert.match(formRefusal(form({ modelId: ' ' })) ?? '', /model first/);
  assert.match(formRefusal(form({ modelId: 'm'.repeat(1001) })) ?? '', /at most 1000/);
  assert.match(formRefusal(form({ kind: 'migrate' })) ?? '', /where it goes/);
});

test('the command is the same operation, whatever the model is called', () => {
  assert.equal(formVerb(form()), 'Load chat');
  assert.equal(
    formCommand(form({ modelId: "it's $(x)", download: true })),
    "tensorforge models load 'it'\\''s $(x)' --on a --download",
  );
  assert.equal(
    formCommand(form({ kind: 'unload' })),
    'tensorforge models unload chat --on a --drain',
  );
  assert.equal(
    formCommand(form({ kind: 'migrate', targetId: 'b' })),
    'tensorforge models migrate chat --from a --to b',
  );
});
