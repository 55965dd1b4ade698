// The security catalogue, cases 32 to 43 and 70 to 103: the request line, the header lines, Host,
// methods, upgrades, expectations, pipelining and sizes, as bytes on real sockets. The key is good
// throughout, so that nothing but the head can be the reason of a refusal.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  assertRefused,
  chatBody,
  goodRequest,
  RefusalBook,
  requestText,
} from '../support/front-door.ts';
import { eventually } from '../support/postgres.ts';
import { type Product, startProduct } from '../support/product.ts';
import {
  ask,
  errorCodeOf,
  exchangeUntilClosed,
  RawClient,
  type RawOutcome,
} from '../support/raw-client.ts';

let product: Product;
const book = new RefusalBook();

before(async () => {
  product = await startProduct({
    arguments: ['--threads', '1'],
    // A request that hangs on purpose must not hold up the end of this file.
    config: { server: { drain_seconds: 0 } },
  });
});
after(() => product.stop());

function dispatched(): number {
  return product.sims[0]?.stats().requests_total ?? -1;
}

/** `text` has `KEY` where the good key belongs. */
function withKey(text: string): string {
  return text.replaceAll('KEY', product.adminKey);
}

function assertOneRefusal(outcome: RawOutcome, status: number, code: string): void {
  assert.equal(outcome.answers.length, 1);
  assertRefused(outcome.answers[0], status, code);
  assert.equal(outcome.surplus, '');
}

type HeadCase = { readonly name: string; readonly text: string; readonly kind: string };

const fixedLines = ['Host: 127.0.0.1', 'Authorization: Bearer KEY'];

/** A whole request with these lines behind the usual ones. */
function lines(name: string, kind: string, ...more: string[]): HeadCase {
  const all = ['GET /v1/models HTTP/1.1', ...fixedLines, ...more];
  return { name, kind, text: `${all.join('\r\n')}\r\n\r\n` };
}

/** A whole request with this request line. */
function line(name: string, kind: string, requestLine: string): HeadCase {
  return { name, kind, text: `${[requestLine, ...fixedLines].join('\r\n')}\r\n\r\n` };
}

const authLine = 'Authorization: Bearer KEY';

const malformed: readonly HeadCase[] = [
  lines('32: a folded header line', 'malformed', 'X-A: 1', ' 2'),
  {
    name: '33: lines ended by LF alone',
    kind: 'malformed',
    text: `GET /v1/models HTTP/1.1\nHost: 127.0.0.1\n${authLine}\n\n`,
  },
  {
    name: '34: one line ended by LF alone',
    kind: 'malformed',
    text: `GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\n${authLine}\r\n\r\n`,
  },
  lines('35: a CR in a value', 'malformed', 'X-A: 1\r2'),
  {
    name: '36: a head that ends in CR CR',
    kind: 'malformed',
    text: `GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n${authLine}\r\n\r\r`,
  },
  lines('37: a NUL in a name', 'malformed', 'X-\0A: 1'),
  lines('37: a NUL in a value', 'malformed', 'X-A: \0'),
  line('37: a NUL in the target', 'malformed', 'GET /v1/\0models HTTP/1.1'),
  lines('38: a control character in a value', 'malformed', 'X-A: a\u0001b'),
  lines('38: a DEL in a value', 'malformed', 'X-A: a\u007fb'),
  lines('39: a name that is not ASCII', 'malformed', 'X-\u00e9: 1'),
  lines('40: an empty name', 'malformed', ': 1'),
  lines('41: a line without a colon', 'malformed', 'X-A'),
  {
    name: '42: a blank before the first header',
    kind: 'malformed',
    text: `GET /v1/models HTTP/1.1\r\n Host: 127.0.0.1\r\n${authLine}\r\n\r\n`,
  },
  lines('43: a byte from 0x80 in a header we read', 'header_bytes', 'X-Request-Id: \u00ff'),
  line('70: a method in lower case', 'malformed', 'get /v1/models HTTP/1.1'),
  line('71: tabs between the parts of the line', 'malformed', 'GET\t/v1/models\tHTTP/1.1'),
  line('72: a blank behind the version', 'malformed', 'GET /v1/models HTTP/1.1 '),
  line('73: a blank in the target', 'malformed', 'GET /v1/mo dels HTTP/1.1'),
  line('74: a backslash in the target', 'target', 'GET /v1\\models HTTP/1.1'),
  line('75: a byte from 0x80 in the target', 'malformed', 'GET /v1/mod\u00e9ls HTTP/1.1'),
  line('76: HTTP/1.2', 'malformed', 'GET /v1/models HTTP/1.2'),
  line('76: http/1.1', 'malformed', 'GET /v1/models http/1.1'),
  line('76: HTTP/01.1', 'malformed', 'GET /v1/models HTTP/01.1'),
  line('76: HTTP/1.', 'malformed', 'GET /v1/models HTTP/1.'),
  { name: '77: the HTTP/2 preface', kind: 'malformed', text: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  {
    name: '78: a TLS hello on the plain port',
    kind: 'malformed',
    text: '\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03',
  },
  line('79: no version', 'version', 'GET /v1/models'),
  line('80: HTTP/2.0', 'version', 'GET /v1/models HTTP/2.0'),
  line('82: a fragment', 'target', 'GET /v1/models#a HTTP/1.1'),
  line('83: GET *', 'target', 'GET * HTTP/1.1'),
  line('84: another authority', 'target', 'GET http://evil.example/v1/models HTTP/1.1'),
  line('85: two slashes', 'target', 'GET //evil/x HTTP/1.1'),
  line('94: an unknown method', 'malformed', 'FROB /v1/models HTTP/1.1'),
];

describe('a head that is not well-formed is refused, and the connection ends', () => {
  for (const one of malformed) {
    for (const bytewise of [false, true]) {
      it(`case ${one.name}${bytewise ? ', byte by byte' : ''}`, async () => {
        const outcome = await exchangeUntilClosed(product.port, withKey(one.text), { bytewise });
        book.note(one.kind);
        const [answer] = outcome.answers;
        assert.ok(answer);
        assert.equal(outcome.answers.length, 1);
        assert.equal(answer.status, 400);
        assert.equal(errorCodeOf(answer).code, 'malformed_http');
        assert.equal(outcome.surplus, '');
      });
    }
  }
});

it('case 81: two blanks in the request line, which are not refused, are one request', async () => {
  const client = await RawClient.open(product.port);
  const text = requestText(product.adminKey, { method: 'GET', target: ' /v1/models' });
  client.send(text + goodRequest(product.adminKey));
  const first = await client.answer();
  assert.equal(first.status, 200);
  assert.match(first.body, /"object":"list"/);
  assert.match((await client.answer()).body, /"chat.completion"/);
  client.destroy();
});

const hosts: readonly (readonly [string, string])[] = [
  ['86: none on HTTP/1.1', 'GET /v1/models HTTP/1.1\r\n'],
  ['86: none on HTTP/1.0 off /health', 'GET /v1/models HTTP/1.0\r\n'],
  ['87: two', 'GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n'],
  ['88: an empty one', 'GET /v1/models HTTP/1.1\r\nHost:\r\n'],
  ['89: a list', 'GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1, b\r\n'],
  ['90: user information', 'GET /v1/models HTTP/1.1\r\nHost: a@127.0.0.1\r\n'],
  ['90: a path', 'GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1/x\r\n'],
  ['90: a blank', 'GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1 b\r\n'],
  ['90: a port above 65535', 'GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:65536\r\n'],
  ['90: a port of letters', 'GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:http\r\n'],
];

describe('Host names one host, and one of ours', () => {
  for (const [name, start] of hosts) {
    it(`case ${name}`, async () => {
      const text = withKey(`${start}${authLine}\r\n\r\n`);
      const outcome = await exchangeUntilClosed(product.port, text);
      book.note('host');
      assertOneRefusal(outcome, 400, 'invalid_host');
    });
  }

  it('case 86: HTTP/1.0 may ask /health without a Host', async () => {
    const { answers } = await exchangeUntilClosed(product.port, 'GET /health HTTP/1.0\r\n\r\n');
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [200],
    );
  });

  for (const credential of ['', `${authLine}\r\n`, 'Cookie: tf=a\r\n']) {
    it(`case 91: another host with ${credential.split(':')[0] || 'no credential'}`, async () => {
      const text = `GET /v1/models HTTP/1.1\r\nHost: attacker.example\r\n${credential}\r\n`;
      const outcome = await exchangeUntilClosed(product.port, withKey(text));
      book.note('host_not_allowed');
      assertOneRefusal(outcome, 421, 'misdirected_request');
    });
  }
});

describe('methods', () => {
  const wrong: readonly (readonly [string, string, string])[] = [
    ['TRACE', '/v1/models', 'GET'],
    ['QUERY', '/v1/chat/completions', 'POST'],
    ['PROPFIND', '/v1/embeddings', 'POST'],
    ['DELETE', '/v1/chat/completions', 'POST'],
    ['PROPFIND', '/api/v1/me', 'GET'],
    ['TRACE', '/api/v1/keys', 'GET, POST'],
    ['QUERY', '/api/v1/keys', 'GET, POST'],
  ];
  for (const [method, target, allow] of wrong) {
    it(`case 92: ${method} ${target} is answered 405 and told what is allowed`, async () => {
      const answer = await ask(product.port, requestText(product.adminKey, { method, target }));
      assert.equal(answer.status, 405);
      assert.equal(errorCodeOf(answer).code, 'method_not_allowed');
      assert.equal(answer.headers.get('allow'), allow);
    });
  }

  it('case 93: CONNECT is answered 405 and closed', async () => {
    const text = withKey(`CONNECT 127.0.0.1:80 HTTP/1.1\r\n${fixedLines.join('\r\n')}\r\n\r\n`);
    const { answers } = await exchangeUntilClosed(product.port, text);
    book.note('connect');
    assert.equal(answers.length, 1);
    assert.equal(answers[0]?.status, 405);
  });
});

const upgradeLines = [
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: YQ==',
];

describe('upgrades', () => {
  it('case 95: Upgrade: h2c is served as HTTP/1.1', async () => {
    const text = goodRequest(product.adminKey, {
      lines: ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'],
    });
    const answer = await ask(product.port, text);
    assert.equal(answer.status, 200);
  });

  for (const target of ['/v1/chat/completions', '/ws/', '/api/v1/me', '/']) {
    it(`case 96: a WebSocket on ${target} is answered 404`, async () => {
      const text = requestText(product.adminKey, {
        method: 'GET',
        target,
        lines: [...upgradeLines, 'Upgrade: websocket'],
      });
      const { answers } = await exchangeUntilClosed(product.port, text);
      assert.deepEqual(
        answers.map((answer) => [answer.status, errorCodeOf(answer).code]),
        [[404, 'not_found']],
      );
    });
  }

  it('case 97: a request behind an upgrade with a body is never seen', async () => {
    const before = dispatched();
    const upgrade = goodRequest(product.adminKey, {
      lines: [...upgradeLines, 'Upgrade: websocket'],
    });
    const text = upgrade + goodRequest(product.adminKey);
    const { answers } = await exchangeUntilClosed(product.port, text);
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [404],
    );
    assert.equal(dispatched(), before);
  });
});

describe('expectations', () => {
  for (const [target, method] of [
    ['/v1/chat/completions', 'POST'],
    ['/api/v1/keys', 'POST'],
  ] as const) {
    it(`case 98: a bad key with Expect on ${target} gets 401 and no 100`, async () => {
      const text = requestText('tfk_bad', {
        method,
        target,
        lines: ['Expect: 100-continue', 'Content-Length: 10'],
      });
      const { answers } = await exchangeUntilClosed(product.port, text, {
        localAddress: '127.0.98.1',
      });
      assert.deepEqual(
        answers.map((answer) => [answer.status, errorCodeOf(answer).code]),
        [[401, 'invalid_api_key']],
      );
    });

    it(`case 98: a good key with Expect on ${target} gets 100 before its body`, async () => {
      const body = target === '/api/v1/keys' ? '{"name":"expect"}' : chatBody;
      const client = await RawClient.open(product.port);
      const lengthLine = `Content-Length: ${body.length}`;
      client.send(
        requestText(product.adminKey, {
          method,
          target,
          lines: ['Expect: 100-continue', lengthLine],
        }),
      );
      assert.equal((await client.answer()).status, 100);
      client.send(body);
      const answer = await client.answer();
      assert.ok([200, 201].includes(answer.status), answer.body);
      client.destroy();
    });
  }

  for (const expectation of ['200-ok', 'y 100-continue', '100-continue, x']) {
    it(`case 99: Expect: ${expectation} is answered 417`, async () => {
      const text = goodRequest(product.adminKey, { lines: [`Expect: ${expectation}`] });
      const outcome = await exchangeUntilClosed(product.port, text);
      book.note('expect');
      assertOneRefusal(outcome, 417, 'expectation_failed');
    });
  }
});

describe('pipelining', () => {
  it('case 100: 500 requests sent ahead are served one at a time and in order', async () => {
    const client = await RawClient.open(product.port);
    const texts = Array.from({ length: 500 }, (_, at) =>
      goodRequest(product.adminKey, { lines: [`X-Request-Id: turn-${at}`] }),
    );
    let most = 0;
    const watch = setInterval(() => {
      const { running = 0, waiting = 0 } = product.sims[0]?.stats() ?? {};
      most = Math.max(most, running + waiting);
    }, 1);
    client.send(texts.join(''));
    for (let at = 0; at < texts.length; at++) {
      const answer = await client.answer();
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('x-client-request-id'), `turn-${at}`);
    }
    clearInterval(watch);
    client.destroy();
    assert.equal(most, 1, 'one request of the connection was with the engine at a time');
  });

  it('case 100: what is sent far ahead stays unread while one request is in service', async () => {
    const sim = product.sims[0];
    assert.ok(sim);
    await fetch(`${sim.url}/sim/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'hang', count: 1 }),
    });
    const client = await RawClient.open(product.port);
    const pad = `X-Pad: ${'a'.repeat(15_000)}`;
    const text = goodRequest(product.adminKey, { lines: [pad] });
    const seen = dispatched();
    // More than the buffers of both sockets hold.
    client.send(text.repeat(3000));
    await eventually('the first one is dispatched', () => dispatched() > seen);
    const healthy = await ask(product.port, 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    assert.equal(healthy.status, 200);
    assert.ok(
      client.socket.writableLength > 0,
      'the server read on while a request was in service',
    );
    client.destroy();
  });

  it('case 101: bytes behind Connection: close are ignored', async () => {
    const before = dispatched();
    const closing = goodRequest(product.adminKey, { lines: ['Connection: close'] });
    for (const more of [goodRequest(product.adminKey), 'garbage\0\r\n\r\n']) {
      const { answers, surplus } = await exchangeUntilClosed(product.port, closing + more);
      assert.deepEqual(
        answers.map((answer) => answer.status),
        [200],
      );
      assert.equal(surplus, '');
    }
    assert.equal(dispatched(), before + 2);
  });

  it('a malformed request behind a good one is told after the answer of that one', async () => {
    const text = `${goodRequest(product.adminKey)}GET /v1/models HTTP/9.9\r\n\r\n`;
    const { answers } = await exchangeUntilClosed(product.port, text);
    book.note('malformed');
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [200, 400],
    );
  });
});

describe('sizes of a head', () => {
  const many = Array.from({ length: 100 }, (_, at) => `X-${at}: 1`);
  const sizes: readonly (readonly [string, string, number, string, string])[] = [
    [
      '102: a head above 16 KiB',
      `X-A: ${'a'.repeat(17_000)}`,
      431,
      'headers_too_large',
      'head_too_large',
    ],
    ['102: more than 100 lines', many.join('\r\n'), 431, 'headers_too_large', 'head_too_large'],
    [
      '102: 2000 lines',
      Array(2000).fill('X: 1').join('\r\n'),
      431,
      'headers_too_large',
      'head_too_large',
    ],
  ];
  for (const [name, extra, status, code, kind] of sizes) {
    it(`case ${name}`, async () => {
      const text = requestText(product.adminKey, {
        method: 'GET',
        target: '/v1/models',
        lines: [extra],
      });
      const outcome = await exchangeUntilClosed(product.port, text);
      book.note(kind);
      assertOneRefusal(outcome, status, code);
    });
  }

  it('case 103: a target above 8 KiB', async () => {
    const target = `/v1/models?a=${'a'.repeat(8192)}`;
    const text = requestText(product.adminKey, { method: 'GET', target });
    const outcome = await exchangeUntilClosed(product.port, text);
    book.note('target_too_long');
    assertOneRefusal(outcome, 414, 'uri_too_long');
  });
});

it('every refusal of this file was counted under its kind', () => book.compare(product));
