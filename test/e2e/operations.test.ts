// What an operator does to a running installation and what may happen to it: starts that find the
// place taken, kill -9, a stranger on the port, a database that goes away, a configuration read
// again, engines found and engines simulated. Every step is a real process on one data directory,
// which passes from part to part as it would from day to day, so the order of the parts matters.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openDataDirectory } from '../../src/io/files/data-directory.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/io/postgres/embedded.ts';
import { gatewayHealthSchema, overviewSchema } from '../../src/protocol/control/schemas.ts';
import { type RunningSim, startSim } from '../../src/services/sim/sim-server.ts';
import {
  type Asked,
  ask,
  backendOf,
  backendsOf,
  chat,
  chunk,
  createKey,
  delta,
  errorOf,
  eventsOf,
  jsonAnswer,
  lastChunk,
  type ModelScript,
  plainAnswer,
  remove,
  startModelScript,
  streamHead,
  until,
} from '../support/inference.ts';
import { testBinaries } from '../support/postgres.ts';
import {
  freePort,
  type OpenStream,
  type Product,
  type ProductOptions,
  runCommand,
  startProduct,
} from '../support/product.ts';

/** The data directory of an installation whose control plane died keeps no server for longer. */
const orphansGoneMs = 5000;
/** The listeners of the port are looked at every five seconds. */
const strangerNoticedMs = 7500;

const home = mkdtempSync(join(tmpdir(), 'tf-operations-'));
const port = await freePort();
/** The pages are tested elsewhere; building them would only cost time here. */
const withoutPages = { dashboard: { enabled: false } };

const keyPattern = /tfk_[A-Za-z0-9_-]{8,}/;

function start(options: ProductOptions = {}): Promise<Product> {
  return startProduct({
    sims: [],
    ...options,
    dataDirectory: home,
    port,
    config: { ...withoutPages, ...options.config },
  });
}

/** Every process that names `directory` in its command line, and servers that work in it. */
function processesOf(directory: string): readonly string[] {
  const real = realpathSync(directory);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        const place = readlinkSync(`/proc/${pid}/cwd`);
        const isServer = words.startsWith('postgres') && place.startsWith(`${real}/`);
        return isServer || words.includes(real) ? [`${pid} ${words}`] : [];
      } catch {
        return [];
      }
    });
}

/** The process id of the embedded server, from its own file. */
function serverPid(product: Product): number {
  const file = join(product.dataDirectory, 'postgres', 'postmaster.pid');
  return Number(readFileSync(file, 'utf8').split('\n')[0]);
}

function simOf(name: string, model: string): Promise<RunningSim> {
  return startSim({ as: 'vllm', name, port: 0, models: [model], profile: 'h100-7b', seed: 7 });
}

/** The ids of the fleet in order, as the control API tells them. */
async function idsOf(product: Product): Promise<readonly string[]> {
  return (await backendsOf(product)).map((backend) => backend.id).sort();
}

/** A request whose answer is a stream that the test itself ends. */
function streamFrom(product: Product, model: string): Promise<OpenStream> {
  return product.openStream('/v1/chat/completions', chat(model, { stream: true }));
}

/** Answers a stream of one piece, which waits for its end, or a whole answer. */
function answerOpenly(asked: Asked): void {
  if (asked.body.includes('"stream":true')) {
    asked.socket.write(streamHead + chunk(delta('first')));
  } else asked.socket.write(jsonAnswer(200, plainAnswer));
}

function endStream(asked: Asked | undefined): void {
  asked?.socket.write(chunk(delta('last')) + chunk('data: [DONE]\n\n') + lastChunk);
}

function assertWhole(text: string): void {
  const events = eventsOf(text);
  assert.match(events.at(-2) ?? '', /"last"/);
  assert.equal(events.at(-1), '[DONE]');
}

after(() => rmSync(home, { recursive: true, force: true }));

/** It takes requests a moment before it says so. */
function said(product: Product): Promise<void> {
  return until('it says that it is ready', () => product.output().includes('Ready in'));
}

describe('a first start', () => {
  let product: Product;

  before(async () => {
    product = await start({
      config: {
        simulate: 'auto',
        discovery: { enabled: true, ports: [await freePort()], mdns: { enabled: false } },
      },
    });
    await said(product);
  });
  after(() => product?.stop());

  it('keeps the admin key in a file of mode 0600 and prints it to no pipe', () => {
    assert.equal(statSync(join(product.dataDirectory, 'admin.key')).mode & 0o777, 0o600);
    assert.match(product.adminKey, keyPattern);
    assert.doesNotMatch(product.output(), keyPattern);
    assert.ok(product.output().includes(join(product.dataDirectory, 'admin.key')));
  });

  it('finds no engine, says so, and serves from simulated ones that are labelled', async () => {
    assert.match(product.output(), /Started 3 SIMULATED/);
    const backends = await backendsOf(product);
    assert.equal(backends.length, 3);
    for (const backend of backends) {
      assert.equal(backend.simulated, true, backend.id);
      assert.match(product.output(), new RegExp(`${backend.id} SIM`));
    }
    const { body } = await product.json('/api/v1/overview');
    assert.equal(overviewSchema.parse(body).simulated, true);
    const answer = await ask(product, chat('llama-2-7b-sim', { max_tokens: 2 }));
    assert.equal(answer.status, 200, answer.text);
  });

  it('lets no second process have its data directory: exit 75, with the holder named', async () => {
    const { code, stderr } = await runCommand([
      ...['up', '--port', String(await freePort())],
      ...['--data-dir', product.dataDirectory],
    ]);
    assert.equal(code, 75, stderr);
    assert.match(stderr, new RegExp(`\\b${product.pid}\\b`));
    assert.equal((await product.send('/health/ready')).status, 200);
  });

  it('lets no second installation have its port: exit 1, with the port named', async () => {
    const other = mkdtempSync(join(tmpdir(), 'tf-operations-'));
    try {
      const { code, stderr } = await runCommand([
        ...['up', '--port', String(port), '--data-dir', join(other, 'data')],
      ]);
      assert.equal(code, 1, stderr);
      assert.match(stderr, new RegExp(`port ${port}\\b.*in use`));
      assert.match(stderr, /--port/);
      assert.deepEqual(processesOf(other), []);
    } finally {
      rmSync(other, { recursive: true, force: true });
    }
  });

  it('is told by `status`, with the process that runs and its health', async () => {
    const directory = ['--data-dir', product.dataDirectory];
    const { code, stdout, stderr } = await runCommand(['status', '--json', ...directory]);
    assert.equal(code, 0, stderr);
    const told = JSON.parse(stdout) as { url: string; pid: number; health: unknown };
    assert.deepEqual({ url: told.url, pid: told.pid }, { url: product.url, pid: product.pid });
    assert.equal(gatewayHealthSchema.parse(told.health).status, 'healthy');
  });

  it('ends by `stop`, which waits for the end and leaves no process', async () => {
    const directory = ['--data-dir', product.dataDirectory];
    const { code, stdout, stderr } = await runCommand(['stop', '--json', ...directory]);
    assert.equal(code, 0, stderr);
    const told = JSON.parse(stdout) as { stopped: boolean; pid: number };
    assert.deepEqual([told.stopped, told.pid], [true, product.pid]);
    assert.equal(await product.ended(), 0);
    assert.deepEqual(processesOf(home), []);

    const again = await runCommand(['stop', '--json', ...directory]);
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(JSON.parse(again.stdout), { stopped: false, was_running: false });
    const away = await runCommand(['status', ...directory]);
    assert.equal(away.code, 69, away.stderr);
    assert.doesNotMatch(away.stderr, /\n\s+at /);
  });
});

describe('the command line', () => {
  it('does not know services apart: `serve --target routing` exits 2 and says what goes', async () => {
    const { code, stderr } = await runCommand([
      ...['serve', '--target', 'routing', '--data-dir', join(home, 'data')],
    ]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /--target all/);
    assert.deepEqual(processesOf(home), []);
  });
});

describe('a start beside a real engine', () => {
  let engine: RunningSim;
  let product: Product;

  before(async () => {
    engine = await simOf('engine', 'found-model');
    product = await start({
      config: {
        simulate: 'auto',
        discovery: { enabled: true, ports: [engine.port], mdns: { enabled: false } },
      },
    });
    await said(product);
  });
  after(async () => {
    await product?.stop();
    await engine?.stop();
  });

  it('finds it, approves it because its process is ours, and serves with it alone', async () => {
    const backends = await backendsOf(product);
    assert.deepEqual(
      backends.map(({ url, backend_type, approved, simulated, routable }) => {
        return { url, backend_type, approved, simulated, routable };
      }),
      [{ url: engine.url, backend_type: 'vllm', approved: true, simulated: false, routable: true }],
    );
    assert.doesNotMatch(product.output(), /SIMULATED/);
    assert.doesNotMatch(product.output(), keyPattern);
    const answer = await ask(product, chat('found-model', { max_tokens: 2 }));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(engine.stats().requests_finished, 1);
  });

  it('ends with exit code 69 and says so when its database is killed', async () => {
    process.kill(serverPid(product), 'SIGKILL');
    assert.equal(await product.ended(), 69, product.output());
    assert.match(product.output(), /database/i);
    assert.deepEqual(processesOf(home), []);
  });
});

describe('a configuration that is read again', () => {
  let product: Product;
  let engines: readonly RunningSim[];
  let script: ModelScript;

  const entryOf = (name: string, url: string) => ({ name, url, type: 'vllm' });
  const scriptEntry = () => ({ name: 'script', url: script.url, type: 'generic' });
  const urlOf = (i: number): string => engines[i]?.url ?? '';
  const reload = () => product.json('/api/v1/config/reload', { method: 'POST' });
  const settings = async (): Promise<Readonly<Record<string, unknown>>> => {
    const { body } = await product.json('/api/v1/config');
    return (body as { options: Readonly<Record<string, unknown>> }).options;
  };
  const refused = async (): Promise<string> => {
    const { status, body } = await reload();
    const text = JSON.stringify(body);
    assert.equal(status, 422, text);
    assert.equal((body as { code: string }).code, 'config_invalid', text);
    return text;
  };

  before(async () => {
    engines = await Promise.all([
      simOf('one', 'one-model'),
      simOf('two', 'two-model'),
      simOf('three', 'three-model'),
    ]);
    script = await startModelScript(['scripted'], answerOpenly);
    product = await start({
      backends: [entryOf('one', urlOf(0)), entryOf('two', urlOf(1)), scriptEntry()],
      config: { routing: { aliases: { nick: 'one-model' } }, server: { threads: 2 } },
    });
  });
  after(async () => {
    await product?.stop();
    await script?.close();
    await Promise.all((engines ?? []).map((engine) => engine.stop()));
  });

  it('is refused with all its faults, and nothing changes', async () => {
    const ids = await idsOf(product);
    const options = await settings();
    product.configure({
      backends: [scriptEntry(), { name: 'broken', url: 'ftp://engine', type: 'vllm' }],
      routing: { weights: { priority: 90, load: 90, latency: 90 }, strategy: 'guess' },
      logging: { level: 'loud' },
    });
    const text = await refused();
    for (const fault of [
      'backends[1].url',
      'routing.strategy',
      'routing.weights',
      'logging.level',
    ]) {
      assert.ok(text.includes(fault), `${fault} is told in ${text}`);
    }
    assert.deepEqual(await idsOf(product), ids);
    assert.deepEqual(await settings(), options);
    assert.equal((await ask(product, chat('nick', { max_tokens: 1 }))).status, 200);
  });

  it('is refused whole when only a backend may not be contacted', async () => {
    const ids = await idsOf(product);
    const options = await settings();
    // Each is well formed, so it is refused where backends are registered: after the good changes.
    for (const url of ['http://169.254.169.254/', `http://127.0.0.1:${port}`]) {
      product.configure({
        backends: [scriptEntry(), entryOf('new', urlOf(2)), entryOf('bad', url)],
        routing: { aliases: { other: 'two-model' } },
        logging: { level: 'debug' },
      });
      assert.match(await refused(), /backends\[2\]|bad/);
      assert.deepEqual(await idsOf(product), ids, url);
      assert.deepEqual(await settings(), options, url);
      assert.equal((await ask(product, chat('nick', { max_tokens: 1 }))).status, 200);
      assert.equal((await ask(product, chat('other', { max_tokens: 1 }))).status, 404);
    }
  });

  it('is refused when it is no YAML or is gone, and nothing changes', async () => {
    const ids = await idsOf(product);
    writeFileSync(product.configurationFile, 'backends: [\n  {');
    await refused();
    assert.deepEqual(await idsOf(product), ids);
    rmSync(product.configurationFile);
    await refused();
    assert.deepEqual(await idsOf(product), ids);
    assert.equal((await ask(product, chat('nick', { max_tokens: 1 }))).status, 200);
  });

  it('adds, changes and removes backends, applies routing, and drops no running stream', async () => {
    const kept = await streamFrom(product, 'scripted');
    assert.equal(kept.status, 200);
    const asked = script.asked.at(-1);
    const weights = { priority: 20, load: 50, latency: 30 };
    product.configure({
      backends: [
        { ...entryOf('one', urlOf(0)), priority: 7 },
        entryOf('three', urlOf(2)),
        scriptEntry(),
      ],
      routing: { aliases: { fresh: 'three-model' }, weights },
      server: { threads: 2, head_lines: 90 },
    });
    const { status, body } = await reload();
    assert.equal(status, 200, JSON.stringify(body));
    const { applied, needs_restart } = body as { applied: string[]; needs_restart: string[] };
    assert.ok(applied.includes('backends'), applied.join());
    assert.ok(applied.includes('routing.aliases'), applied.join());
    assert.ok(applied.includes('routing.weights.load'), applied.join());
    assert.deepEqual(needs_restart, ['server.head_lines']);

    assert.deepEqual(await idsOf(product), ['one', 'script', 'three']);
    assert.equal((await backendOf(product, 'one')).priority, 7);
    const asking = async (model: string): Promise<number> =>
      (await ask(product, chat(model, { max_tokens: 1 }))).status;
    await until('the new backend serves by its alias', async () => (await asking('fresh')) === 200);
    // Other connections may meet another thread, so several are asked.
    for (let i = 0; i < 6; i++) {
      assert.equal(await asking('fresh'), 200);
      assert.equal(await asking('nick'), 404);
      assert.equal(await asking('two-model'), 404);
    }
    endStream(asked);
    assertWhole(await kept.whole);
  });

  it('lets a stream of a backend that it removes run to its end', async () => {
    const kept = await streamFrom(product, 'scripted');
    const asked = script.asked.at(-1);
    product.configure({ backends: [entryOf('one', urlOf(0))], server: { threads: 2 } });
    assert.equal((await reload()).status, 200);
    assert.deepEqual(await idsOf(product), ['one']);
    await until('the removed backend is asked no more', async () => {
      return (await ask(product, chat('scripted'))).status === 404;
    });
    endStream(asked);
    assertWhole(await kept.whole);
  });

  describe('and a stranger that listens on the same port', () => {
    let stranger: ChildProcess | undefined;
    after(() => stranger?.kill('SIGKILL'));

    const program = `
      const server = require('node:http').createServer((request, response) => {
        response.writeHead(200, { 'x-stranger': 'yes', connection: 'close' });
        response.end('{}');
      });
      server.listen({ host: '127.0.0.1', port: ${port}, reusePort: true, exclusive: true }, () => {
        process.stdout.write('listening');
      });
    `;

    /** The statuses of answers that are the product's, over `count` new connections. */
    const ownStatuses = async (count: number): Promise<readonly number[]> => {
      const statuses: number[] = [];
      for (let i = 0; i < count; i++) {
        const answer = await ask(product, '', { method: 'GET', path: '/v1/models' });
        if (answer.headers['x-stranger'] === undefined) statuses.push(answer.status);
      }
      return statuses;
    };

    it('stop the serving until the stranger is gone, and the log says why', async () => {
      assert.deepEqual(new Set(await ownStatuses(4)), new Set([200]));
      stranger = spawn(process.execPath, ['--eval', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const { stdout } = stranger;
      await new Promise((resolve) => stdout?.once('data', resolve));
      await until(
        'requests are refused',
        async () => (await ownStatuses(2)).some((status) => status >= 500),
        strangerNoticedMs,
      );
      assert.ok((await ownStatuses(12)).every((status) => status >= 500));
      await until('the log says so', () => /listens on our port/.test(product.output()));

      const gone = new Promise((resolve) => stranger?.once('exit', resolve));
      stranger.kill('SIGKILL');
      await gone;
      await until(
        'it serves again',
        async () => (await ownStatuses(2)).includes(200),
        strangerNoticedMs,
      );
      assert.deepEqual(new Set(await ownStatuses(8)), new Set([200]));
    });
  });
});

describe('kill -9', () => {
  let product: Product;
  let engines: readonly RunningSim[];
  let script: ModelScript;

  before(async () => {
    engines = await Promise.all([simOf('kept', 'kept-model'), simOf('drained', 'drained-model')]);
    script = await startModelScript(['scripted'], answerOpenly);
  });
  after(async () => {
    await product?.stop();
    await script?.close();
    await Promise.all((engines ?? []).map((engine) => engine.stop()));
  });

  const startOver = () =>
    start({ backends: [{ name: 'script', url: script.url, type: 'generic' }] });
  const cutStreams = async (streams: readonly OpenStream[]): Promise<void> => {
    for (const stream of streams) {
      assert.equal(stream.status, 200);
      await assert.rejects(stream.whole);
    }
  };

  it('with running streams leaves nothing that stops an immediate restart', async () => {
    product = await startOver();
    for (const [i, name] of ['kept', 'drained'].entries()) {
      const body = JSON.stringify({ name, url: engines[i]?.url, type: 'vllm' });
      const added = await product.json('/api/v1/backends', { method: 'POST', body });
      assert.equal(added.status, 201, JSON.stringify(added.body));
    }
    const drained = await product.json('/api/v1/backends/drained/drain', { method: 'POST' });
    assert.equal(drained.status, 200, JSON.stringify(drained.body));
    const key = await createKey(product, { name: 'kept' });
    const revoked = await createKey(product, { name: 'revoked' });
    await remove(product, `/api/v1/keys/${revoked.id}`);
    const { adminKey } = product;
    const streams = await Promise.all([1, 2, 3].map(() => streamFrom(product, 'scripted')));
    const server = serverPid(product);

    await product.kill();
    const startedMs = performance.now();
    const [restarted] = await Promise.all([startOver(), cutStreams(streams)]);
    product = restarted;
    assert.ok(performance.now() - startedMs < 15_000, 'the restart is no long repair');

    assert.equal(product.adminKey, adminKey);
    assert.notEqual(serverPid(product), server);
    assert.deepEqual(await idsOf(product), ['drained', 'kept', 'script']);
    assert.equal((await backendOf(product, 'drained')).status, 'draining');
    assert.equal((await backendOf(product, 'drained')).routable, false);
    assert.equal((await backendOf(product, 'script')).pending_requests, 0);
    const asking = async (model: string, secret: string): Promise<number> =>
      (await ask(product, chat(model, { max_tokens: 1 }), { key: secret })).status;
    assert.equal(await asking('kept-model', key.secret), 200);
    assert.equal(await asking('scripted', adminKey), 200);
    assert.equal(await asking('kept-model', revoked.secret), 401);
    assert.equal((await ask(product, chat('drained-model'))).status, 503);
  });

  it('leaves no process of the data directory behind for longer than 5 s', async () => {
    const streams = await Promise.all([1, 2].map(() => streamFrom(product, 'scripted')));
    assert.notDeepEqual(processesOf(home), []);
    await product.kill();
    const killedMs = performance.now();
    await until(
      'no process is left',
      () => processesOf(home).length === 0,
      orphansGoneMs + 1000,
    ).catch(() => undefined);
    assert.deepEqual(processesOf(home), []);
    assert.ok(performance.now() - killedMs <= orphansGoneMs);
    await cutStreams(streams);
  });
});

describe('a database of the user', () => {
  const folder = join(home, 'user-database');
  let directory: Awaited<ReturnType<typeof openDataDirectory>>;
  let server: EmbeddedServer;
  let engine: RunningSim;
  let product: Product;

  before(async () => {
    directory = await openDataDirectory(join(folder, 'server'));
    server = await startEmbedded(directory, testBinaries);
    engine = await simOf('engine', 'model');
    const { path, user, password, database } = server.connection('tensorforge_owner');
    const credentials = `${user}:${encodeURIComponent(password.reveal())}`;
    product = await startProduct({
      sims: [],
      backends: [{ name: 'engine', url: engine.url, type: 'vllm' }],
      config: withoutPages,
      env: {
        DATABASE_URL: `postgresql://${credentials}@localhost/${database}?host=${dirname(path)}`,
      },
    });
  });
  after(async () => {
    await product?.stop();
    await engine?.stop();
    await server?.stop();
    directory?.release();
  });

  it('may go away: inference goes on, control answers 503 `retry`, and all is well after', async () => {
    const control = async () => {
      const { status, body } = await product.json('/api/v1/keys');
      return { status, code: (body as { code?: string }).code };
    };
    const inference = async (): Promise<number> =>
      (await ask(product, chat('model', { max_tokens: 1 }))).status;
    assert.equal((await control()).status, 200);

    await server.stop();
    assert.deepEqual(await control(), { status: 503, code: 'retry' });
    const health = await product.send('/api/v1/health');
    assert.equal(health.status, 503, health.text);
    assert.equal(await inference(), 200);
    const wrong = await ask(product, chat('model'), { key: `${product.adminKey}x` });
    assert.equal(wrong.status, 401);
    assert.equal(errorOf(wrong.text).code, 'invalid_api_key');

    server = await startEmbedded(directory, testBinaries);
    await until('control answers again', async () => (await control()).status === 200);
    assert.equal((await product.send('/api/v1/health')).status, 200);
    assert.equal(await inference(), 200);
  });
});
