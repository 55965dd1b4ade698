// TLS at the front door: with a certificate of its own, whose file may be replaced or broken while
// streams run, and behind a proxy that ends TLS, where loopback is no proof of anything. The
// certificates are made here by `openssl`; each is its own authority.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import {
  type Asked,
  chat,
  chunk,
  delta,
  eventsOf,
  jsonAnswer,
  lastChunk,
  type ModelScript,
  plainAnswer,
  startModelScript,
  streamHead,
  until,
} from '../support/inference.ts';
import { freePort, type Product, runCommand, startProduct } from '../support/product.ts';

const home = mkdtempSync(join(tmpdir(), 'tf-tls-'));
const certFile = join(home, 'server.crt');
const keyFile = join(home, 'server.key');

/** The pages are tested elsewhere; building them would only cost time here. */
const withoutPages = { dashboard: { enabled: false } };

type Pair = { readonly cert: string; readonly key: string };

/** A new key and its self-signed certificate for this machine, as files. */
function makePair(name: string): Pair {
  const pair = { cert: join(home, `${name}.crt`), key: join(home, `${name}.key`) };
  const words = [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
    ...['-days', '2', '-keyout', pair.key, '-out', pair.cert],
  ];
  execFileSync('openssl', words, { stdio: 'ignore' });
  return pair;
}

/** Puts the files of `pair` where the product reads its own. */
function install(pair: Pair): void {
  copyFileSync(pair.cert, certFile);
  copyFileSync(pair.key, keyFile);
  chmodSync(keyFile, 0o600);
}

const first = makePair('first');
const second = makePair('second');
const authorities = [first, second].map((pair) => readFileSync(pair.cert, 'utf8'));
const ca = authorities.join('');

type Handshake = {
  readonly subject: string;
  readonly protocol: string | null;
  readonly alpn: string | false | null;
};

/** A new connection up to the end of its handshake; rejects with the error of it. */
function handshake(port: number, options: ConnectionOptions = {}): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca, ...options }, () => {
      const subject = socket.getPeerCertificate().subject.CN;
      resolve({
        subject: String(subject),
        protocol: socket.getProtocol(),
        alpn: socket.alpnProtocol,
      });
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

/** Answers a stream of one piece, which waits for its end, or a whole answer. */
function answerOpenly(asked: Asked): void {
  if (asked.body.includes('"stream":true')) {
    asked.socket.write(streamHead + chunk(delta('first')));
  } else asked.socket.write(jsonAnswer(200, plainAnswer));
}

let script: ModelScript;

before(async () => {
  install(first);
  script = await startModelScript(['scripted'], answerOpenly);
});
after(async () => {
  await script?.close();
  rmSync(home, { recursive: true, force: true });
});

const scriptEntry = () => ({ name: 'script', url: script.url, type: 'generic' });

describe('with a certificate', () => {
  let product: Product;

  before(async () => {
    product = await startProduct({
      sims: [],
      backends: [scriptEntry()],
      config: { ...withoutPages, server: { threads: 2 } },
      dataDirectory: home,
      tls: { cert: certFile, key: keyFile, ca },
    });
  });
  after(() => product?.stop());

  const inference = async (): Promise<number> => {
    const { status } = await product.json('/v1/chat/completions', {
      method: 'POST',
      body: chat('scripted'),
    });
    return status;
  };
  /** The subjects that this many new connections see; enough of them meet every thread. */
  const subjects = async (count: number): Promise<ReadonlySet<string>> => {
    const seen = new Set<string>();
    for (let i = 0; i < count; i++) seen.add((await handshake(product.port)).subject);
    return seen;
  };

  it('serves inference and control to a client that trusts its authority', async () => {
    assert.equal(await inference(), 200);
    assert.equal((await product.json('/api/v1/me')).status, 200);
    await until('it says where it listens', () =>
      product.output().includes(`https://127.0.0.1:${product.port}`),
    );
  });

  it('is turned down by a client that does not', async () => {
    await assert.rejects(handshake(product.port, { ca: [] }), /self-signed|self signed/);
  });

  it('speaks HTTP/1.1 and nothing else', async () => {
    const { port } = product;
    const both = await handshake(port, { ALPNProtocols: ['h2', 'http/1.1'] });
    assert.equal(both.alpn, 'http/1.1');
    await assert.rejects(handshake(port, { ALPNProtocols: ['h2'] }));
  });

  it('takes TLS 1.2 and 1.3, and refuses 1.1', async () => {
    const { port } = product;
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { protocol } = await handshake(port, { minVersion: version, maxVersion: version });
      assert.equal(protocol, version);
    }
    // Without the lowest security level the client itself would not offer it.
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    await assert.rejects(handshake(port, old), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  });

  it('tells browsers to stay with https', async () => {
    for (const path of ['/', '/login', '/health/live']) {
      const { headers } = await product.send(path);
      assert.match(String(headers['strict-transport-security']), /^max-age=\d{7,}/, path);
    }
  });

  it('signs in with a cookie that is bound to this host and to TLS', async () => {
    const { status, headers, text } = await product.send('/api/v1/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ api_key: product.adminKey }),
    });
    assert.equal(status, 201, text);
    const cookie = headers['set-cookie']?.[0] ?? '';
    assert.match(cookie, /^__Host-tf=[^;]+; /);
    for (const attribute of ['Path=/', 'Secure', 'HttpOnly', 'SameSite=Strict']) {
      assert.ok(cookie.split('; ').includes(attribute), `${attribute} in ${cookie}`);
    }
    assert.doesNotMatch(cookie, /Domain/i);
    const pair = cookie.split(';')[0] ?? '';
    assert.equal((await product.send('/api/v1/me', { headers: { cookie: pair } })).status, 200);
    const renamed = pair.replace('__Host-tf', 'tf');
    assert.equal((await product.send('/api/v1/me', { headers: { cookie: renamed } })).status, 401);
  });

  it('answers nothing to plain HTTP on its port, and goes on', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connectPlain({ host: '127.0.0.1', port: product.port }, () => {
        socket.write('GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
      });
      let heard = '';
      socket.on('data', (bytes) => {
        heard += bytes.toString('latin1');
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(heard));
    });
    assert.doesNotMatch(text, /HTTP|live/);
    assert.equal(await inference(), 200);
  });

  describe('whose file changes', () => {
    const hangUp = () => process.kill(product.pid, 'SIGHUP');
    const startStream = async () => {
      const stream = await product.openStream(
        '/v1/chat/completions',
        chat('scripted', { stream: true }),
      );
      assert.equal(stream.status, 200);
      const asked = script.asked.at(-1);
      return {
        /** For a test that fails: an open stream would hold the product back when it stops. */
        drop: () => asked?.socket.destroy(),
        async finish() {
          asked?.socket.write(chunk(delta('last')) + chunk('data: [DONE]\n\n') + lastChunk);
          const events = eventsOf(await stream.whole);
          assert.match(events.at(-2) ?? '', /"last"/);
          assert.equal(events.at(-1), '[DONE]');
        },
      };
    };

    it('shows the new one to new connections after SIGHUP and drops no stream', async () => {
      const stream = await startStream();
      assert.deepEqual(await subjects(4), new Set(['first']));
      install(second);
      hangUp();
      await until('the new certificate', async () => {
        const seen = await subjects(4);
        return seen.size === 1 && seen.has('second');
      });
      assert.deepEqual(await subjects(8), new Set(['second']));
      await stream.finish();
      assert.equal(await inference(), 200);
    });

    it('keeps the version and the protocol limits with the new one', async () => {
      const { port } = product;
      const both = await handshake(port, { ALPNProtocols: ['h2', 'http/1.1'] });
      assert.equal(both.alpn, 'http/1.1');
      const old = {
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        ciphers: 'ALL:@SECLEVEL=0',
      } as const;
      await assert.rejects(handshake(port, old), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
    });

    const broken: readonly { readonly what: string; readonly make: () => void }[] = [
      { what: 'no certificate', make: () => writeFileSync(certFile, 'no certificate') },
      { what: 'gone', make: () => rmSync(certFile) },
      {
        what: 'half written',
        make: () => writeFileSync(certFile, authorities[1]?.slice(0, 300) ?? ''),
      },
      { what: 'of another key', make: () => copyFileSync(first.cert, certFile) },
      { what: 'beside a key that is none', make: () => writeFileSync(keyFile, 'no key') },
      { what: 'empty', make: () => writeFileSync(certFile, '') },
    ];
    for (const { what, make } of broken) {
      it(`keeps the old one when the new one is ${what}: an error is logged, nothing ends`, async (t) => {
        const stream = await startStream();
        t.after(() => {
          stream.drop();
          install(second);
        });
        make();
        const before = product.output().length;
        hangUp();
        const logged = () => product.output().slice(before);
        await until(
          'the error is logged',
          () => /error/i.test(logged()) && /server\.tls_(cert|key)/.test(logged()),
        );
        const refused = await product.json('/api/v1/config/reload', { method: 'POST' });
        assert.equal(refused.status, 422, JSON.stringify(refused.body));
        assert.equal((refused.body as { code: string }).code, 'config_invalid');
        assert.deepEqual(await subjects(4), new Set(['second']));
        await stream.finish();
        assert.equal(await inference(), 200);
        assert.doesNotMatch(logged(), /gateway thread died|PRIVATE KEY/);
      });
    }
  });
});

describe('off loopback', () => {
  it('does not start in clear text: exit 1, naming what would let it', async () => {
    const directory = join(home, 'never');
    const port = await freePort();
    const { code, stderr } = await runCommand([
      ...['up', '--listen', `0.0.0.0:${port}`, '--data-dir', directory],
    ]);
    assert.equal(code, 1, stderr);
    for (const option of ['--tls-cert', '--tls-key', '--behind-tls-proxy']) {
      assert.ok(stderr.includes(option), `${option} in ${stderr}`);
    }
    assert.equal(existsSync(join(directory, 'admin.key')), false);
  });

  describe('behind a proxy that ends TLS', () => {
    let product: Product;

    before(async () => {
      product = await startProduct({
        sims: [],
        backends: [scriptEntry()],
        config: { ...withoutPages, server: { trusted_proxies: ['127.0.0.0/8'] } },
        dataDirectory: home,
        listen: '0.0.0.0',
        arguments: ['--behind-tls-proxy'],
      });
    });
    after(() => product?.stop());

    const asAdmin = (): Record<string, string> => ({ authorization: `Bearer ${product.adminKey}` });

    it('starts, and loopback alone opens neither /metrics nor /api/docs', async () => {
      // Whoever the proxy does not name is one address to the limit of five attempts a minute.
      const claims = [
        ['/metrics', {}],
        ['/metrics', { 'x-forwarded-for': '127.0.0.1' }],
        ['/metrics', { 'x-forwarded-for': '127.0.0.1, 203.0.113.5, 127.0.0.1' }],
        ['/api/docs', {}],
      ] as const;
      for (const [path, headers] of claims) {
        assert.equal((await product.send(path, { headers })).status, 401, JSON.stringify(headers));
        assert.equal((await product.send(path, { headers: asAdmin() })).status, 200, path);
      }
    });

    it('gives the cookie of TLS', async () => {
      const { headers, text } = await product.send('/api/v1/session', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ api_key: product.adminKey }),
      });
      assert.match(headers['set-cookie']?.[0] ?? text, /^__Host-tf=.*; Secure/);
    });

    it('counts rejected credentials by the client that the proxy names', async () => {
      const asking = async (client: string, key: string): Promise<number> => {
        const headers = { authorization: `Bearer ${key}`, 'x-forwarded-for': client };
        return (await product.send('/v1/models', { headers })).status;
      };
      const wrong = `${product.adminKey}x`;
      const statuses: number[] = [];
      // What the client wrote itself stands left of what the proxy added.
      for (let i = 0; i < 7; i++)
        statuses.push(await asking(`198.51.100.${i}, 203.0.113.7`, wrong));
      assert.equal(statuses[0], 401);
      assert.equal(statuses.at(-1), 429, statuses.join());
      assert.equal(await asking('203.0.113.8', wrong), 401);
      assert.equal(await asking('203.0.113.7', product.adminKey), 200);
    });
  });
});
