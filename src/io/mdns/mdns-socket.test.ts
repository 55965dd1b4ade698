// Goal: packets really pass over multicast, and what cannot be decoded or bound harms nothing. Method:
// real sockets that are joined to 127.0.0.1 alone, on a port of their own: no other interface sees them.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, test } from 'node:test';
import { type MdnsMessage, type MdnsSocket, openMdnsSocket } from './mdns-socket.ts';
import { ownAddressReader, readOutwardAddresses, readOwnAddresses } from './own-addresses.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A UDP port that nobody has. */
async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

type Ear = { readonly socket: MdnsSocket; next(): Promise<MdnsMessage>; heard(): number };

function listen(port: number): Ear {
  const messages: MdnsMessage[] = [];
  const waiting: ((message: MdnsMessage) => void)[] = [];
  let heard = 0;
  const socket = openMdnsSocket({
    interfaces: ['127.0.0.1'],
    port,
    onMessage: (message) => {
      heard += 1;
      const next = waiting.shift();
      if (next === undefined) messages.push(message);
      else next(message);
    },
    onUnavailable: (words) => assert.fail(words),
  });
  closers.push(() => socket.close());
  return {
    socket,
    heard: () => heard,
    next: () => {
      const message = messages.shift();
      return message === undefined
        ? new Promise((resolve) => waiting.push(resolve))
        : Promise.resolve(message);
    },
  };
}

const answer = {
  name: 'box.local',
  type: 'A',
  ttl: 120,
  flush: true,
  data: '10.0.0.1',
} as const;

test('a question and its answer pass between two sockets of one port', async () => {
  const port = await freeUdpPort();
  const asking = listen(port);
  const answering = listen(port);
  // Whatever is sent before the other has joined is lost, so the first to be heard is waited for.
  const query = (async () => {
    for (;;) {
      const message = await answering.next();
      if (message.kind === 'query') return message;
    }
  })();
  const again = setInterval(
    () => asking.socket.query([{ name: '_llm._tcp.local', type: 'PTR' }]),
    20,
  );
  const { questions, source } = await query;
  clearInterval(again);
  assert.equal(source, '127.0.0.1');
  assert.deepEqual(questions, [{ name: '_llm._tcp.local', type: 'PTR', class: 'IN' }]);

  answering.socket.respond([
    answer,
    { name: 'x', type: 'TXT', ttl: 1, data: ['type=vllm'] },
    { name: 'x', type: 'SRV', ttl: 1, data: { target: 'box.local', port: 8000 } },
  ]);
  const response = await (async () => {
    for (;;) {
      const message = await asking.next();
      if (message.kind === 'response') return message;
    }
  })();
  const [first, text, server] = response.records as readonly Record<string, unknown>[];
  assert.equal(first?.['data'], '10.0.0.1');
  assert.equal(first?.['flush'], true);
  assert.deepEqual(text?.['data'], [Buffer.from('type=vllm')]);
  assert.ok(typeof server?.['data'] === 'object');
  assert.equal(Reflect.get(server['data'] ?? {}, 'port'), 8000);
});

test('304 bytes that are no packet, and answers from another port, are not heard', async () => {
  const port = await freeUdpPort();
  const ear = listen(port);
  const stranger = createSocket('udp4').bind(0, '127.0.0.1');
  await once(stranger, 'listening');
  closers.push(async () => {
    await new Promise<void>((resolve) => stranger.close(resolve));
  });
  const send = (bytes: Uint8Array) =>
    new Promise<void>((resolve) => stranger.send(bytes, port, '127.0.0.1', () => resolve()));
  const header = (flags: number, questions: number, answers: number) =>
    Buffer.from([0, 0, flags, 0, 0, questions, 0, answers, 0, 0, 0, 0]);
  const record = Buffer.from([1, 97, 0, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 1]);
  // A query from anywhere is ordinary, and is how the test knows that all before it was read.
  const question = Buffer.concat([header(0, 1, 0), Buffer.from([1, 97, 0, 0, 12, 0, 1])]);
  let isHeard = false;
  const heard = ear.next().then((message) => {
    isHeard = true;
    return message;
  });
  while (!isHeard) {
    await send(new Uint8Array(0));
    await send(new Uint8Array(60_000).fill(0xc0));
    await send(header(0x84, 0, 255));
    await send(Buffer.concat([header(0x84, 0, 1), record]));
    await send(Buffer.concat([header(0x84, 0, 1), Buffer.from([0xc0, 12, 0, 12, 0, 1])]));
    await send(question);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await heard).kind, 'query');
});

test('a port that cannot be had is told once, and the rest does nothing', async () => {
  const taken = createSocket({ type: 'udp4', reuseAddr: false }).bind(0, '0.0.0.0');
  await once(taken, 'listening');
  closers.push(async () => {
    await new Promise<void>((resolve) => taken.close(resolve));
  });
  const words: string[] = [];
  const told = Promise.withResolvers<void>();
  const socket = openMdnsSocket({
    interfaces: ['127.0.0.1', '127.0.0.1'],
    port: taken.address().port,
    onMessage: () => assert.fail('nothing can be heard'),
    onUnavailable: (text) => {
      words.push(text);
      told.resolve();
    },
  });
  await told.promise;
  socket.query([{ name: '_llm._tcp.local', type: 'PTR' }]);
  socket.respond([answer]);
  await socket.close();
  assert.equal(words.length, 1);
  assert.match(words[0] ?? '', /UDP [0-9]+ cannot be used \(EADDRINUSE\)/);
});

test('the addresses of this machine are read again only after a while', () => {
  assert.ok(readOwnAddresses().has('127.0.0.1'));
  assert.ok(!readOutwardAddresses().includes('127.0.0.1'));
  let now = 0;
  let reads = 0;
  const read = () => {
    reads += 1;
    return new Set([`10.0.0.${reads}`]);
  };
  const own = ownAddressReader(() => now, read);
  assert.ok(own().has('10.0.0.1'));
  now = 4999;
  assert.ok(own().has('10.0.0.1'));
  now = 5000;
  assert.ok(own().has('10.0.0.2'));
});
