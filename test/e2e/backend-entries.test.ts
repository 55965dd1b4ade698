// Goal: no address that may not be contacted ever is (cases 291 to 299 and 303 of the security
// specification, through the front door), and the configuration file has its say when it is read again.
// Method: one product, scripted backends, and a listener that counts who connects where nobody may.

import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import {
  type Asked,
  ask,
  backendOf,
  backendsOf,
  chat,
  jsonAnswer,
  type ModelScript,
  plainAnswer,
  startModelScript,
  until,
} from '../support/inference.ts';
import { type Product, startProduct } from '../support/product.ts';

let product: Product;
let scripts: readonly ModelScript[];
let mock: Server;
let connections = 0;
let port = 0;
let held: Asked | undefined;
const hold = (asked: Asked): void => {
  held = asked;
};
const entry = (name: string, i: number, priority: number) => {
  return { name, url: scripts[i]?.url ?? '', type: 'generic', priority };
};
const reload = async (backends: readonly object[]): Promise<void> => {
  product.configure({ backends });
  const { status, body } = await product.json('/api/v1/config/reload', { method: 'POST' });
  assert.equal(status, 200, JSON.stringify(body));
};
const servedBy = async (): Promise<unknown> => {
  const answer = await ask(product, chat('shared'));
  assert.equal(answer.status, 200, answer.text);
  return answer.headers['x-tensorforge-backend'];
};

before(async () => {
  mock = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => mock.listen(0, '127.0.0.1', resolve));
  const address = mock.address();
  assert.ok(typeof address === 'object' && address !== null);
  port = address.port;
  const answer = (asked: Asked): void => {
    asked.socket.write(jsonAnswer(200, plainAnswer));
  };
  scripts = [
    await startModelScript(['shared', 'held'], (asked) => {
      if (asked.body.includes('"held"')) hold(asked);
      else answer(asked);
    }),
    await startModelScript(['shared'], answer),
    await startModelScript(['shared'], answer),
  ];
  product = await startProduct({
    sims: [],
    backends: [entry('one', 0, 10), entry('two', 1, 60)],
    config: { routing: { weights: { priority: 100, load: 0, latency: 0 } } },
  });
  await until('both take requests', async () => {
    return (await backendsOf(product)).every(({ status }) => status === 'healthy');
  });
});
after(async () => {
  await product?.stop();
  await new Promise((resolve) => mock?.close(resolve));
  await Promise.all((scripts ?? []).map((script) => script.close()));
});

const idsOf = async (product: Product) => (await backendsOf(product)).map(({ id }) => id).sort();

describe('an address that may not be contacted', () => {
  const add = (body: object) =>
    product.json('/api/v1/backends', { method: 'POST', body: JSON.stringify(body) });
  const codeOf = (body: unknown) => (body as { code?: unknown }).code;

  // Where a careless parser would reach the mock, the address leads there; the rest names nobody.
  const cases: readonly (readonly [string, () => readonly string[]])[] = [
    [
      '291 other schemes',
      () => [
        'file:///etc/passwd',
        `gopher://127.0.0.1:${port}`,
        'data:,x',
        `ws://127.0.0.1:${port}`,
      ],
    ],
    ['292 userinfo', () => [`http://user:pass@127.0.0.1:${port}`, `http://box@127.0.0.1:${port}`]],
    [
      '293 backslash, tab, line feed, non-ASCII and percent escapes',
      () => [
        `http://127.0.0.1:${port}\\@box`,
        `http://127.0.0\t.1:${port}`,
        `http://127.0.0.1\n:${port}`,
        `http://\uff11\uff12\uff17.0.0.1:${port}`,
        `http://%3127.0.0.1:${port}`,
      ],
    ],
    [
      '294 decimal, hex, octal and short IPv4',
      () =>
        ['2130706433', '0x7f000001', '0177.0.0.1', '127.1'].map((host) => `http://${host}:${port}`),
    ],
    [
      '295 unspecified and multicast',
      () => ['0.0.0.0', '[::]', '224.0.0.1', '[ff02::1]'].map((host) => `http://${host}:${port}`),
    ],
    [
      '296 metadata services',
      () => [
        'http://169.254.169.254/latest/meta-data',
        'http://[fd00:ec2::254]',
        'http://100.100.100.200',
        'http://metadata.google.internal',
        'http://instance-data',
      ],
    ],
    [
      '297 mapped, NAT64 and 6to4 forms',
      () =>
        ['[::ffff:127.0.0.1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]'].map(
          (host) => `http://${host}:${port}`,
        ),
    ],
    [
      '298 our own listeners',
      () => [product.url, `http://localhost:${product.port}/v1`, `http://[::1]:${product.port}`],
    ],
    [
      '299 port 0, 65536, query, fragment',
      () => [
        'http://127.0.0.1:0',
        'http://127.0.0.1:65536',
        `http://127.0.0.1:${port}/?x=1`,
        `http://127.0.0.1:${port}/#x`,
      ],
    ],
  ];
  for (const [name, urls] of cases) {
    it(`${name} is refused with 400 unsafe_url, and nobody is connected to`, async () => {
      for (const url of urls()) {
        const { status, body } = await add({ url, name: 'evil', type: 'generic' });
        assert.equal(status, 400, `${url}: ${JSON.stringify(body)}`);
        assert.equal(codeOf(body), 'unsafe_url', url);
      }
      assert.deepEqual(await idsOf(product), ['one', 'two']);
      assert.equal(connections, 0);
    });
  }

  it('303 a variable of the process, or a provider’s at another host, is not sent there', async () => {
    const url = `http://127.0.0.1:${port}`;
    for (const name of ['DATABASE_URL', 'PATH', 'OPENAI_API_KEY']) {
      const { status, body } = await add({ url, name: 'evil', type: 'generic', api_key_env: name });
      assert.equal(status, 400, JSON.stringify(body));
      assert.equal(codeOf(body), 'invalid_request');
    }
    assert.deepEqual(await idsOf(product), ['one', 'two']);
    assert.equal(connections, 0);
  });
});

describe('a configured backend', () => {
  it('is chosen by the priority of the file, and by another one after a reload', async () => {
    for (let i = 0; i < 4; i++) assert.equal(await servedBy(), 'one');
    await reload([entry('one', 0, 60), entry('two', 1, 10)]);
    await until('the threads know it', async () => (await servedBy()) === 'two');
    for (let i = 0; i < 4; i++) assert.equal(await servedBy(), 'two');
    await reload([entry('one', 0, 10), entry('two', 1, 60)]);
    await until('the threads know it', async () => (await servedBy()) === 'one');
  });

  it('keeps its id at another address, and what runs at the former one ends there', async () => {
    const running = ask(product, chat('held'));
    await until('the request is there', () => held !== undefined);
    await reload([entry('one', 2, 10), entry('two', 1, 60)]);
    assert.deepEqual(await idsOf(product), ['one', 'two']);
    assert.equal((await backendOf(product, 'one')).url, scripts[2]?.url);
    await until('it is asked at its new address', async () => {
      await ask(product, chat('shared'));
      return (scripts[2]?.asked.length ?? 0) > 0;
    });
    held?.socket.write(jsonAnswer(200, plainAnswer));
    const answer = await running;
    assert.equal(answer.status, 200);
    assert.ok(answer.isWhole);
    await until('nothing counts as pending', async () => {
      return (await backendOf(product, 'one')).pending_requests === 0;
    });
  });
});
