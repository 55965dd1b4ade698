// The scanner is held against JSON.parse: below the caps it refuses no JSON but doubled top-level
// members and overflowing numbers, and what it finds is what the parser sees.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { defaultJsonLimits, scanJson } from './json-scan.ts';

function scan(json: string, limits = defaultJsonLimits) {
  return scanJson(Buffer.from(json).toString('latin1'), 'model', limits);
}

function codeOf(json: string, limits = defaultJsonLimits): string {
  const result = scan(json, limits);
  return result.ok ? 'fine' : result.error.code;
}

function modelTextOf(json: string): string | undefined {
  const result = scan(json);
  assert.ok(result.ok);
  const { valueStart, valueEnd } = result.value;
  return valueStart < 0 ? undefined : Buffer.from(json).subarray(valueStart, valueEnd).toString();
}

describe('a doubled top-level member is refused', () => {
  const doubled = [
    ['169', '{"model":"a","model":"b"}'],
    ['169', '{"model":"a","x":{"model":1},"model" : "a"}'],
    ['170', '{"model":"a","mod\\u0065l":"b"}'],
    ['170', '{"\\u006dodel":"a","mod\\u0065l":"b"}'],
    ['170', '{"é":1,"\\u00e9":2}'],
    ['170', '{"a\\/b":1,"a/b":2}'],
    ['169', `{${Array.from({ length: 40 }, (_, at) => `"m${at}":1`).join()},"m7":1}`],
  ] as const;
  for (const [number, json] of doubled) {
    it(`case ${number}: ${json.slice(0, 40)}`, () => assert.equal(codeOf(json), 'duplicate_field'));
  }

  it('with its name as the param', () => {
    const result = scan('{"stream":true,"stream":false}');
    assert.ok(!result.ok);
    assert.equal(result.error.param, 'stream');
  });

  it('but not inside a member, where it means nothing to us', () => {
    assert.equal(codeOf('{"a":{"b":1,"b":2},"c":[{"a":1},{"a":1}],"b":"a"}'), 'fine');
  });
});

describe('complexity is refused at its cap and not below', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  const array = (count: number, item: string) => `[${`${item},`.repeat(count - 1)}${item}]`;
  it('case 171: depth 64 passes, 65 does not', () => {
    assert.deepEqual([codeOf(nested(64)), codeOf(nested(65))], ['fine', 'json_too_complex']);
  });

  it('case 172: 100 000 containers pass, 100 001 do not', () => {
    assert.equal(codeOf(array(99_999, '{}')), 'fine');
    assert.equal(codeOf(array(100_000, '{}')), 'json_too_complex');
  });

  it('case 173: 200 000 members pass, 200 001 do not', () => {
    const members = (count: number) => `[{${array(count, '"a":1').slice(1, -1)}}]`;
    assert.equal(codeOf(members(200_000)), 'fine');
    assert.equal(codeOf(members(200_001)), 'json_too_complex');
  });

  it('300 000 array elements pass, many more do not', () => {
    assert.equal(codeOf(array(300_000, '1')), 'fine');
    assert.equal(codeOf(array(300_002, '1')), 'json_too_complex');
  });

  it('members do not count as elements', () => {
    const limits = { ...defaultJsonLimits, elementsMax: 3 };
    assert.equal(codeOf('{"a":[1,2],"b":[{"c":1,"d":2,"e":3,"f":4}],"g":1,"h":2}', limits), 'fine');
  });

  it('case 174: what a flood costs does not grow with its length once a cap is reached', () => {
    const mib = 1024 * 1024;
    const bestMs = (item: string, size: number): number => {
      const json = (item.startsWith('[') ? '' : '[') + item.repeat(size / item.length);
      const text = Buffer.from(json).toString('latin1');
      const times = Array.from({ length: 5 }, () => {
        const start = performance.now();
        assert.ok(!scanJson(text, 'model', defaultJsonLimits).ok, item);
        return performance.now() - start;
      });
      return Math.min(...times);
    };
    for (const item of ['[', '{"a":', '[{},', '[],', '{"":0,', '"",', '1,', '[0,']) {
      const [short, long] = [bestMs(item, 2 * mib), bestMs(item, 10 * mib)];
      // Five times the text; the same work, give or take what else this machine does.
      assert.ok(long < 3 * short + 10, `${item}: ${short} ms for 2 MiB, ${long} ms for 10 MiB`);
    }
  });
});

describe('the span of the model', () => {
  it('is the string with its quotes, wherever it stands', () => {
    assert.equal(modelTextOf('{"model":"a"}'), '"a"');
    assert.equal(modelTextOf('{"é":["model",{"model":"x"}], "model" :\n "b\\"c" }'), '"b\\"c"');
    assert.equal(modelTextOf('{"x":"model","y":"\\\\","model":"d"}'), '"d"');
  });

  it('is absent when there is no string there', () => {
    assert.equal(modelTextOf('{"model":5,"a":"b"}'), undefined);
    assert.equal(modelTextOf('{"model":["b"],"a":"b"}'), undefined);
    assert.equal(modelTextOf('{"model":{"model":"b"}}'), undefined);
    assert.equal(modelTextOf('["model","a"]'), undefined);
    assert.equal(modelTextOf('{"a":{"model":"b"}}'), undefined);
  });
});

it('a name that hides plain characters behind escapes is refused at any depth', () => {
  const hidden = ['{"\\u006dodel":"a"}', '[{"a":{"a\\u005Fb" :1}}]', '{"x":"\\n","\\u0031":"\\n"}'];
  for (const json of hidden) assert.equal(codeOf(json), 'invalid_json', json);
  const honest =
    '{"gr\\u00f6\\u00dfe":1,"a\\/b":"\\u0061","\\"":1,"\\u003c":2,"\\\\u0061":["\\u0061"]}';
  assert.equal(codeOf(honest), 'fine');
});

it('case 167: a number that overflows is refused, a small or exact one is not', () => {
  for (const bad of ['1e999', '-1E+309', '1'.repeat(310), '{"a":[0.1e400]}']) {
    assert.equal(codeOf(bad), 'invalid_json');
  }
  for (const good of ['1e308', '1e-999', '-0.0', '1'.repeat(308), '"1e999"', '[true,1e5]']) {
    assert.equal(codeOf(good), 'fine');
  }
});

// No names with other escapes: JSON.parse itself misreads those (nodejs/node issue 63785).
const name = fc.oneof(
  fc.constantFrom('model', 'mod\\u0065l', 'a', 'é', ''),
  fc.string({ unit: 'grapheme' }).filter((text) => JSON.stringify(text) === `"${text}"`),
);
const blanks = fc.constantFrom('', ' ', '\n\t', '\r ');
const { value: anyJson } = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('1', '-2.5e3', 'true', 'null', '""', '"\\\\"', '"model"', '"\\\\\\""'),
    name.map((text) => `"${text}"`),
    tie('object'),
    tie('array'),
  ),
  object: fc
    .array(fc.tuple(name, blanks, tie('value')), { maxLength: 4 })
    .map((list) => `{${list.map(([key, gap, value]) => `${gap}"${key}"${gap}:${value}${gap}`)}}`),
  array: fc.array(tie('value'), { maxLength: 4 }).map((list) => `[${list}]`),
}));

function topLevelNames(json: string): string[] {
  const root: unknown = JSON.parse(json);
  return typeof root === 'object' && root !== null && !Array.isArray(root) ? Object.keys(root) : [];
}

it('JSON is refused only for a doubled top-level member, and the names are those of the parser', () => {
  fc.assert(
    fc.property(anyJson, (json) => {
      const result = scan(json);
      const names = topLevelNames(json);
      if (result.ok) {
        assert.deepEqual([...result.value.names].sort(), names.sort());
        const root: unknown = JSON.parse(json);
        const model =
          typeof root === 'object' && root !== null && !Array.isArray(root) && 'model' in root
            ? root.model
            : undefined;
        const text = modelTextOf(json);
        assert.equal(text === undefined ? undefined : JSON.parse(text), isText(model));
      } else if (result.error.code === 'duplicate_field') {
        assert.ok(names.includes(result.error.param ?? ''));
      } else {
        assert.equal(result.error.code, 'invalid_json');
        assert.match(json, /\\u0065/);
      }
    }),
    { seed: 20_260_110, numRuns: 5000 },
  );
});

function isText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

it('on any text the scan ends, and what it passes and the parser takes has bounded cost', () => {
  const noise = fc.array(
    fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', '1', 'e', 'a', ' '),
    {
      maxLength: 40,
    },
  );
  const limits = { depthMax: 3, containersMax: 5, membersMax: 4, elementsMax: 6 };
  fc.assert(
    fc.property(noise, (pieces) => {
      const json = pieces.join('');
      const result = scan(json, limits);
      let parsed: unknown;
      try {
        parsed = JSON.parse(json);
      } catch {
        return;
      }
      const cost = costOf(parsed);
      const isWithin = cost.depth <= 3 && cost.containers <= 5;
      if (result.ok) assert.ok(isWithin);
      else if (result.error.code === 'json_too_complex') assert.ok(!isWithin || cost.items > 4);
    }),
    { seed: 20_260_111, numRuns: 20_000 },
  );
});

function costOf(value: unknown): { depth: number; containers: number; items: number } {
  if (typeof value !== 'object' || value === null) return { depth: 0, containers: 0, items: 0 };
  const inner = Object.values(value).map(costOf);
  return {
    depth: 1 + Math.max(0, ...inner.map((cost) => cost.depth)),
    containers: 1 + inner.reduce((sum, cost) => sum + cost.containers, 0),
    items: inner.length + inner.reduce((sum, cost) => sum + cost.items, 0),
  };
}
