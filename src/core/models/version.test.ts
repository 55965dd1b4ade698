// Goal: version numbers of C.1. Method: tables of texts and pairs; round trip and order as
// properties over the whole range.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { version } from './registry.test-support.ts';
import { compareVersions, formatVersion, isVersionPart, parseVersion } from './version.ts';

const part = fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 0xffff_ffff }), fc.constant(0xffff_ffff));
const versions = fc
  .tuple(part, part, part)
  .map(([major, minor, patch]) => ({ major, minor, patch }));

describe('registry', () => {
  it('three decimal parts are a version', () => {
    assert.deepEqual(parseVersion('1.2.3'), { major: 1, minor: 2, patch: 3 });
    assert.deepEqual(parseVersion('0.0.0'), { major: 0, minor: 0, patch: 0 });
    assert.deepEqual(parseVersion('10.0.20'), { major: 10, minor: 0, patch: 20 });
  });

  it('a part may be as large as 32 bits and no larger', () => {
    const most = 4_294_967_295;
    const parsed = parseVersion('4294967295.4294967295.4294967295');
    assert.deepEqual(parsed, { major: most, minor: most, patch: most });
    for (const text of ['4294967296.0.0', '0.4294967296.0', '0.0.4294967296', '0.0.99999999999']) {
      assert.equal(parseVersion(text), undefined, text);
    }
  });

  it('any other text is no version', () => {
    const malformed = [
      ...['', '.', '..', '...', '1', '1.2', '1.2.', '.1.2', '1..2', '1.2.3.', '1.2.3.4'],
      ...['1.2.3.4.5', '+1.2.3', '-1.2.3', '1.-2.3', '1.2.-0', ' 1.2.3', '1.2.3 ', '1. 2.3'],
      ...['1.2.3\n', 'v1.2.3', '1.2.x', 'a.b.c', '1.2.3-rc1', '1.2.3+build', '0x1.2.3', '1e3.0.0'],
      ...['01.2.3', '1.02.3', '1.2.00', '1,2,3', '1.2.3.', '١.٢.٣', '1.2.3\u0000', '1_0.2.3'],
    ];
    for (const text of malformed) assert.equal(parseVersion(text), undefined, JSON.stringify(text));
  });

  it('parts are compared as numbers, from major to patch', () => {
    const rows: readonly (readonly [string, string, number])[] = [
      ['1.10.0', '1.9.9', 1],
      ['2.0.0', '1.99.99', 1],
      ['1.2.3', '1.3.0', -1],
      ['1.2.3', '1.2.4', -1],
      ['1.2.10', '1.2.9', 1],
      ['1.2.3', '1.2.3', 0],
      ['0.0.0', '0.0.0', 0],
      ['0.0.0', '4294967295.4294967295.4294967295', -1],
      ['4294967295.0.0', '4294967294.4294967295.4294967295', 1],
    ];
    for (const [a, b, expected] of rows) {
      assert.equal(compareVersions(version(a), version(b)), expected, `${a} to ${b}`);
      const reversed = compareVersions(version(b), version(a));
      assert.ok(reversed === -expected, `${b} to ${a} is ${reversed}`);
    }
  });

  it('a part is a whole number of 32 bits', () => {
    for (const value of [0, 1, 4_294_967_295]) assert.ok(isVersionPart(value), String(value));
    for (const value of [-1, 0.5, 4_294_967_296, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.ok(!isVersionPart(value), String(value));
    }
  });

  holds(
    'what is formatted parses to the same version',
    fc.property(versions, (one) => {
      assert.deepEqual(parseVersion(formatVersion(one)), one);
    }),
  );

  holds(
    'the order of versions is antisymmetric and transitive, and 0 only for equal ones',
    fc.property(versions, versions, versions, (a, b, c) => {
      assert.equal(compareVersions(a, b) + compareVersions(b, a), 0);
      assert.equal(compareVersions(a, b) === 0, formatVersion(a) === formatVersion(b));
      const [x = a, y = b, z = c] = [a, b, c].sort(compareVersions);
      assert.ok(compareVersions(x, y) <= 0 && compareVersions(y, z) <= 0);
      assert.ok(compareVersions(x, z) <= 0);
    }),
  );
});
