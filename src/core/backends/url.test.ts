// Goal: cases 291 to 299 of the security specification by number, and the canonical form.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { codePoint } from '../../../test/support/code-points.ts';
import type { OwnListener } from '../../base/backend-url.ts';
import { isLoopbackAddress, parseIpv6, refuseAddress } from '../../base/network-address.ts';
import { canonicalBaseUrl } from './url.ts';

const own: readonly OwnListener[] = [{ address: '127.0.0.1', port: 8120 }];

function accepted(text: string): string {
  const result = canonicalBaseUrl(text, 'operator', own);
  assert.ok(result.ok, `${text}: ${result.ok ? '' : result.error.message}`);
  return result.value;
}

function assertRefused(texts: readonly string[], listeners = own): void {
  for (const text of texts) {
    const result = canonicalBaseUrl(text, 'operator', listeners);
    assert.ok(!result.ok, `accepted ${JSON.stringify(text)}`);
    assert.equal(result.error.code, 'unsafe_url');
    assert.equal(result.error.param, 'url');
  }
}

test('loopback, private networks, names and ports are an operator’s to use', () => {
  const same = [
    'http://127.0.0.1:11434',
    'http://localhost:8000',
    'http://10.1.2.3',
    'http://192.168.1.9:1234',
    'http://[::1]:8080',
    'http://[fd12::7]:8080',
    'https://api.openai.com',
    'http://gpu-7.lan:8000/engine/a',
  ];
  for (const text of same) assert.equal(accepted(text), text);
});

test('trailing slashes, /v1, default ports and capitals go', () => {
  assert.equal(accepted('http://box:8000/'), 'http://box:8000');
  assert.equal(accepted('http://box:8000///'), 'http://box:8000');
  assert.equal(accepted('http://box:8000/v1'), 'http://box:8000');
  assert.equal(accepted('http://box:8000/v1/'), 'http://box:8000');
  assert.equal(accepted('http://box:8000/v1/v1'), 'http://box:8000');
  assert.equal(accepted('https://openrouter.ai/api/v1'), 'https://openrouter.ai/api');
  assert.equal(accepted('http://box/xv1'), 'http://box/xv1');
  assert.equal(accepted('HTTP://Box.LAN:8000/Engine'), 'http://box.lan:8000/Engine');
  assert.equal(accepted('http://box:80'), 'http://box');
  assert.equal(accepted('https://box:443/v1'), 'https://box');
  assert.equal(accepted('https://box:80'), 'https://box:80');
});

test('291 other schemes', () => {
  assertRefused([
    'file:///etc/passwd',
    'gopher://box:70',
    'data:text/plain,x',
    'ws://box',
    'ftp://b',
  ]);
  assertRefused(['', 'box:8000', '//box', 'http:/box', 'http:box', 'http://', 'https:///path']);
});

test('292 credentials in the address', () => {
  assertRefused(['http://user:pass@box', 'http://user@box', 'http://@box', 'http://box@evil']);
});

test('293 backslash, tab, line feed, non-ASCII, percent escapes', () => {
  assertRefused([
    'http://box\\@evil',
    'http:\\\\box',
    'http://bo\tx',
    'http://box\n',
    ' http://box',
  ]);
  assertRefused([
    'http://bôx',
    'http://１２７.0.0.1',
    'http://127.0.0.%31',
    'http://box/%2e%2e',
    'http://box。lan',
  ]);
});

test('294 other notations of IPv4', () => {
  assertRefused(['http://2130706433', 'http://0x7f000001', 'http://0x7f.1', 'http://127.1']);
  assertRefused(['http://0177.0.0.1', 'http://127.0.0.01', 'http://127.0.0.1.', 'http://127.0.0']);
  assertRefused(['http://256.0.0.1', 'http://1.2.3.4.5', 'http://0X7F.0.0.1', 'http://a.0x1']);
});

test('295 unspecified, multicast, broadcast', () => {
  assertRefused(['http://0.0.0.0', 'http://0.1.2.3', 'http://[::]', 'http://224.0.0.1']);
  assertRefused([
    'http://239.255.255.255',
    'http://255.255.255.255',
    'http://240.0.0.1',
    'http://[ff02::1]',
  ]);
});

test('296 link-local and cloud metadata', () => {
  assertRefused([
    'http://169.254.169.254',
    'http://169.254.1.1',
    'http://[fe80::1]',
    'http://[fe80::1%25eth0]',
  ]);
  assertRefused(['http://[fd00:ec2::254]', 'http://100.100.100.200', 'http://168.63.129.16']);
  assertRefused([
    'http://metadata.google.internal',
    'http://METADATA.google.internal',
    'http://metadata',
  ]);
  assertRefused(['http://instance-data.ec2.internal']);
});

test('297 IPv4 inside mapped, NAT64, 6to4 and Teredo addresses', () => {
  assertRefused(['http://[::ffff:127.0.0.1]', 'http://[::ffff:a9fe:a9fe]', 'http://[::127.0.0.1]']);
  assertRefused([
    'http://[64:ff9b::a9fe:a9fe]',
    'http://[64:ff9b:1::a9fe:a9fe]',
    'http://[2002:a9fe:a9fe::1]',
  ]);
  assertRefused([
    'http://[2001:0:4136:e378:8000:63bf:5601:5601]',
    'http://[::ffff:0:169.254.169.254]',
  ]);
});

test('297 also around an address that would be fine by itself', () => {
  assertRefused([
    'http://[::ffff:7f00:1]:8000',
    'http://[64:ff9b::a00:1]',
    'http://[2002:a00:1::1]',
  ]);
});

test('298 our own listeners, by any name of loopback', () => {
  assertRefused(['http://127.0.0.1:8120', 'http://localhost:8120/v1', 'http://127.9.9.9:8120']);
  assertRefused(['http://[::1]:8120', 'http://x.localhost:8120']);
  assert.equal(accepted('http://10.0.0.5:8120'), 'http://10.0.0.5:8120');
  const everywhere = [
    { address: '0.0.0.0', port: 443 },
    { address: '10.0.0.5', port: 443 },
  ];
  assertRefused(['https://localhost', 'https://10.0.0.5', 'http://127.0.0.1:443'], everywhere);
});

test('299 ports out of range, queries, fragments', () => {
  assertRefused([
    'http://box:0',
    'http://box:65536',
    'http://box:080',
    'http://box:',
    'http://box:-1',
  ]);
  assertRefused(['http://box:99999999999', 'http://box?x=1', 'http://box/#a', 'http://box/a?b']);
  assert.equal(accepted('http://box:65535'), 'http://box:65535');
});

test('paths with dot segments or empty ones, and malformed hosts', () => {
  assertRefused(['http://box/../etc', 'http://box/./a', 'http://box/a//b', 'http://box//evil/x']);
  assertRefused([
    'http://-box',
    'http://box-',
    'http://a..b',
    'http://.',
    'http://box_2',
    'http://[::1',
  ]);
  assertRefused([`http://${'a'.repeat(64)}`, `http://box/${'a'.repeat(2100)}`]);
  assertRefused([
    'http://[0:0:0:0:0:0:0:1]:8000',
    'http://[::1:]',
    'http://[1::2::3]',
    'http://[12345::]',
  ]);
});

test('an accepted address is a fixed point and means the same to the platform parser', () => {
  const host = fc.constantFrom('box', 'Box.lan', '10.0.0.7', '[fd00::2]', '[2001:db8::1]', 'a-1.b');
  const path = fc
    .array(fc.constantFrom('', '/', '/v1', '/a', '/B~1', '/v1/', '/..', '//x', '/.'), {
      maxLength: 4,
    })
    .map((parts) => parts.join(''));
  const port = fc.option(fc.nat(70_000), { nil: undefined });
  fc.assert(
    fc.property(
      fc.constantFrom('http', 'https', 'HTTP'),
      host,
      port,
      path,
      (scheme, h, p, rest) => {
        const text = `${scheme}://${h}${p === undefined ? '' : `:${p}`}${rest}`;
        const result = canonicalBaseUrl(text, 'operator', []);
        if (!result.ok) return;
        assert.deepEqual(canonicalBaseUrl(result.value, 'operator', []), result);
        assert.equal(new URL(result.value).href.replace(/\/$/, ''), result.value);
        assert.ok(!result.value.endsWith('/') && !result.value.endsWith('/v1'));
      },
    ),
    { seed: 11, numRuns: 2000 },
  );
});

test('any text at all is answered, never thrown at', () => {
  fc.assert(
    fc.property(fc.string({ unit: codePoint, maxLength: 60 }), (text) => {
      canonicalBaseUrl(`http://${text}`, 'operator', own);
      canonicalBaseUrl(text, 'operator', own);
      refuseAddress(text);
    }),
    { seed: 12, numRuns: 2000 },
  );
});

test('answers of a name server are judged by what they reach', () => {
  for (const fine of ['10.0.0.1', '127.0.0.1', '8.8.8.8', '::1', 'fd12::1', '::ffff:10.0.0.1']) {
    assert.equal(refuseAddress(fine), undefined, fine);
  }
  const refused: Readonly<Record<string, string>> = {
    '::ffff:169.254.169.254': 'metadata',
    '64:ff9b::a9fe:a9fe': 'metadata',
    '2002:e000:0001::': 'multicast',
    'fe80::1%eth0': 'link_local',
    'fec0::1': 'reserved',
    nonsense: 'not_an_address',
  };
  for (const [address, fault] of Object.entries(refused)) {
    assert.equal(refuseAddress(address), fault, address);
  }
  assert.ok(isLoopbackAddress('::ffff:127.0.0.1'));
  assert.ok(!isLoopbackAddress('10.0.0.1'));
  assert.equal(parseIpv6('1:2:3:4:5:6:7'), undefined);
  assert.equal(parseIpv6('1:2:3:4:5:6:7::8'), undefined);
  assert.deepEqual(parseIpv6('::1.2.3.4'), [0, 0, 0, 0, 0, 0, 0x102, 0x304]);
});
