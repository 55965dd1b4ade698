// Goal: an input is read line by line whatever its size and its chunks, and each fault has its line.
// Method: inputs cut at random places against the lines of the whole text; faults as a table.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { type InputLine, inputLines } from './batch-input.ts';
import { linesMax, validateInput } from './batch-validation.ts';

const endpoint = '/v1/chat/completions';

function line(customId: string, model = 'm'): string {
  return JSON.stringify({ custom_id: customId, method: 'POST', url: endpoint, body: { model } });
}

async function read(pieces: readonly Buffer[], from = { line: 0, byte: 0 }) {
  const lines: InputLine[] = [];
  for await (const one of inputLines(Readable.from(pieces), from)) lines.push(one);
  return lines;
}

test('lines are the same however the file is cut, and each can be read again from its byte', async () => {
  const anyText = fc.array(fc.constantFrom('ab', 'ü', '\n', ' ', '\r\n', '{"a":1}'), {
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(anyText, fc.integer({ min: 1, max: 7 }), async (parts, size) => {
      const whole = Buffer.from(parts.join(''));
      const pieces: Buffer[] = [];
      for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size));
      const lines = await read(pieces);
      const expected = whole
        .toString()
        .split('\n')
        .map((text, number) => ({ number, text }))
        .filter(({ text }) => text.trim() !== '');
      const found = lines.map(({ line: number, content }) => ({
        number,
        text: content.kind === 'text' ? content.text : content.kind,
      }));
      assert.deepEqual(found, expected);
      const last = lines.at(-1);
      if (last === undefined) return;
      const again = await read([whole.subarray(last.byte)], { line: last.line, byte: last.byte });
      assert.deepEqual(again, [last]);
    }),
    { seed: 20_261_121, numRuns: 200 },
  );
});

test('a line beyond 1 MiB is told as such and not held, and the next one is read', async () => {
  const piece = Buffer.alloc(600_000, 'x');
  const lines = await read([piece, piece, Buffer.from('\nnext')]);
  assert.deepEqual(
    lines.map(({ line: number, byte, content }) => [number, byte, content.kind]),
    [
      [0, 0, 'too_large'],
      [1, 1_200_001, 'text'],
    ],
  );
});

async function faults(
  text: string | Buffer,
): Promise<readonly (readonly [number | null, string])[]> {
  const modelFault = (model: string) => (model === 'm' ? undefined : `no ${model}`);
  const checked = await validateInput(Readable.from([Buffer.from(text)]), { endpoint, modelFault });
  return checked.ok ? [] : checked.error.map((error) => [error.line, error.code] as const);
}

test('a good input says how many lines it has', async () => {
  const text = `${line('a')}\n\n${line('b')}\r\n`;
  const source = Readable.from([Buffer.from(text)]);
  const checked = await validateInput(source, { endpoint, modelFault: () => undefined });
  assert.deepEqual(checked, { ok: true, value: 2 });
});

test('every fault is told with its line', async () => {
  const bad = Buffer.concat([
    Buffer.from(`${line('a')}\n${line('a')}\n${line('b', 'x')}\n{\n`),
    Buffer.from([0xff, 0x0a]),
  ]);
  assert.deepEqual(await faults(bad), [
    [2, 'duplicate_custom_id'],
    [3, 'model_not_found'],
    [4, 'invalid_json_line'],
    [5, 'invalid_json_line'],
  ]);
});

test('an input without lines, with too many, or with more faults than anybody reads', async () => {
  assert.deepEqual(await faults('\n \n'), [[null, 'empty_file']]);
  assert.equal((await faults('{\n'.repeat(200))).length, 50);
  const many = Array.from({ length: linesMax + 1 }, (_, i) => line(String(i))).join('\n');
  assert.deepEqual(await faults(many), [[null, 'too_many_tasks']]);
});
