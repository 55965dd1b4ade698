// Goal: engines that run are found, announced ones wait for approval, those that stop are forgotten, and
// records that lie are dropped (case 304). Method: the product, simulated engines on free ports, and
// multicast that is joined to 127.0.0.1 alone.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type MdnsAnswer, type MdnsSocket, openMdnsSocket } from '../../src/io/mdns/mdns-socket.ts';
import type { SimFace } from '../../src/protocol/sim/faces.ts';
import { type RunningSim, startSim } from '../../src/services/sim/sim-server.ts';
import { ask, backendOf, backendsOf, chat, until } from '../support/inference.ts';
import { freePort, type Product, startProduct } from '../support/product.ts';

const goneWithinMs = 45_000;

function engineOf(as: SimFace, port = 0): Promise<RunningSim> {
  const name = `found-${as}`;
  return startSim({
    as,
    port,
    models: [`model-of-${as}`],
    profile: 'h100-7b',
    speed: 50,
    seed: 1,
    name,
  });
}

const idsOf = async (product: Product) => (await backendsOf(product)).map(({ id }) => id).sort();

describe('engines on this machine', () => {
  const faces = ['ollama', 'vllm', 'llamacpp', 'lmstudio', 'openai'] as const;
  const engines: RunningSim[] = [];
  let product: Product;

  before(async () => {
    for (const face of faces) engines.push(await engineOf(face));
    product = await startProduct({
      sims: [],
      config: {
        discovery: {
          enabled: true,
          ports: engines.map(({ port }) => port),
          interval_seconds: 1,
          grace_seconds: 1,
          mdns: { enabled: false },
        },
      },
    });
  });
  after(async () => {
    await product?.stop();
    await Promise.all(engines.map((engine) => engine.stop()));
  });

  it('are there when the product is ready, each of its own type, and take requests', async () => {
    const types = ['generic', 'llamacpp', 'lmstudio', 'ollama', 'vllm'];
    const found = await backendsOf(product);
    assert.deepEqual(found.map((backend) => backend.backend_type).sort(), types);
    for (const backend of found) {
      assert.equal(backend.discovery_source, 'mdns');
      assert.equal(backend.metadata['found_by'], 'scan');
      assert.equal(backend.priority, 50);
      assert.equal(backend.approved, true, 'our own listeners');
    }
    for (const face of faces) {
      const model = `model-of-${face}`;
      await until(`${model} is served`, async () => {
        return (await ask(product, chat(model, { max_tokens: 1 }))).status === 200;
      });
    }
  });

  it('leave the list when they stop, and come back under the id they had', async () => {
    const [, vllm] = engines;
    assert.ok(vllm !== undefined);
    const id = `vllm-${vllm.port}`;
    await vllm.stop();
    await until('it is gone', async () => !(await idsOf(product)).includes(id), goneWithinMs);
    assert.match(product.output(), /has gone: nothing listens there/);
    engines[1] = await engineOf('vllm', vllm.port);
    await until('it is back', async () => (await idsOf(product)).includes(id));
    assert.equal((await idsOf(product)).length, faces.length);
  });
});

describe('an engine that announces itself', () => {
  const service = '_llm._tcp.local';
  let engine: RunningSim;
  let product: Product;
  let socket: MdnsSocket;

  /** All records of an instance at an address, with their usual life or as a goodbye. */
  const records = (
    label: string,
    at: string,
    texts: readonly string[] = [],
    life: 0 | 1 = 1,
  ): readonly MdnsAnswer[] => {
    const instance = `${label}.${service}`;
    const target = `${label.replace(/[^a-z]/g, '')}.local`;
    return [
      { name: service, type: 'PTR', ttl: 4500 * life, data: instance },
      { name: instance, type: 'SRV', ttl: 120 * life, data: { target, port: engine.port } },
      { name: instance, type: 'TXT', ttl: 4500 * life, data: texts },
      { name: target, type: 'A', ttl: 120 * life, data: at },
    ];
  };
  const listed = async (id: string) => (await backendsOf(product)).find((one) => one.id === id);

  before(async () => {
    engine = await engineOf('vllm');
    product = await startProduct({
      sims: [],
      config: {
        discovery: {
          enabled: true,
          ports: [await freePort()],
          grace_seconds: 0,
          mdns: { interface: ['127.0.0.1'] },
        },
      },
    });
    socket = openMdnsSocket({
      interfaces: ['127.0.0.1'],
      onMessage: () => undefined,
      onUnavailable: (words) => assert.fail(words),
    });
  });
  after(async () => {
    await socket?.close();
    await product?.stop();
    await engine?.stop();
  });

  it('is listed and takes nothing before it is approved, and then in the open zone', async () => {
    await until('it is listed', async () => {
      socket.respond(records('attic', '127.0.0.1', ['type=vllm', 'version=9']));
      return (await listed('attic')) !== undefined;
    });
    const attic = await backendOf(product, 'attic');
    assert.equal(attic.approved, false);
    assert.equal(attic.status_reason, 'pending_approval');
    assert.equal(attic.metadata['mdns_instance'], `attic.${service}`);
    assert.equal(attic.priority, 50);
    await product.json('/api/v1/backends/attic/probe', { method: 'POST' });
    assert.notEqual((await ask(product, chat('model-of-vllm', { max_tokens: 1 }))).status, 200);
    const { status } = await product.json('/api/v1/backends/attic/approve', { method: 'POST' });
    assert.equal(status, 200);
    assert.equal((await backendOf(product, 'attic')).zone, 'open');
    await until('it serves', async () => {
      return (await ask(product, chat('model-of-vllm', { max_tokens: 1 }))).status === 200;
    });
  });

  it('304 is not listed when its records lie, and the log has one line of it', async () => {
    const evil = [
      records('metadata', '169.254.169.254'),
      records('slashes', '10.0.0.1', ['api_path=//evil']),
      records('escape\u001b[31m', '10.0.0.1'),
      records('line\r\nbreak', '10.0.0.1'),
      records(
        'long',
        '10.0.0.1',
        Array.from({ length: 20 }, () => 'x'.repeat(200)),
      ),
    ];
    for (const packet of evil) socket.respond(packet);
    await until('the honest one that came after them is listed', async () => {
      socket.respond(records('honest', '10.255.255.1'));
      return (await listed('honest')) !== undefined;
    });
    assert.deepEqual(await idsOf(product), ['attic', 'honest']);
    const lines = product.output().match(/an announcement from 127\.0\.0\.1 is dropped/g);
    assert.equal(lines?.length, 1);
  });

  it('is forgotten after its goodbye, unless it was approved', async () => {
    socket.respond(records('honest', '10.255.255.1', [], 0));
    socket.respond(records('attic', '127.0.0.1', [], 0));
    await until('one is gone', async () => (await listed('honest')) === undefined, goneWithinMs);
    await until('the other was probed and serves', async () => {
      return (await listed('attic'))?.status === 'healthy';
    });
  });
});
