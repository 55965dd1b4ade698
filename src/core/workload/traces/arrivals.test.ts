// Goal: a file becomes arrivals in order of time, or all of its faults with their lines. Method:
// lines written here.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../../test/support/properties.ts';
import { type Trace, TraceLines } from './arrivals.ts';

function read(lines: readonly string[]) {
  const reader = new TraceLines();
  for (const line of lines) if (!reader.push(line)) break;
  return reader.finish();
}

function trace(lines: readonly string[]): Trace {
  const result = read(lines);
  assert.ok(result.ok, result.ok ? '' : result.error.message);
  return result.value;
}

function faults(lines: readonly string[]): string {
  const result = read(lines);
  assert.ok(!result.ok);
  return result.error.message;
}

const azure = 'TIMESTAMP,ContextTokens,GeneratedTokens';
const burstgpt = 'Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type';

test('rows out of order are sorted and counted, rows without output left out and counted', () => {
  const { arrivals, unsorted, withoutOutput } = trace([
    burstgpt,
    '10,m,1,1,2,API log',
    '5,m,2,2,4,API log',
    '7,m,3,0,3,API log',
    '12,m,4,4,8,API log',
  ]);
  assert.deepEqual(
    arrivals.map(({ atUs, promptTokens }) => [atUs, promptTokens]),
    [
      [0, 2],
      [5_000_000, 1],
      [7_000_000, 4],
    ],
  );
  assert.deepEqual([unsorted, withoutOutput], [2, 1]);
});

test('Mooncake rows of one tick are spread over it, and over no more than is there', () => {
  const row = (timestamp: number): string =>
    JSON.stringify({ timestamp, input_length: 1, output_length: 1, hash_ids: [7] });
  const { arrivals } = trace([row(0), row(0), row(10), row(10), row(20)]);
  assert.deepEqual(
    arrivals.map(({ atUs }) => atUs),
    [0, 5000, 10_000, 15_000, 1_517_500],
  );
  assert.deepEqual(arrivals[0]?.prefixIds, [7]);
});

test('blank lines, CRLF and a byte order mark are no rows', () => {
  const lines = [`\uFEFF${azure}\r`, '', '2023-11-16 18:15:46,3,4\r', '  ', ''];
  assert.equal(trace(lines).arrivals.length, 1);
});

test('all faults are told with their lines, the first ten in words', () => {
  const bad = Array.from({ length: 12 }, () => '2023-11-16 18:16:00,-1,1');
  const words = faults([azure, '2023-11-16 18:15:46,3,4', ...bad]);
  assert.match(words, /^line 3: ContextTokens is "-1".*line 12: /);
  assert.match(words, /; and 2 more$/);
});

test('a file that is empty, or has only a head, or is none is refused', () => {
  assert.equal(faults([]), 'the file is empty');
  assert.match(faults([azure]), /no row after the head/);
  assert.match(faults(['hello', 'world']), /^line 1: not a known trace/);
  assert.match(faults(['TIMESTAMP,ContextTokens']), /^line 1: no column "GeneratedTokens"/);
});

const cells = fc.record({
  second: fc.integer({ min: 0, max: 59 }),
  prompt: fc.integer({ min: 0, max: 9000 }),
  output: fc.integer({ min: 0, max: 50 }),
});

holds(
  'whatever the order of the rows, arrivals ascend from 0 and none is lost',
  fc.property(fc.array(cells, { minLength: 1, maxLength: 20 }), (rows) => {
    const lines = rows.map(
      ({ second, prompt, output }) =>
        `2023-11-16 18:15:${String(second).padStart(2, '0')},${prompt},${output}`,
    );
    const { arrivals, withoutOutput } = trace([azure, ...lines]);
    assert.equal(arrivals.length + withoutOutput, rows.length);
    let lastUs = 0;
    for (const { atUs, promptTokens } of arrivals) {
      assert.ok(atUs >= lastUs && promptTokens >= 1);
      lastUs = atUs;
    }
  }),
);
