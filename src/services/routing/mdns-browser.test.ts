// Goal: announcements become found and gone, however their records are cut, late or forged. Method: the
// machine alone, with packets as a decoder gives them and time as a number.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import type { Origin } from '../../core/backends/mdns-record.ts';
import { type BrowserEffect, instancesMax, MdnsBrowser, perSourceMax } from './mdns-browser.ts';

const service = '_llm._tcp.local';
const box: Origin = { source: '192.168.1.20', isThisMachine: false };
const other: Origin = { source: '192.168.1.66', isThisMachine: false };

const pointer = (label = 'box', ttl = 4500) => ({
  name: service,
  type: 'PTR',
  ttl,
  data: `${label}.${service}`,
});
const server = (label = 'box', port = 8000, ttl = 120) => ({
  name: `${label}.${service}`,
  type: 'SRV',
  ttl,
  flush: true,
  data: { target: `${label}.local`, port, priority: 0, weight: 0 },
});
const text = (label: string, ...texts: string[]) => ({
  name: `${label}.${service}`,
  type: 'TXT',
  ttl: 4500,
  flush: true,
  data: texts.map((one) => Buffer.from(one)),
});
const address = (label = 'box', data = '192.168.1.20', ttl = 120) => ({
  name: `${label}.local`,
  type: 'A',
  ttl,
  flush: true,
  data,
});
const whole = (label = 'box') => [
  pointer(label),
  server(label),
  text(label, 'type=vllm'),
  address(label),
];

/** `found URL TYPE`, `gone INSTANCE: WORDS`, `ask TYPE NAME ...` or `warning SOURCE`. */
function wordsOf(effect: BrowserEffect): string {
  switch (effect.kind) {
    case 'found':
      return `found ${effect.candidate.url} ${effect.candidate.type}`;
    case 'gone':
      return `gone ${effect.instance}: ${effect.words}`;
    case 'ask':
      return `ask ${effect.questions.map(({ name, type }) => `${type} ${name}`).join(', ')}`;
    case 'warning':
      return `warning ${effect.source}`;
  }
}

function told(effects: readonly BrowserEffect[]): string[] {
  return effects.map(wordsOf);
}

/** A browser that has asked for the first time. */
function browsing(): MdnsBrowser {
  const browser = new MdnsBrowser(['_LLM._tcp.', '_ollama._tcp.local']);
  assert.deepEqual(told(browser.tick(0)), ['ask PTR _llm._tcp.local, PTR _ollama._tcp.local']);
  return browser;
}

const foundBox = 'found http://192.168.1.20:8000 vllm';
const boxName = `box.${service}`;

test('one packet with everything is a find, and the same again is no news', () => {
  const browser = browsing();
  assert.deepEqual(told(browser.receive(whole(), box, 10)), [foundBox]);
  assert.deepEqual(told(browser.receive(whole(), box, 20)), []);
  assert.equal(browser.size, 1);
});

test('records may come in any order within a packet', () => {
  assert.deepEqual(told(browsing().receive(whole().reverse(), box, 10)), [foundBox]);
});

test('what is missing is asked for, at most once a second', () => {
  const browser = browsing();
  assert.deepEqual(told(browser.receive([pointer()], box, 100)), []);
  assert.equal(browser.nextAt, 1000, 'the first question was at 0');
  const [asked = ''] = told(browser.tick(1000));
  assert.match(asked, /SRV box\._llm\._tcp\.local, TXT box\._llm\._tcp\.local/);
  assert.deepEqual(told(browser.receive([text('box', 'type=vllm'), server()], box, 1100)), []);
  assert.deepEqual(told(browser.tick(2000)), ['ask A box.local, AAAA box.local']);
  assert.deepEqual(told(browser.receive([address()], box, 2100)), [foundBox]);
});

test('an instance that stays incomplete is given up with one warning', () => {
  const browser = browsing();
  browser.receive([pointer(), server()], box, 100);
  for (let now = 200; now < 5100; now += 100) {
    assert.ok(!told(browser.tick(now)).some((effect) => effect.startsWith('warning')));
  }
  assert.ok(told(browser.tick(5100)).includes('warning 192.168.1.20'));
  assert.equal(browser.size, 0);
});

test('the service is asked for with growing distance, up to five minutes', () => {
  const browser = browsing();
  const at: number[] = [];
  while (at.length < 8) {
    at.push(browser.nextAt);
    browser.tick(browser.nextAt);
  }
  const gaps = at.map((time, i) => time - (at[i - 1] ?? 0));
  assert.deepEqual(gaps, [1000, 3000, 9000, 27_000, 81_000, 243_000, 300_000, 300_000]);
});

test('a goodbye is heard at once, of the pointer as of the server record', () => {
  for (const last of [pointer('box', 0), server('box', 8000, 0)]) {
    const browser = browsing();
    browser.receive(whole(), box, 10);
    assert.deepEqual(told(browser.receive([last], box, 20)), [
      `gone ${boxName}: it withdrew its announcement`,
    ]);
    assert.deepEqual(told(browser.receive(whole(), box, 30)), [foundBox], 'and it may come back');
  }
});

test('nobody else can change an instance or say goodbye for it', () => {
  const browser = browsing();
  browser.receive(whole(), box, 10);
  assert.deepEqual(told(browser.receive([pointer('box', 0)], other, 20)), []);
  assert.deepEqual(told(browser.receive([server('box', 8000, 0)], other, 20)), []);
  assert.deepEqual(told(browser.receive([server('box', 9999)], other, 20)), []);
  assert.deepEqual(told(browser.receive([address('box', '192.168.1.66')], other, 20)), []);
  assert.deepEqual(told(browser.receive(whole(), box, 30)), []);
});

test('the addresses of this machine are one sender', () => {
  const browser = browsing();
  browser.receive(whole(), { source: '192.168.1.5', isThisMachine: true }, 10);
  const goodbye = browser.receive(
    [pointer('box', 0)],
    { source: '127.0.0.1', isThisMachine: true },
    20,
  );
  assert.equal(told(goodbye).length, 1);
});

test('what it announces is asked for again in time, and is gone when nobody answers', () => {
  const browser = browsing();
  browser.receive(whole(), box, 0);
  const asked: number[] = [];
  let gone: number | undefined;
  for (let now = 0; gone === undefined; now = browser.nextAt) {
    for (const effect of told(browser.tick(now))) {
      if (effect.includes('SRV')) asked.push(now);
      if (effect.startsWith('gone')) gone = now;
    }
  }
  assert.deepEqual(asked, [96_000, 108_000, 114_000]);
  assert.equal(gone, 120_000);
});

test('an answer to that keeps it', () => {
  const browser = browsing();
  browser.receive(whole(), box, 0);
  for (let now = 0; now < 1_000_000; now = browser.nextAt) {
    for (const effect of told(browser.tick(now))) {
      assert.doesNotMatch(effect, /^gone/);
      if (effect.includes('SRV')) browser.receive([server(), address()], box, now);
      if (effect.includes('PTR')) browser.receive([pointer()], box, now);
    }
  }
  assert.equal(browser.size, 1);
});

test('another port or type is another find; an announcement that turns bad is gone', () => {
  const browser = browsing();
  browser.receive(whole(), box, 10);
  assert.deepEqual(told(browser.receive([server('box', 8001)], box, 20)), [
    'found http://192.168.1.20:8001 vllm',
  ]);
  assert.deepEqual(told(browser.receive([text('box', 'type=exo')], box, 30)), [
    'found http://192.168.1.20:8001 exo',
  ]);
  const bad = told(browser.receive([address('box', '127.0.0.1')], box, 40));
  assert.deepEqual(bad, ['warning 192.168.1.20', `gone ${boxName}: its announcement is refused`]);
});

test('an address that is replaced leads away from the former one', () => {
  const browser = browsing();
  browser.receive(whole(), box, 10);
  assert.deepEqual(told(browser.receive([address('box', '192.168.1.21')], box, 20)), [
    'found http://192.168.1.21:8000 vllm',
  ]);
});

test('304 hostile packets are dropped with one warning per sender and minute', () => {
  const hostile = [
    [pointer(), server(), address('box', '127.0.0.1')],
    [pointer(), server(), address('box', '169.254.169.254')],
    [pointer(), server(), text('box', 'api_path=//evil'), address()],
    [pointer('a\u001bb'), server('a\u001bb'), address('a\u001bb')],
    [pointer('a\r\nb'), server('a\r\nb'), address('a\r\nb')],
    [
      pointer(),
      server(),
      text('box', ...Array.from({ length: 260 }, () => 'x'.repeat(250))),
      address(),
    ],
    Array.from({ length: 10_000 }, (_, i) => pointer(`n${i}`)),
  ];
  for (const packet of hostile) {
    const browser = browsing();
    let warnings = 0;
    for (let now = 0; now < 60_000; now += 1000) {
      const effects = told(browser.receive(packet, other, now));
      assert.ok(!effects.some((effect) => effect.startsWith('found')));
      warnings += effects.filter((effect) => effect.startsWith('warning')).length;
    }
    assert.equal(warnings, 1, JSON.stringify(packet[0]));
    assert.equal(browser.size, 0);
    const later = told(browser.receive(packet, other, 60_000));
    assert.ok(later.includes('warning 192.168.1.66'), 'a minute later it is told again');
  }
});

test('304 neither one sender nor all of them can fill the list', () => {
  const browser = browsing();
  const flood = (origin: Origin, prefix: string): string[] =>
    Array.from({ length: 100 }, (_, i) => whole(`${prefix}${i}`)).flatMap((packet) =>
      told(browser.receive(packet, origin, 10)),
    );
  const effects = flood(other, 'x');
  assert.equal(effects.filter((effect) => effect.startsWith('found')).length, perSourceMax);
  assert.deepEqual(
    effects.filter((effect) => effect.startsWith('warning')),
    ['warning 192.168.1.66'],
  );
  for (let i = 0; i < 20; i++) flood({ source: `10.0.0.${i}`, isThisMachine: false }, `y${i}-`);
  assert.equal(browser.size, instancesMax);
});

const record = fc.oneof(
  fc.anything(),
  fc.record({
    name: fc.constantFrom(service, boxName, 'box.local', 'x', ''),
    type: fc.constantFrom('PTR', 'SRV', 'TXT', 'A', 'AAAA', 'NSEC'),
    ttl: fc.oneof(fc.constantFrom(0, 120, 4500), fc.double()),
    flush: fc.boolean(),
    data: fc.oneof(
      fc.constantFrom(boxName, `b.${service}`, '10.0.0.1', '127.0.0.1', 'fd00::1'),
      fc.record({ target: fc.constantFrom('box.local', 'x'), port: fc.integer() }),
      fc.anything(),
    ),
  }),
);

holds(
  'whatever arrives, found and gone alternate and time goes on',
  fc.property(
    fc.array(fc.tuple(fc.array(record, { maxLength: 6 }), fc.nat(200_000))),
    (packets) => {
      const browser = new MdnsBrowser([service]);
      const there = new Set<string>();
      let now = 0;
      const check = (effects: readonly BrowserEffect[]): void => {
        for (const effect of effects) {
          if (effect.kind === 'found') there.add(effect.candidate.instance.toLowerCase());
          if (effect.kind === 'gone') assert.ok(there.delete(effect.instance.toLowerCase()));
        }
        assert.ok(browser.size <= instancesMax);
      };
      for (const [packet, pauseMs] of packets) {
        now += pauseMs;
        check(browser.receive(packet, box, now));
        check(browser.tick(now));
        assert.ok(browser.nextAt > now, `${browser.nextAt} after ${now}`);
      }
    },
  ),
);
