// Goal: case 304 of the security specification, and that announcements come to the backends that
// BR 9.1 describes. Method: records as a decoder gives them, one thing changed at a time; then anything.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { canonicalBackendUrl } from '../../base/backend-url.ts';
import { isLoopbackAddress, refuseAddress } from '../../base/network-address.ts';
import {
  type Announcement,
  type Candidate,
  candidateOf,
  type Origin,
  readRecords,
} from './mdns-record.ts';

const neighbour: Origin = { source: '192.168.1.9', isThisMachine: false };
const here: Origin = { source: '127.0.0.1', isThisMachine: true };

function textRecord(texts: readonly (string | Uint8Array)[]) {
  const data = texts.map((text) => (typeof text === 'string' ? Buffer.from(text, 'latin1') : text));
  const [record] = readRecords([{ name: 'x', type: 'TXT', ttl: 10, data }]);
  assert.ok(record?.kind === 'text');
  return record.text;
}

function announced(
  more: Partial<Announcement> = {},
  texts?: readonly (string | Uint8Array)[],
): Announcement {
  const service = more.service ?? '_llm._tcp.local';
  return {
    instance: `My_box.${service}`,
    service,
    port: 8000,
    text: texts === undefined ? undefined : textRecord(texts),
    addresses: ['192.168.1.20'],
    ...more,
  };
}

function accepted(announcement: Announcement, origin = neighbour): Candidate {
  const candidate = candidateOf(announcement, origin);
  assert.ok(candidate.ok, candidate.ok ? '' : candidate.error.message);
  return candidate.value;
}

function wordsOf(announcement: Announcement, origin = neighbour): string {
  const candidate = candidateOf(announcement, origin);
  assert.ok(!candidate.ok, JSON.stringify(candidate));
  assert.doesNotMatch(candidate.error.message, /[^\x20-\x7e]/);
  return candidate.error.message;
}

test('the type is the one told, else that of the service', () => {
  const types: Readonly<Record<string, string>> = {
    ollama: 'ollama',
    VLLM: 'vllm',
    llamacpp: 'llamacpp',
    'llama.cpp': 'llamacpp',
    exo: 'exo',
    openai: 'openai',
    LMStudio: 'lmstudio',
    sglang: 'generic',
    anthropic: 'generic',
  };
  for (const [told, type] of Object.entries(types)) {
    assert.equal(accepted(announced({}, [`type=${told}`])).type, type, told);
  }
  assert.equal(accepted(announced()).type, 'generic');
  const ollama = announced({ service: '_ollama._tcp.local' });
  assert.equal(accepted(ollama).type, 'ollama');
});

test('the address is the server root, IPv4 before IPv6', () => {
  const urlOf = (more: Partial<Announcement>, texts?: readonly string[]) =>
    accepted(announced(more, texts)).url;
  assert.equal(urlOf({}), 'http://192.168.1.20:8000');
  for (const path of ['', '/', '/v1']) {
    assert.equal(urlOf({}, [`api_path=${path}`]), 'http://192.168.1.20:8000');
  }
  assert.equal(urlOf({}, ['api_path=/api']), 'http://192.168.1.20:8000/api');
  assert.equal(urlOf({}, ['type=ollama', 'api_path=/api']), 'http://192.168.1.20:8000');
  assert.equal(urlOf({ addresses: ['fd00::7', '10.0.0.7'] }), 'http://10.0.0.7:8000');
  assert.equal(urlOf({ addresses: ['fe80::1', 'fd00::7'] }), 'http://[fd00::7]:8000');
  assert.equal(urlOf({ port: 80 }), 'http://192.168.1.20');
});

test('the name is the first label, a blank for each underscore; the version is told', () => {
  const { name, version, instance } = accepted(announced({}, ['version=0.12.3', 'VERSION=9']));
  assert.equal(name, 'My box');
  assert.equal(version, '0.12.3');
  assert.equal(instance, 'My_box._llm._tcp.local');
  const nameOf = (label: string) =>
    accepted(announced({ instance: `${label}._llm._tcp.local` })).name;
  assert.equal(nameOf('Ollama 0.5 on box'), 'Ollama 0.5 on box');
  assert.equal(nameOf('J\u00fcrgen\u2019s <b>box</b>'), 'Jrgens bboxb');
  assert.equal(nameOf('\u7bb1'), 'generic-8000');
  assert.equal(nameOf('x'.repeat(63)).length, 63);
  assert.ok(accepted(announced({}, [`version=${'9'.repeat(99)}`])).version?.length === 32);
});

test('without an address that can be used there is no candidate', () => {
  for (const addresses of [[], ['fe80::1'], ['169.254.7.7']]) {
    const candidate = candidateOf(announced({ addresses }), neighbour);
    assert.ok(!candidate.ok);
    assert.equal(candidate.error.code, 'announcement_without_address', String(addresses));
  }
});

test('304 a loopback address counts only in a packet of this machine', () => {
  for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
    assert.match(wordsOf(announced({ addresses: [address] })), /is loopback, but the packet/);
    assert.match(wordsOf(announced({ addresses: ['10.0.0.1', address] })), /is loopback/);
  }
  const url = accepted(announced({ addresses: ['127.0.0.1'] }), here).url;
  assert.equal(url, 'http://127.0.0.1:8000');
});

test('304 metadata, multicast, unspecified and reserved addresses refuse all of it', () => {
  const addresses = [
    '169.254.169.254',
    '100.100.100.200',
    'fd00:ec2::254',
    '64:ff9b::a9fe:a9fe',
    '224.0.0.251',
    '0.0.0.0',
    '::',
    '255.255.255.255',
    'ff02::fb',
    'not an address',
    '2130706433',
    '10.0.0.1\r\n',
  ];
  for (const address of addresses) {
    for (const origin of [neighbour, here]) {
      assert.match(wordsOf(announced({ addresses: ['10.0.0.1', address] }), origin), /is refused/);
    }
  }
});

test('304 ESC, CR LF and other controls in name and texts', () => {
  for (const label of ['a\u001b[31mb', 'a\r\nb', 'a\u0000', 'a\u009bb', 'a\u202eb', 'a\u2028b']) {
    const instance = `${label}._llm._tcp.local`;
    assert.match(wordsOf(announced({ instance })), /control character/, JSON.stringify(label));
  }
  for (const text of [
    'type=vllm\u001b[0m',
    'version=1\r\n2',
    'api_path=/v1\u0000',
    'version=\u00ff',
  ]) {
    assert.match(wordsOf(announced({}, [text])), /not printable/, JSON.stringify(text));
  }
});

test('304 an api_path outside the fixed set', () => {
  for (const path of ['//evil', '/v1/', '/v2', '@evil', '/../x', '/v1?x', 'v1', '//evil/v1']) {
    assert.match(wordsOf(announced({}, [`api_path=${path}`])), /must be \/, \/v1 or \/api/, path);
  }
});

test('304 texts of 64 KB, ports out of range, an instance of another service', () => {
  const large = Array.from({ length: 256 }, () => new Uint8Array(255).fill(65));
  assert.match(wordsOf(announced({}, large)), /65536 bytes, but 1300/);
  for (const port of [0, -1, 65_536, 1.5, Number.NaN]) {
    assert.match(wordsOf(announced({ port })), /must be within 1\.\.65535/);
  }
  assert.match(wordsOf(announced({ instance: 'x._ssh._tcp.local' })), /is not of _llm/);
});

test('records of another shape are passed over, the others keep their order', () => {
  const records = readRecords([
    null,
    7,
    { name: 'a', type: 'PTR', ttl: 1 },
    { name: '_llm._tcp.local.', type: 'PTR', ttl: 9.7, data: 'x._llm._tcp.local.' },
    { name: 'a', type: 'SRV', ttl: 1, data: { target: 'h', port: '80' } },
    { name: 'a', type: 'TXT', ttl: 1, data: ['text'] },
    { name: 'a', type: 'A', ttl: -1, data: '10.0.0.1' },
    { name: 'a', type: 'NSEC', ttl: 1, data: {} },
    { name: 'h', type: 'A', ttl: 0, flush: true, data: '10.0.0.1' },
  ]);
  assert.deepEqual(records, [
    {
      name: '_llm._tcp.local',
      ttlS: 9,
      flush: false,
      kind: 'pointer',
      target: 'x._llm._tcp.local',
    },
    { name: 'h', ttlS: 0, flush: true, kind: 'address', address: '10.0.0.1' },
  ]);
});

holds(
  'whatever is in a packet, reading it answers',
  fc.property(fc.array(fc.anything({ withNullPrototype: true }), { maxLength: 5 }), (raw) => {
    readRecords(raw);
  }),
);

const addressText = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.constantFrom('127.0.0.1', '169.254.169.254', '::ffff:127.0.0.1', '10.0.0.1', '0.0.0.0'),
  fc.string({ maxLength: 20 }),
);

const evil = fc.oneof(
  fc.constantFrom('api_path=//evil', 'api_path=/v1', 'type=vllm', 'version=1'),
  fc.uint8Array({ maxLength: 40 }),
);

holds(
  'whatever is announced, a candidate has a safe address and printable names',
  fc.property(
    fc.record({
      label: fc.oneof(fc.string({ maxLength: 20, unit: 'binary' }), fc.constant('box')),
      port: fc.oneof(fc.integer({ min: -5, max: 70_000 }), fc.double()),
      texts: fc.array(evil, { maxLength: 4 }),
      addresses: fc.array(addressText, { maxLength: 3 }),
      isThisMachine: fc.boolean(),
    }),
    ({ label, port, texts, addresses, isThisMachine }) => {
      const instance = `${label}._llm._tcp.local`;
      const origin = { source: '192.168.1.9', isThisMachine };
      const candidate = candidateOf(announced({ instance, port, addresses }, texts), origin);
      if (!candidate.ok) return;
      const { url, name, version = '' } = candidate.value;
      assert.deepEqual(canonicalBackendUrl(url, []), { ok: true, value: url });
      const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
      assert.equal(refuseAddress(host), undefined);
      assert.ok(isThisMachine || !isLoopbackAddress(host));
      assert.match(name, /^[A-Za-z0-9 ._-]{1,64}$/);
      assert.match(version, /^[A-Za-z0-9 ._-]{0,32}$/);
    },
  ),
);
