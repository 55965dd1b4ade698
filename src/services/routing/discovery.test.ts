// Goal: a scan tells per port what was heard, trusts listeners by their owner, and never asks us.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { afterEach, test } from 'node:test';
import {
  byPath,
  startServer,
  type TestServer,
} from '../../io/http/probe/json-server.test-support.ts';
import { createProbeClient } from '../../io/http/probe/probe-client.ts';
import { createProbeBackend } from './adapters/probe-backend.ts';
import { type DiscoveryOptions, scanHosts } from './discovery.ts';
import { isTrustedOwner, ownersOf, parseListeners, readListeners } from './discovery-owner.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(routes: Readonly<Record<string, unknown>>, port = 0): Promise<TestServer> {
  const server = await startServer(byPath(routes), port);
  closers.push(() => server.close());
  return server;
}

const client = createProbeClient({ monotonicMs: () => performance.now(), mayContact: () => true });
const ownUid = process.getuid?.() ?? 0;

function optionsFor(
  ports: readonly number[],
  more: Partial<DiscoveryOptions> = {},
): DiscoveryOptions {
  return {
    client,
    probe: createProbeBackend({ client, timeoutMs: 5_000, readCredential: () => undefined }),
    monotonicMs: () => performance.now(),
    hosts: ['127.0.0.1'],
    ports,
    ownPorts: [],
    ownAddresses: new Set(['127.0.0.1', '::1']),
    ownUid,
    ...more,
  };
}

test('engines, others and silence are told apart, in the order asked', async () => {
  const ollama = await serve({ '/api/tags': { models: [{ name: 'llama3:8b', digest: 'x' }] } });
  const website = await serve({ '/': {} });
  const gone = await startServer(byPath({}));
  await gone.close();
  const reports = await scanHosts(optionsFor([gone.port, website.port, ollama.port]));
  assert.deepEqual(
    reports.map(({ answer }) => answer),
    ['nothing', 'not_an_engine', 'engine'],
  );
  const [, , found] = reports;
  assert.ok(found?.answer === 'engine');
  assert.equal(found.type, 'ollama');
  assert.equal(found.url, ollama.url);
  assert.deepEqual(
    found.models.map(({ id }) => id),
    ['llama3:8b'],
  );
  assert.ok(found.ms > 0);
  assert.equal(found.ownerUid, ownUid, 'the listener is this very process');
  assert.equal(found.approved, true);
});

test('our own ports are not connected to', async () => {
  let connections = 0;
  const own = createServer(() => {
    connections += 1;
  });
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => own.close(() => resolve())));
  const address = own.address();
  assert.ok(typeof address === 'object' && address !== null);
  const reports = await scanHosts(optionsFor([address.port], { ownPorts: [address.port] }));
  assert.deepEqual(reports, []);
  assert.equal(connections, 0);
});

test('what is off loopback waits for approval, whoever has the port here', async () => {
  const server = await serve({ '/v1/models': { data: [] } });
  const [report] = await scanHosts(
    optionsFor([server.port], {
      hosts: ['gpu.test'],
      client: createProbeClient({
        monotonicMs: () => performance.now(),
        mayContact: () => true,
        resolve: (_name, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
      }),
    }),
  );
  assert.ok(report?.answer === 'engine');
  assert.equal(report.url, `http://gpu.test:${server.port}`);
  assert.equal(report.approved, false);
  assert.equal(report.ownerUid, undefined);
});

test('hosts are asked in their order, each address once, forbidden ones and ourselves never', async () => {
  const server = await serve({ '/v1/models': { data: [] } });
  const { port } = server;
  const hosts = ['169.254.169.254', '0.0.0.0', '127.0.0.1', 'localhost', '::1', '127.0.0.1'];
  const asked = async (more: Partial<DiscoveryOptions>) =>
    (await scanHosts(optionsFor([port], { hosts, ...more }))).map(({ url }) => url);
  assert.deepEqual(await asked({}), [
    `http://127.0.0.1:${port}`,
    `http://localhost:${port}`,
    `http://[::1]:${port}`,
  ]);
  const before = server.asked.length;
  assert.deepEqual(await asked({ ownPorts: [port] }), []);
  assert.equal(server.asked.length, before);
  const own = { ownPorts: [port], ownAddresses: new Set(['192.0.2.7']), hosts: ['192.0.2.7'] };
  assert.deepEqual(await asked(own), [], 'our own port at our address on the network');
});

test('five engines on loopback are found in one scan', async (t) => {
  const routes = [
    { '/api/tags': { models: [{ name: 'a' }] } },
    { '/v1/models': { data: [{ id: 'b', max_model_len: 8192 }] } },
    { '/v1/models': { data: [{ id: 'c' }] } },
    {
      '/api/v0/models': { data: [{ id: 'd', type: 'llm' }] },
      '/v1/models': { data: [{ id: 'd' }] },
    },
    { '/v1/models': { data: [{ id: 'e' }] } },
  ];
  const servers = await Promise.all(routes.map((one) => serve(one)));
  const reports = await scanHosts(optionsFor(servers.map(({ port }) => port)));
  assert.deepEqual(
    reports.map(({ answer }) => answer),
    ['engine', 'engine', 'engine', 'engine', 'engine'],
  );
  t.diagnostic(`the slowest took ${Math.max(...reports.map(({ ms }) => ms)).toFixed(0)} ms`);
});

test('R7 a listener of another user waits for approval, also beside one of ours', async () => {
  const { port } = await serve({ '/v1/models': { data: [] } });
  const addressHex = '0100007F';
  const scan = async (uids: readonly number[]) => {
    const listeners = async () => uids.map((uid) => ({ addressHex, port, uid }));
    const [report] = await scanHosts(optionsFor([port], { listeners, ownUid: 1000 }));
    assert.ok(report?.answer === 'engine');
    return [report.approved, report.ownerUid];
  };
  assert.deepEqual(await scan([1000]), [true, 1000]);
  assert.deepEqual(await scan([0]), [true, 0]);
  assert.deepEqual(await scan([998]), [true, 998]);
  assert.deepEqual(await scan([1001]), [false, 1001]);
  assert.deepEqual(await scan([1000, 1001]), [false, undefined]);
  assert.deepEqual(await scan([]), [false, undefined], 'nobody known, nobody trusted');
});

test('the kernel’s table is read, other lines and states are not', () => {
  const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 123 1
   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 124 1
   2: 0100007F:1F40 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1001        0 125 1
   3: 0501A8C0:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1002        0 126 1
   4: 00000000000000000000000001000000:04D2 00000000000000000000000000000000:0000 0A 0:0 0:0 0 1003 0 1
garbage
   5: 0100007F:XXXX 0 0A 0 0 0 7`;
  const listeners = parseListeners(text);
  assert.deepEqual(ownersOf(listeners, 11434), [1000]);
  assert.deepEqual(ownersOf(listeners, 8080), [0]);
  assert.deepEqual(ownersOf(listeners, 8000), [], 'a connection is no listener');
  assert.deepEqual(ownersOf(listeners, 8001), [], 'not reached through loopback');
  assert.deepEqual(ownersOf(listeners, 1234), [1003]);
  assert.equal(listeners.length, 4);
  assert.equal(isTrustedOwner([], 0), false);
});

test('this machine’s own table names the owner of a real listener', async () => {
  const server = await serve({});
  assert.deepEqual(ownersOf(await readListeners(), server.port), [ownUid]);
});
