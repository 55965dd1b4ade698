// The head check against the numbered cases of the security catalogue (4A) that a parsed head can
// show. Cases that Node's parser refuses first are asked here as well: the check must not depend on
// it. Those that only raw bytes can show are asked over sockets, elsewhere.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkHead, defaultHeadRules, type HeadRules, type RequestHead } from './head-check.ts';

const rules: HeadRules = {
  ...defaultHeadRules,
  allowedHosts: new Set(['localhost', '127.0.0.1', '[::1]', 'gate.example:8443']),
};
const host = ['Host', 'localhost:8120'];

function head(parts: Partial<RequestHead> = {}): RequestHead {
  const plain = { method: 'POST', target: '/v1/chat/completions', httpVersion: '1.1' };
  return { ...plain, rawHeaders: host, ...parts };
}

function withHeaders(...rawHeaders: string[]): RequestHead {
  return head({ rawHeaders: [...host, ...rawHeaders] });
}

function refusalOf(request: RequestHead) {
  const checked = checkHead(request, rules);
  assert.ok(!checked.ok, `accepted ${JSON.stringify(request)}`);
  return checked.error;
}

function factsOf(request: RequestHead) {
  const checked = checkHead(request, rules);
  assert.ok(checked.ok, JSON.stringify(checked));
  return checked.value;
}

const length4 = ['Content-Length', '4'];
const chunked = ['Transfer-Encoding', 'chunked'];
const cl = (value: string) => withHeaders('Content-Length', value);
const te = (value: string) => withHeaders('Transfer-Encoding', value);
const target = (value: string) => head({ method: 'GET', target: value });
const version = (value: string) => head({ httpVersion: value });

const malformed: readonly (readonly [string, RequestHead])[] = [
  ['case 1: a length before a transfer coding', withHeaders(...length4, ...chunked)],
  ['case 2: a transfer coding before a length', withHeaders(...chunked, ...length4)],
  ['case 3: two different lengths', withHeaders(...length4, 'Content-Length', '5')],
  ['case 4: two equal lengths', withHeaders(...length4, 'content-length', '4')],
  ['case 5: a list of lengths', cl('4, 4')],
  ['case 6: a plus sign', cl('+4')],
  ['case 7: a negative length', cl('-1')],
  ['case 8: a hexadecimal length', cl('0x4')],
  ['case 9: an underscore', cl('0_4')],
  ['case 10: an empty length', cl('')],
  ['case 11: two numbers', cl('4 4')],
  ['case 12: a vertical tab before the length', cl('\v4')],
  ['case 13: a length of 2^64', cl('18446744073709551616')],
  ['case 13: a length of 30 digits', cl('9'.repeat(30))],
  ['case 14: a leading zero', cl('04')],
  ['case 18: a vertical tab in the transfer coding', te('\vchunked')],
  ['case 18: a form feed in the transfer coding', te('chunked\f')],
  ['case 19: xchunked', te('xchunked')],
  ['case 20: chunked, identity', te('chunked, identity')],
  ['case 21: identity', te('identity')],
  ['case 22: chunked, chunked', te('chunked, chunked')],
  ['case 23: two transfer codings', withHeaders(...chunked, ...chunked)],
  ['case 24: a quoted transfer coding', te('"chunked"')],
  ['case 25: an empty transfer coding', te('')],
  ['case 26: chunked and a comma', te('chunked,')],
  ['case 27: a comma and chunked', te(',chunked')],
  ['case 28: chunked with a parameter', te('chunked;q=1')],
  ['case 29: a folded transfer coding', te('\r\n chunked')],
  ['case 30: a transfer coding on HTTP/1.0', { ...withHeaders(...chunked), httpVersion: '1.0' }],
  ['case 31: gzip alone', te('gzip')],
  ['case 43: a byte from 0x80 in the content type', withHeaders('Content-Type', 'a\u00a0b')],
  ['case 43: a byte from 0x80 in a request id', withHeaders('X-Request-Id', '\u00ff')],
  ['case 43: a byte from 0x80 in Host', head({ rawHeaders: ['Host', 'localh\u00f6st'] })],
  ['case 74: a backslash in the target', target('/a\\b')],
  ['case 75: a byte from 0x80 in the target', target('/\u00e9')],
  ['case 76: HTTP/1.2', version('1.2')],
  ['case 76: HTTP/01.1', version('01.1')],
  ['case 79: no version', version('0.9')],
  ['case 80: HTTP/2.0', version('2.0')],
  ['case 82: a fragment', target('/v1/models#a')],
  ['case 83: GET *', target('*')],
  ['case 83: OPTIONS *', { ...target('*'), method: 'OPTIONS' }],
  ['case 84: an absolute form with another authority', target('http://evil.example/v1/models')],
  ['case 84: an absolute form with user information', target('http://a@localhost:8120/')],
  ['case 84: an absolute form of another scheme', target('ftp://localhost:8120/')],
  ['case 85: a target of two slashes', target('//evil/x')],
  ['case 85: two slashes in absolute form', target('http://localhost:8120//evil/x')],
];

describe('the head check refuses with malformed_http and closes', () => {
  for (const [name, request] of malformed) {
    it(name, () => {
      const refused = refusalOf(request);
      assert.equal(refused.code, 'malformed_http');
      assert.equal(refused.close, true);
      assert.notEqual(refused.kind, undefined);
    });
  }
});

const hostOnly = (...values: string[]) =>
  head({ method: 'GET', rawHeaders: values.flatMap((value) => ['Host', value]) });

const invalidHosts: readonly (readonly [string, RequestHead])[] = [
  ['case 86: no Host on 1.1', head({ rawHeaders: [] })],
  ['case 86: no Host on 1.0 off /health', head({ rawHeaders: [], httpVersion: '1.0' })],
  ['case 87: two Hosts', hostOnly('localhost', 'localhost')],
  ['case 88: an empty Host', hostOnly('')],
  ['case 89: a list of Hosts', hostOnly('localhost, evil')],
  ['case 90: user information', hostOnly('user@localhost')],
  ['case 90: a path', hostOnly('localhost/x')],
  ['case 90: a blank', hostOnly('local host')],
  ['case 90: port 0', hostOnly('localhost:0')],
  ['case 90: port 65536', hostOnly('localhost:65536')],
  ['case 90: an empty port', hostOnly('localhost:')],
  ['case 90: a port of letters', hostOnly('localhost:http')],
  ['case 90: an open bracket', hostOnly('[::1')],
];

describe('the head check refuses with invalid_host and closes', () => {
  for (const [name, request] of invalidHosts) {
    it(name, () => {
      const refused = refusalOf(request);
      assert.deepEqual([refused.code, refused.close], ['invalid_host', true]);
    });
  }
});

describe('the Host list', () => {
  it('case 86: lets HTTP/1.0 ask /health without a Host', () => {
    const request = head({ method: 'GET', target: '/health', httpVersion: '1.0', rawHeaders: [] });
    assert.equal(factsOf(request).host, '');
  });

  const foreign = ['attacker.example', 'localhost.evil', 'gate.example', 'gate.example:8444'];
  for (const name of [...foreign, 'xlocalhost', 'localhost.', '[::2]:8120']) {
    it(`case 91: answers 421 to ${name}, whatever credential comes with it`, () => {
      for (const extra of [[], ['Cookie', '__Host-tf=x'], ['Authorization', 'Bearer tfk_x']]) {
        const refused = refusalOf(head({ rawHeaders: ['Host', name, ...extra] }));
        assert.equal(refused.code, 'misdirected_request');
      }
    });
  }

  for (const name of ['localhost', 'LOCALHOST:1', 'localhost:65535', '[::1]:8120', '127.0.0.1']) {
    it(`answers for ${name}`, () => assert.equal(factsOf(hostOnly(name)).host, name.toLowerCase()));
  }

  it('answers for a name with a port on that port', () => {
    assert.equal(factsOf(hostOnly('Gate.Example:8443')).host, 'gate.example:8443');
  });
});

const others: readonly (readonly [string, RequestHead, string])[] = [
  ['case 15: a length of 9007199254740993', cl('9007199254740993'), 'payload_too_large'],
  ['case 15: one byte above the limit', cl('10485761'), 'payload_too_large'],
  ['case 31: gzip, chunked', te('gzip, chunked'), 'unsupported_transfer_coding'],
  ['case 99: another expectation', withHeaders('Expect', '200-ok'), 'expectation_failed'],
  ['case 99: y 100-continue', withHeaders('Expect', 'y 100-continue'), 'expectation_failed'],
  ['case 102: 101 lines', head({ rawHeaders: lines(101) }), 'headers_too_large'],
  ['case 102: 16 KiB and a bit', withHeaders('X', 'a'.repeat(16_384)), 'headers_too_large'],
  ['case 103: a target above 8 KiB', target(`/${'a'.repeat(8192)}`), 'uri_too_long'],
];

function lines(count: number): string[] {
  return Array.from({ length: count - 1 }, (_, at) => [`X-${at}`, '1']).reduce<string[]>(
    (all, line) => all.concat(line),
    [...host],
  );
}

describe('the head check refuses with a code of its own and closes', () => {
  for (const [name, request, code] of others) {
    it(name, () => {
      const refused = refusalOf(request);
      assert.deepEqual([refused.code, refused.close], [code, true]);
    });
  }

  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    it(`case 69: a body with ${method}`, () => {
      for (const framing of [length4, chunked]) {
        const refused = refusalOf({ ...withHeaders(...framing), method });
        assert.deepEqual([refused.code, refused.close], ['unexpected_body', true]);
      }
    });
  }

  it('cases 194 to 197: a bad path closes only when a body would be left unread', () => {
    assert.deepEqual(pick(refusalOf(target('/v1/../api'))), ['invalid_path', false]);
    const posted = { ...withHeaders(...length4), target: '/v1/%00' };
    assert.deepEqual(pick(refusalOf(posted)), ['invalid_path', true]);
  });
});

function pick(refused: { readonly code: string; readonly close: boolean }) {
  return [refused.code, refused.close];
}

describe('the head check gives', () => {
  it('the length, and chunked in any letter case', () => {
    assert.equal(factsOf(cl('0')).contentLength, 0);
    assert.equal(factsOf(cl('10485760')).contentLength, 10_485_760);
    assert.deepEqual([factsOf(te('Chunked')).chunked, factsOf(head()).chunked], [true, false]);
  });

  it('the path of an absolute form that names the same host', () => {
    const facts = factsOf(target('HTTP://LocalHost:8120/v1/models?a=b?c'));
    assert.deepEqual([facts.path, facts.query], ['/v1/models', 'a=b?c']);
    assert.equal(factsOf(target('http://localhost:8120')).path, '/');
    assert.equal(factsOf(target('http://localhost:8120?x')).query, 'x');
  });

  it('case 98: the expectation 100-continue as a fact', () => {
    assert.equal(factsOf(withHeaders('Expect', '100-Continue')).expectContinue, true);
  });

  it('case 126: the number of credential headers, without judging them', () => {
    const facts = factsOf(withHeaders('Authorization', 'Bearer a', 'AUTHORIZATION', 'Bearer b'));
    assert.deepEqual([facts.authorization, facts.authorizationCount], ['Bearer a', 2]);
  });

  it('case 115: a credential with a no-break space, left to its own check', () => {
    assert.equal(factsOf(withHeaders('Authorization', 'Bearer\u00a0x')).authorizationCount, 1);
  });

  it('case 178: the number of content types, without judging them', () => {
    const facts = factsOf(withHeaders('Content-Type', 'a/b', 'content-type', 'c/d'));
    assert.deepEqual([facts.contentType, facts.contentTypeCount], ['a/b', 2]);
  });

  it('case 191: no client request id of 65 characters', () => {
    assert.equal(factsOf(withHeaders('X-Request-Id', 'a'.repeat(64))).clientRequestId?.length, 64);
    assert.equal(factsOf(withHeaders('X-Request-Id', 'a'.repeat(65))).clientRequestId, undefined);
  });

  it('case 193: no traceparent that is bad or doubled', () => {
    const good = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    assert.equal(factsOf(withHeaders('traceparent', good)).traceparent, good);
    for (const bad of [`${good}x`, good.replace('aa', 'AA'), `00-${'0'.repeat(32)}-b-01`, '']) {
      assert.equal(factsOf(withHeaders('traceparent', bad)).traceparent, undefined);
    }
    const doubled = withHeaders('traceparent', good, 'traceparent', good);
    assert.equal(factsOf(doubled).traceparent, undefined);
  });

  it('the upgrade header as a fact: case 95 serves h2c as 1.1', () => {
    assert.equal(factsOf(withHeaders('Upgrade', 'h2c')).upgrade, 'h2c');
  });
});

it('no accepted head has two framings, a foreign host or an unclean path', () => {
  const name = fc.constantFrom(
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'Expect',
    'X',
    'host',
  );
  const value = fc.constantFrom(
    'localhost',
    'evil',
    '4',
    '04',
    'chunked',
    'gzip, chunked',
    '',
    'a',
  );
  const pairs = fc.array(fc.tuple(name, value), { maxLength: 6 });
  const targets = fc.constantFrom('/', '/v1/models', '//x', '*', 'http://localhost/a', '/%2e%2e/');
  const versions = fc.constantFrom('1.0', '1.1', '2.0');
  fc.assert(
    fc.property(pairs, targets, versions, (headers, path, httpVersion) => {
      const rawHeaders = headers.flat();
      const checked = checkHead({ method: 'POST', target: path, httpVersion, rawHeaders }, rules);
      if (!checked.ok) return;
      const count = (wanted: string) =>
        headers.filter(([header]) => header.toLowerCase() === wanted).length;
      assert.ok(count('content-length') + count('transfer-encoding') <= 1);
      assert.equal(count('host'), 1);
      assert.equal(checked.value.host, 'localhost');
      assert.match(checked.value.path, /^\/(?!\/)/);
    }),
    { seed: 20_260_101, numRuns: 3000 },
  );
});
