// Goal: packets and time reach both machines, what they say is sent, and a socket that cannot be had is
// told once. Method: two listeners whose sockets are joined in memory, and time in the hand of the test.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '../../base/time.ts';
import type { MdnsAnswer, MdnsMessage } from '../../io/mdns/mdns-socket.ts';
import { MdnsAnnouncer } from './mdns-announcer.ts';
import { MdnsBrowser } from './mdns-browser.ts';
import { MdnsListener, type MdnsListenerOptions } from './mdns-listener.ts';
import type { Clock } from './ports.ts';

class HandClock implements Clock {
  #nowMs = 0;
  readonly #waiting = new Set<{ readonly atMs: number; readonly callback: () => void }>();

  now = () => instant(this.#nowMs);
  monotonicMs = () => this.#nowMs;
  after(delayMs: number, callback: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, callback };
    this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  }

  pass(ms: number): void {
    const end = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#waiting].filter(({ atMs }) => atMs <= end);
      const next = due.sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#waiting.delete(next);
      this.#nowMs = next.atMs;
      next.callback();
    }
    this.#nowMs = end;
  }

  get waiting(): number {
    return this.#waiting.size;
  }
}

/** A network of one cable: what one says, all others hear at once. */
class Cable {
  readonly #ears: ((message: MdnsMessage) => void)[] = [];
  packets = 0;

  plug(source: string): MdnsListenerOptions['open'] {
    return ({ onMessage }) => {
      this.#ears.push(onMessage);
      const say = (message: MdnsMessage): void => {
        this.packets += 1;
        for (const ear of this.#ears) if (ear !== onMessage) ear(message);
      };
      return {
        query: (questions) => say({ kind: 'query', questions, records: [], source }),
        respond: (answers) =>
          say({ kind: 'response', questions: [], records: answers.map(decoded), source }),
        close: async () => undefined,
      };
    };
  }
}

function decoded(answer: MdnsAnswer): unknown {
  return answer.type === 'TXT'
    ? { ...answer, data: answer.data.map((text) => Buffer.from(text)) }
    : answer;
}

class Household {
  readonly clock = new HandClock();
  readonly cable = new Cable();
  readonly told: string[] = [];
  readonly gateway = new MdnsListener({
    open: this.cable.plug('192.168.1.5'),
    clock: this.clock,
    browser: new MdnsBrowser([]),
    announcer: new MdnsAnnouncer({
      hostName: 'attic',
      port: 8120,
      tls: false,
      addresses: () => ['192.168.1.5'],
    }),
    ownAddresses: () => new Set(),
  });
  readonly seeker: MdnsListener;

  constructor(own: readonly string[] = []) {
    this.seeker = new MdnsListener({
      open: this.cable.plug('192.168.1.6'),
      clock: this.clock,
      browser: new MdnsBrowser(['_llm._tcp.local']),
      ownAddresses: () => new Set(own),
    });
  }

  seek(): void {
    this.seeker.start({
      onFound: ({ url }) => this.told.push(`found ${url}`),
      onGone: (instance, words) => this.told.push(`gone ${instance}: ${words}`),
      onWarning: (words) => this.told.push(words),
    });
  }

  serve(): void {
    const deaf = () => assert.fail('a gateway that browses for nothing hears nothing');
    this.gateway.start({ onFound: deaf, onGone: deaf, onWarning: deaf });
  }
}

const instance = 'tensorforge-attic-8120._llm._tcp.local';

test('one that was there before is found by asking, and its goodbye is heard', async () => {
  const house = new Household();
  house.serve();
  house.clock.pass(60_000);
  house.seek();
  house.clock.pass(2000);
  assert.deepEqual(house.told, ['found http://192.168.1.5:8120']);
  await house.gateway.stop();
  house.clock.pass(1);
  assert.deepEqual(house.told.slice(1), [`gone ${instance}: it withdrew its announcement`]);
});

test('one that starts later is found by its own announcement', () => {
  const house = new Household();
  house.seek();
  house.clock.pass(3_600_000);
  assert.deepEqual(house.told, []);
  house.serve();
  house.clock.pass(1);
  assert.deepEqual(house.told, ['found http://192.168.1.5:8120']);
});

test('an hour of both costs few packets, and the gateway stays known', () => {
  const house = new Household();
  house.serve();
  house.seek();
  house.clock.pass(3_600_000);
  assert.deepEqual(house.told, ['found http://192.168.1.5:8120']);
  // A question and its answer every 96 s for records that live two minutes, and the browsing.
  assert.ok(house.cable.packets < 120, `${house.cable.packets} packets`);
});

test('after a stop nothing is told and no timer waits', async () => {
  const house = new Household();
  house.seek();
  await house.seeker.stop();
  house.serve();
  house.clock.pass(5000);
  assert.deepEqual(house.told, []);
  await house.gateway.stop();
  assert.equal(house.clock.waiting, 0);
});

test('loopback counts in a packet from an address of this machine', () => {
  const heard = (own: readonly string[]): readonly string[] => {
    const house = new Household(own);
    house.seek();
    house.cable
      .plug('192.168.1.9')({
        onMessage: () => undefined,
        onUnavailable: () => undefined,
      })
      .respond([
        { name: '_llm._tcp.local', type: 'PTR', ttl: 9, data: 'x._llm._tcp.local' },
        { name: 'x._llm._tcp.local', type: 'SRV', ttl: 9, data: { target: 'x.local', port: 80 } },
        { name: 'x.local', type: 'A', ttl: 9, data: '127.0.0.1' },
      ]);
    return house.told;
  };
  assert.deepEqual(heard(['192.168.1.9']), ['found http://127.0.0.1']);
  assert.match(heard([])[0] ?? '', /^an announcement from 192\.168\.1\.9 is dropped: .*loopback/);
});

test('a socket that cannot be had is one warning, and all is quiet after it', async () => {
  const clock = new HandClock();
  const told: string[] = [];
  let fail: (words: string) => void = () => undefined;
  let closed = 0;
  const listener = new MdnsListener({
    open: ({ onUnavailable }) => {
      fail = onUnavailable;
      return {
        query: () => undefined,
        respond: () => undefined,
        close: async () => {
          closed += 1;
        },
      };
    },
    clock,
    browser: new MdnsBrowser(['_llm._tcp.local']),
    ownAddresses: () => new Set(),
  });
  listener.start({
    onFound: () => assert.fail(),
    onGone: () => assert.fail(),
    onWarning: (words) => told.push(words),
  });
  fail('UDP 5353 cannot be used (EACCES)');
  clock.pass(60_000);
  await listener.stop();
  assert.deepEqual(told, [
    'UDP 5353 cannot be used (EACCES): engines that announce themselves are not seen',
  ]);
  assert.equal(clock.waiting, 0);
  assert.equal(closed, 1);
});
