// Goal: a form gives the same parts however it is cut, and what is no form is refused.
// Method: forms as Node's own FormData writes them, random data full of near-delimiters, cut at random
// places; malformed ones as a table.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { boundaryOf, MultipartReader } from './multipart.ts';

type Part = { readonly name: string; readonly filename: string | undefined; readonly data: string };

/** The parts of a body that comes in these pieces, or the words of its fault. */
function read(boundary: string, pieces: readonly Buffer[]): readonly Part[] | string {
  const reader = new MultipartReader(boundary);
  const parts: { name: string; filename: string | undefined; data: Buffer[] }[] = [];
  let ends = 0;
  for (const piece of pieces) {
    const result = reader.push(piece);
    if (!result.ok) return result.error.message;
    for (const event of result.value) {
      if (event.kind === 'part') parts.push({ ...event.head, data: [] });
      else if (event.kind === 'data') parts.at(-1)?.data.push(event.bytes);
      else ends++;
    }
  }
  const end = reader.end();
  if (!end.ok) return end.error.message;
  assert.equal(ends, parts.length + 1, 'every part and the form end once');
  return parts.map((part) => ({ ...part, data: Buffer.concat(part.data).toString('latin1') }));
}

function form(parts: readonly Part[], boundary = 'b'): Buffer {
  const pieces = parts.map(({ name, filename, data }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"`;
    return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${data}\r\n`;
  });
  return Buffer.from(`${pieces.join('')}--${boundary}--\r\n`, 'latin1');
}

test('a form of FormData is read', async () => {
  const data = new FormData();
  data.append('purpose', 'batch');
  data.append('file', new Blob(['{"a":1}\n']), 'my "lines".jsonl');
  data.append('empty', new Blob([]), 'none');
  const sent = new Response(data);
  const boundary = boundaryOf(sent.headers.get('content-type') ?? '') ?? '';
  assert.deepEqual(read(boundary, [Buffer.from(await sent.arrayBuffer())]), [
    { name: 'purpose', filename: undefined, data: 'batch' },
    { name: 'file', filename: 'my "lines".jsonl', data: '{"a":1}\n' },
    { name: 'empty', filename: 'none', data: '' },
  ]);
});

const fragment = fc.constantFrom(
  '\r',
  '\n',
  '\r\n',
  '--',
  '--b',
  '\r\n--',
  '\r\n--c',
  '-',
  'x',
  '\0',
);
const anyParts = fc.array(
  fc.record(
    {
      name: fc.constantFrom('file', 'purpose', 'a'),
      filename: fc.constantFrom(undefined, 'f.jsonl'),
      data: fc
        .array(fragment, { maxLength: 20 })
        .map((all) => all.join('').replaceAll('\r\n--b', '\r\n--')),
    },
    { noNullPrototype: true },
  ),
  { maxLength: 4 },
);

holds(
  'a form gives the same parts however it is cut',
  fc.property(anyParts, fc.array(fc.nat(400), { maxLength: 30 }), (parts, places) => {
    const body = form(parts);
    const cuts = [
      0,
      ...places.map((at) => at % (body.length + 1)).sort((a, b) => a - b),
      body.length,
    ];
    const pieces = cuts.slice(1).map((to, i) => body.subarray(cuts[i], to));
    assert.deepEqual(read('b', pieces), parts);
    assert.deepEqual(
      read(
        'b',
        [...body].map((byte) => Buffer.from([byte])),
      ),
      parts,
    );
  }),
);

holds(
  'any bytes at all are read or refused, and never thrown at',
  fc.property(fc.array(fc.oneof(fragment, fc.string()), { maxLength: 30 }), (all) => {
    const body = Buffer.from(`--b\r\n${all.join('')}`, 'latin1');
    read('b', [body.subarray(0, 7), body.subarray(7)]);
  }),
);

const head = 'Content-Disposition: form-data; name="a"';
const malformed: Readonly<Record<string, string>> = {
  'no delimiter': 'hello',
  'a preamble': `hello\r\n--b\r\n${head}\r\n\r\nx\r\n--b--`,
  'no last delimiter': `--b\r\n${head}\r\n\r\nx`,
  'no end of line behind a delimiter': `--bc\r\n${head}\r\n\r\nx\r\n--b--`,
  'an epilogue': `--b\r\n${head}\r\n\r\nx\r\n--b--\r\nmore`,
  'half an end of line': `--b\r\n${head}\r\n\r\nx\r\n--b--\r`,
  'a part without a field': '--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--',
  'a part without a disposition': '--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--',
  'two dispositions': `--b\r\n${head}\r\n${head}\r\n\r\nx\r\n--b--`,
  'a folded line': `--b\r\n${head};\r\n filename="x"\r\n\r\nx\r\n--b--`,
  'a transfer encoding': `--b\r\n${head}\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--b--`,
  'a head that never ends': `--b\r\n${'x'.repeat(9000)}`,
  'too many parts': `${`--b\r\n${head}\r\n\r\n\r\n`.repeat(33)}--b--`,
};

for (const [what, body] of Object.entries(malformed)) {
  test(`refused: ${what}`, () => {
    const whole = Buffer.from(body, 'latin1');
    const words = read('b', [whole]);
    assert.match(String(words), /^The form is malformed: /);
    assert.equal(
      read(
        'b',
        [...whole].map((byte) => Buffer.from([byte])),
      ),
      words,
    );
  });
}

test('a boundary is read from content types that name a good one', () => {
  assert.equal(boundaryOf('multipart/form-data; boundary=abc'), 'abc');
  assert.equal(boundaryOf('Multipart/Form-Data;boundary="a b:c"'), 'a b:c');
  for (const type of [
    undefined,
    'application/json',
    'multipart/form-data',
    'multipart/mixed; boundary=a',
  ]) {
    assert.equal(boundaryOf(type), undefined);
  }
  assert.equal(boundaryOf(`multipart/form-data; boundary=${'x'.repeat(71)}`), undefined);
});
