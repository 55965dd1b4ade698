// Goal: a line of each format is read or refused with words that name member, value and what
// belongs there. Method: tables of heads and lines.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTraceHead, readTraceRow, type TraceHead } from './trace-row.ts';

function head(line: string): TraceHead {
  const read = readTraceHead(line);
  assert.ok(read.ok, line);
  return read.value;
}

function refusal(headLine: string, line: string): string {
  const read = readTraceRow(head(headLine), line);
  assert.ok(!read.ok, line);
  return read.error;
}

const azure = 'TIMESTAMP,ContextTokens,GeneratedTokens';
const burstgpt = 'Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type';

test('columns are found by name: their order and further ones do not matter', () => {
  const plain = readTraceRow(head(azure), '2023-11-16 18:15:46.6805900,374,44');
  const other = readTraceRow(
    head(' GeneratedTokens ,User,ContextTokens,TIMESTAMP'),
    '44,ana,374,2023-11-16 18:15:46.6805900',
  );
  assert.ok(plain.ok);
  assert.deepEqual(other, plain);
  assert.equal(plain.value.promptTokens, 374);
  assert.ok(Math.abs((plain.value.clockMs % 1000) - 680.59) < 0.001);
});

test('BurstGPT without its optional columns is read; what it does not tell stays open', () => {
  const read = readTraceRow(head('Timestamp,Request tokens,Response tokens'), '4.5,7,9');
  assert.ok(read.ok);
  assert.equal(read.value.clockMs, 4500);
  assert.equal(read.value.stream, undefined);
  assert.equal(read.value.model, undefined);
});

test('BurstGPT names the model, and a conversation streams', () => {
  const read = readTraceRow(head(burstgpt), '5,GPT-4,472,18,490,Conversation log');
  assert.ok(read.ok);
  assert.deepEqual([read.value.model, read.value.stream], ['GPT-4', true]);
});

test('Mooncake carries the ids of its prefix blocks', () => {
  const line = '{"timestamp": 27, "input_length": 600, "output_length": 3, "hash_ids": [4, 9]}';
  const read = readTraceRow(head(line), line);
  assert.ok(read.ok);
  assert.deepEqual(read.value.prefixIds, [4, 9]);
});

test('a head with a byte order mark or CRLF is the same head', () => {
  assert.deepEqual(head(`\uFEFF${azure}\r`), head(azure));
});

const badHeads: readonly (readonly [string, RegExp])[] = [
  ['', /not a known trace/],
  ['a,b', /not a known trace; it starts with "TIMESTAMP/],
  ['TIMESTAMP,ContextTokens', /no column "GeneratedTokens"; the columns are TIMESTAMP, Context/],
  ['ContextTokens', /no column "TIMESTAMP" and "GeneratedTokens"/],
  ['Model,Request tokens', /no column "Timestamp" and "Response tokens"/],
  [`${azure},ContextTokens`, /two columns "ContextTokens"/],
];

for (const [line, words] of badHeads) {
  test(`the head "${line}" is refused`, () => {
    const read = readTraceHead(line);
    assert.ok(!read.ok);
    assert.match(read.error, words);
  });
}

const mooncake = '{"timestamp": 0, "input_length": 1, "output_length": 1}';
const badRows: readonly (readonly [string, string, RegExp])[] = [
  [azure, '2023-11-16 18:16:00,5', /^2 cells where 3 belong$/],
  [azure, '2023-11-16T18:16:00Z,5,5', /TIMESTAMP "2023-11-16T18:16:00Z" is not YYYY-MM-DD/],
  [azure, '2023-02-31x,5,5', /TIMESTAMP/],
  [azure, '2023-11-16 18:16:00,-5,1', /ContextTokens is "-5", not a whole number from 0/],
  [azure, '2023-11-16 18:16:00,5,', /GeneratedTokens is "", not a whole number/],
  [azure, '2023-11-16 18:16:00,5,1e999', /GeneratedTokens is "1e999"/],
  [burstgpt, '-1,m,1,1,2,API log', /Timestamp "-1" is not seconds from 0/],
  [burstgpt, '1,m,1,1,2,Other', /Log Type "Other"/],
  [mooncake, '{"timestamp": 0', /not a JSON object/],
  [mooncake, '[]', /not a JSON object/],
  [mooncake, '{"timestamp": -1, "input_length": 1, "output_length": 1}', /timestamp is -1/],
  [mooncake, '{"timestamp": 0, "input_length": 1}', /output_length is missing/],
  [
    mooncake,
    '{"timestamp": 0, "input_length": 1, "output_length": 1, "hash_ids": ["a"]}',
    /hash_ids is not a list of whole numbers/,
  ],
];

for (const [headLine, line, words] of badRows) {
  test(`the row "${line}" is refused`, () => assert.match(refusal(headLine, line), words));
}
