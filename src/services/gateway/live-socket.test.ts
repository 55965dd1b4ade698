// Goal: who attaches hears the snapshots at once, and is told to read the lists when everything that
// ended before can be read: it alone, and once. Method: a real server and real clients; the test says
// when the threads have written.

import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { until } from '../../../test/support/inference.ts';
import { type LiveUpdate, liveUpdateSchema } from '../../protocol/control/schemas.ts';
import { LiveSocket } from './live-socket.ts';

/** A live socket whose clients have caught up when the test calls `written`, oldest first. */
async function serve(t: TestContext) {
  const live = new LiveSocket();
  const waiting: (() => void)[] = [];
  const server = createServer();
  server.on('upgrade', (request, socket, head) =>
    live.accept(request, socket, head, {
      snapshots: () => [
        { update_type: 'BackendStatus', data: { count: 0, summary: 'No backend.', backends: [] } },
      ],
      caughtUp: () => new Promise((resolve) => waiting.push(resolve)),
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    live.close();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { live, port, written: () => waiting.shift()?.() };
}

/** A client, and what it hears next. */
async function attach(t: TestContext, port: number) {
  const client = new WebSocket(`ws://127.0.0.1:${port}/ws`, { perMessageDeflate: false });
  t.after(() => client.terminate());
  const messages = on(client, 'message');
  const hears = async (): Promise<string> => {
    const { value = [] } = await messages.next();
    return liveUpdateSchema.parse(JSON.parse(String(value[0]))).update_type;
  };
  assert.equal(await hears(), 'BackendStatus');
  return { client, hears };
}

const ended: LiveUpdate = { update_type: 'RequestComplete', data: { decisions: [] } };

test('Resync comes after the snapshots, when all is written, to the one who attached', async (t) => {
  const { live, port, written } = await serve(t);
  const first = await attach(t, port);
  live.broadcast(ended);
  assert.equal(await first.hears(), 'RequestComplete', 'what ends meanwhile is sent already');
  written();
  assert.equal(await first.hears(), 'Resync');
  const second = await attach(t, port);
  written();
  assert.equal(await second.hears(), 'Resync');
  live.broadcast(ended);
  assert.equal(await first.hears(), 'RequestComplete', 'who was there before reads nothing again');
  assert.equal(await second.hears(), 'RequestComplete');
});

test('who left before all was written is not written to, and is not counted as looking on', async (t) => {
  const { live, port, written } = await serve(t);
  const { client } = await attach(t, port);
  client.close();
  await once(client, 'close');
  await until('the server knows', () => !live.hasClients);
  written();
  const next = await attach(t, port);
  written();
  assert.equal(await next.hears(), 'Resync');
});
