// Goal: arguments fit the schema of the tool, whatever the schema is. Method: schemas of every type,
// and anything at all in the place of a schema.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { toolCallOf } from './tool-call.ts';

test('each type gets a value of its own, and only required members are given', () => {
  const schema = {
    type: 'OBJECT',
    properties: {
      text: { type: 'string' },
      whole: { type: 'integer' },
      part: { type: 'number' },
      flag: { type: 'boolean' },
      list: { type: 'array', items: { type: 'integer' } },
      unit: { type: 'string', enum: ['celsius', 'fahrenheit'] },
      nested: { type: 'object', properties: { none: { type: 'null' } } },
      optional: { type: 'string' },
    },
    required: ['text', 'whole', 'part', 'flag', 'list', 'unit', 'nested'],
  };
  assert.deepEqual(toolCallOf({ name: 'f', schema }, 10), {
    name: 'f',
    arguments: {
      text: toolCallOf({ name: 'f', schema }, 10).arguments['text'],
      whole: 12,
      part: 13.5,
      flag: true,
      list: [16],
      unit: 'celsius',
      nested: { none: null },
    },
  });
});

holds(
  'anything in the place of a schema gives an object that is JSON, the same each time',
  fc.property(fc.jsonValue(), fc.nat(), (schema, digest) => {
    const call = toolCallOf({ name: 'f', schema }, digest);
    assert.deepEqual(JSON.parse(JSON.stringify(call)), call);
    assert.deepEqual(toolCallOf({ name: 'f', schema }, digest), call);
  }),
);
