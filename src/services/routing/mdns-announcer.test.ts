// Goal: what is said about this gateway on the network, and how often. Method: the machine alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf, readRecords } from '../../core/backends/mdns-record.ts';
import { type AnnouncedAnswer, MdnsAnnouncer } from './mdns-announcer.ts';
import { MdnsBrowser } from './mdns-browser.ts';

function announcer(
  addresses: readonly string[] = ['192.168.1.5', 'fd00::5'],
  tls = false,
): MdnsAnnouncer {
  const hostName = 'GPU_box.lan';
  return new MdnsAnnouncer({ hostName, port: 8120, tls, addresses: () => addresses });
}

/** Answers as another machine decodes them. */
function asHeard(answers: readonly AnnouncedAnswer[]): readonly unknown[] {
  return answers.map((answer) =>
    answer.type === 'TXT'
      ? { ...answer, data: answer.data.map((one) => Buffer.from(one)) }
      : answer,
  );
}

const question = { name: '_llm._tcp.local', type: 'PTR' };

test('a browser that hears it finds the gateway', () => {
  const browser = new MdnsBrowser(['_llm._tcp.local']);
  const neighbour = { source: '192.168.1.5', isThisMachine: false };
  const [found] = browser.receive(asHeard(announcer().tick(0)), neighbour, 0);
  assert.ok(found?.kind === 'found');
  assert.deepEqual(found.candidate, {
    instance: 'tensorforge-gpubox-8120._llm._tcp.local',
    name: 'tensorforge-gpubox-8120',
    url: 'http://192.168.1.5:8120',
    type: 'generic',
    version: undefined,
  });
});

test('one that listens with TLS is found under https', () => {
  const browser = new MdnsBrowser(['_llm._tcp.local']);
  const neighbour = { source: '192.168.1.5', isThisMachine: false };
  const [found] = browser.receive(asHeard(announcer(undefined, true).tick(0)), neighbour, 0);
  assert.equal(found?.kind === 'found' && found.candidate.url, 'https://192.168.1.5:8120');
});

test('neither version nor models nor anything else is told', () => {
  const text = announcer()
    .tick(0)
    .find(({ type }) => type === 'TXT');
  assert.deepEqual(text?.data, ['type=generic', 'api_path=/v1']);
});

test('it is said twice at the start, then only when asked, and never twice a second', () => {
  const one = announcer();
  assert.ok(one.tick(0).length > 0);
  assert.equal(one.nextAt, 1000);
  assert.ok(one.tick(1000).length > 0);
  assert.equal(one.nextAt, Number.POSITIVE_INFINITY);
  one.receive([{ name: '_ssh._tcp.local', type: 'PTR' }, null, 7]);
  assert.equal(one.nextAt, Number.POSITIVE_INFINITY);
  for (let i = 0; i < 100; i++) one.receive([question]);
  assert.equal(one.nextAt, 2000);
  assert.deepEqual(one.tick(1500), []);
  assert.ok(one.tick(2000).length > 0);
  assert.deepEqual(one.tick(2000), []);
});

test('names of ours are known in any case and with a trailing dot', () => {
  for (const name of ['_LLM._tcp.local.', '_services._dns-sd._udp.local', announcer().instance]) {
    const one = announcer();
    one.tick(0);
    one.tick(1000);
    one.receive([{ name, type: 'ANY' }]);
    assert.equal(one.nextAt, 2000, name);
  }
});

test('the goodbye withdraws every record, and nothing follows it', () => {
  const one = announcer();
  one.tick(0);
  const last = one.goodbye();
  assert.ok(last.length > 0);
  assert.ok(last.every(({ ttl }) => ttl === 0));
  one.receive([question]);
  assert.deepEqual(one.tick(5000), []);
  assert.deepEqual(one.goodbye(), []);
  assert.deepEqual(announcer().goodbye(), [], 'whoever said nothing has nothing to withdraw');
});

test('without an address nothing is said, and odd host names come to a label', () => {
  assert.deepEqual(announcer([]).tick(0), []);
  const odd = new MdnsAnnouncer({
    hostName: '\u7bb1',
    port: 1,
    tls: false,
    addresses: () => ['10.0.0.1'],
  });
  assert.equal(odd.instance, 'tensorforge-host-1._llm._tcp.local');
  const records = readRecords(asHeard(odd.tick(0)));
  assert.equal(records.length, 5);
  assert.ok(
    candidateOf(
      {
        instance: odd.instance,
        service: '_llm._tcp.local',
        port: 1,
        text: undefined,
        addresses: ['10.0.0.1'],
      },
      { source: '10.0.0.1', isThisMachine: false },
    ).ok,
  );
});
