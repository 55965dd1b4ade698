// Goal: an answer that comes in pieces goes out as its reader takes them, and one that breaks off is
// never taken for a whole one. Method: the server on a socket of the test, one public route.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { eventually, temporaryFolder } from '../../../test/support/postgres.ts';
import { KeyTable } from '../../io/credentials/key-table.ts';
import { publicRoute } from '../../io/http/control-route.ts';
import { peerHeader } from '../../protocol/http/peer-header.ts';
import { Authenticator } from './authenticator.ts';
import { ControlServer } from './control-server.ts';
import { StaticFiles } from './static-files.ts';

const folder = temporaryFolder();
const socketPath = join(folder, 'control.sock');
const faults: string[] = [];
let server: ControlServer | undefined;

afterEach(() => server?.close());
after(() => rmSync(folder, { recursive: true, force: true }));

async function serve(pieces: () => AsyncIterable<string>): Promise<void> {
  faults.length = 0;
  server = new ControlServer({
    socketPath,
    bodyBytesMax: 1000,
    routes: [
      {
        service: 'audit',
        method: 'GET',
        path: '/api/v1/pieces',
        needs: publicRoute,
        summary: 'Pieces',
        answerType: 'application/x-ndjson',
        handle: () => ({ status: 200, contentType: 'application/x-ndjson', body: pieces() }),
      },
    ],
    files: new StaticFiles(undefined),
    authenticator: new Authenticator({
      keys: new KeyTable('pepper'),
      sessionKey: () => Promise.resolve(undefined),
      nowSeconds: () => 0,
      rejected: () => 0,
      onKeyUsed: () => undefined,
    }),
    limitHeaders: () => [],
    build: 'test',
    onSocket: () => undefined,
    onStoreAway: () => undefined,
    onFault: (error, path) => faults.push(`${path} ${String(error)}`),
  });
  await server.start();
}

function ask(): Promise<IncomingMessage> {
  const headers = { [peerHeader]: '127.0.0.1 http' };
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/api/v1/pieces', headers, agent: false }, resolve)
      .on('error', reject)
      .end();
  });
}

test('pieces come in their order, as the type that was said', async () => {
  await serve(async function* () {
    for (let i = 0; i < 1000; i++) yield `${i}\n`;
  });
  const response = await ask();
  let text = '';
  for await (const part of response) text += String(part);
  assert.equal(response.headers['content-type'], 'application/x-ndjson');
  assert.deepEqual(
    text.trimEnd().split('\n').map(Number),
    Array.from({ length: 1000 }, (_, i) => i),
  );
});

test('a reader who takes nothing is not run ahead of, and one who leaves ends the pieces', async () => {
  let made = 0;
  let isOver = false;
  await serve(async function* () {
    try {
      for (; made < 10_000; made++) yield 'x'.repeat(65_536);
    } finally {
      isOver = true;
    }
  });
  const response = await ask();
  response.pause();
  // The buffers of the two sockets take some; of 10 000 pieces by far the most are never made.
  let seen = -1;
  await eventually('no more pieces are made', () => {
    const isStill = made === seen;
    seen = made;
    return isStill && made > 0;
  });
  assert.ok(made < 200, `${made} pieces of 64 KiB`);
  response.destroy();
  await eventually('the pieces are given up', () => isOver);
  assert.ok(made < 200);
});

test('a failure in the middle breaks the answer off and is told once', async () => {
  await serve(async function* () {
    yield 'first\n';
    throw new Error('a row changed');
  });
  const response = await ask();
  await assert.rejects(async () => {
    for await (const _ of response);
  }, /aborted|ECONNRESET/);
  assert.equal(response.complete, false);
  assert.deepEqual(faults, ['/api/v1/pieces Error: a row changed']);
});
