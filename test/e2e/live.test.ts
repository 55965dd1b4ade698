// Goal: whoever looks on live misses no request, however close its end is to the moment of attaching:
// it is in the list that is read upon `Resync`, or it is sent. Method: the product with several gateway
// threads, once with a decision log and once without, clients of its live socket that come while
// requests run.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { type LiveUpdate, liveUpdateSchema } from '../../src/protocol/control/schemas.ts';
import { ask, chat, decisionsOf, until } from '../support/inference.ts';
import { type Product, startProduct } from '../support/product.ts';

type Looker = {
  /** Everything it was sent, in order. */
  readonly heard: readonly LiveUpdate[];
  /** Has this request been sent to it? */
  readonly heardOf: (requestId: string) => boolean;
  readonly leave: () => Promise<unknown>;
};

const isResync = ({ update_type }: LiveUpdate): boolean => update_type === 'Resync';

/** Attaches; resolves when it is told to read the lists. */
async function attach(product: Product): Promise<Looker> {
  const client = new WebSocket(`${product.url.replace('http', 'ws')}/ws`, {
    headers: { authorization: `Bearer ${product.adminKey}` },
    perMessageDeflate: false,
  });
  const heard: LiveUpdate[] = [];
  client.on('message', (text) => heard.push(liveUpdateSchema.parse(JSON.parse(String(text)))));
  await once(client, 'open');
  await until('it is told to read the lists', () => heard.some(isResync));
  return {
    heard,
    heardOf: (requestId) =>
      heard.some(
        (update) =>
          update.update_type === 'RequestComplete' &&
          update.data.decisions.some((decision) => decision.request_id === requestId),
      ),
    leave: () => {
      client.close();
      return once(client, 'close');
    },
  };
}

async function askOnce(product: Product): Promise<string> {
  const { status, headers } = await ask(product, chat('sim-model', { max_tokens: 2 }));
  assert.equal(status, 200);
  return String(headers['x-request-id']);
}

const askMany = (product: Product): Promise<readonly string[]> =>
  Promise.all(Array.from({ length: 6 }, () => askOnce(product)));

const logs = [
  { name: 'with a decision log', config: {} },
  { name: 'without a decision log', config: { decisions: { enabled: false } } },
];

for (const { name, config } of logs) {
  describe(`the live socket ${name}`, () => {
    let product: Product;

    before(async () => {
      product = await startProduct({ config: { ...config, server: { threads: 3 } } });
    });

    after(() => product.stop());

    it('tells the snapshots first, then once to read the lists', async () => {
      const looker = await attach(product);
      const kinds = looker.heard.map(({ update_type }) => update_type);
      assert.deepEqual(kinds.slice(0, 2), ['BackendStatus', 'Overview']);
      await askOnce(product);
      await until('a request has ended', () =>
        looker.heard.some(({ update_type }) => update_type === 'RequestComplete'),
      );
      assert.equal(looker.heard.filter(isResync).length, 1);
      await looker.leave();
    });

    it('lists upon Resync what ended before, whoever looked on then', async () => {
      const alone = await askMany(product);
      const first = await attach(product);
      const watched = await askMany(product);
      const second = await attach(product);
      const listed = new Set((await decisionsOf(product)).map((one) => one.request_id));
      for (const id of [...alone, ...watched]) assert.ok(listed.has(id), `${id} is missing`);
      await Promise.all([first.leave(), second.leave()]);
    });

    it('sends what ends after Resync, from the first moment', async () => {
      for (let round = 0; round < 2; round++) {
        const looker = await attach(product);
        const asked = await askMany(product);
        await until('all are sent', () => asked.every(looker.heardOf));
        await looker.leave();
      }
    });

    it('lists or sends each request that ends while somebody attaches', async () => {
      for (let round = 0; round < 2; round++) {
        const asking = Promise.all([askMany(product), askMany(product)]);
        const looker = await attach(product);
        const listed = new Set((await decisionsOf(product)).map((one) => one.request_id));
        const asked = (await asking).flat();
        await until('all are listed or sent', () =>
          asked.every((id) => listed.has(id) || looker.heardOf(id)),
        );
        await looker.leave();
      }
    });
  });
}
