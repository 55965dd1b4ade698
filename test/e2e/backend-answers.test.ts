// The security catalogue, cases 204 to 226: what a backend may answer and what the client sees of
// it. One crooked backend answers on a real socket with exactly the bytes of the case. It alone has
// the model `crooked`, where its fault must become a clean 502; `shared` it has together with a
// straight one that is preferred less, where the client must not notice anything.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { BAD_ANSWERS, GOOD_ANSWERS } from '../../src/io/http/upstream/answer-shapes.ts';
import { startBackend, writePieces } from '../../src/io/http/upstream/scripted-backend.ts';
import {
  type Asked,
  ask,
  backendOf,
  chat,
  chunk,
  delta,
  errorOf,
  eventsOf,
  jsonAnswer,
  lastChunk,
  type ModelScript,
  metricsOf,
  plainAnswer,
  remove,
  startModelScript,
  streamHead,
  sumOf,
  until,
} from '../support/inference.ts';
import { type Product, startProduct } from '../support/product.ts';

let product: Product;
let crooked: ModelScript;
let straight: ModelScript;
let script: (asked: Asked) => void;

const straightText = '{"choices":[{"message":{"content":"straight"}}]}';
const straightStream = `${streamHead}${chunk(delta('straight'))}${chunk('data: [DONE]\n\n')}${lastChunk}`;

before(async () => {
  crooked = await startModelScript(['crooked', 'shared'], (asked) => script(asked));
  straight = await startModelScript(['shared'], ({ socket, body }) => {
    socket.write(body.includes('"stream":true') ? straightStream : jsonAnswer(200, straightText));
  });
  product = await startProduct({
    sims: [],
    backends: [
      { name: 'crooked', url: crooked.url, type: 'generic', priority: 0 },
      { name: 'straight', url: straight.url, type: 'generic', priority: 100 },
    ],
    config: {
      upstream: { first_byte_seconds: 1, event_bytes: 65_536 },
      health_check: { timeout_seconds: 1 },
      // `crooked` fails in every case and is asked first in the next.
      breaker: { ejected_percent: 0 },
    },
    arguments: ['--threads', '1'],
  });
});

after(async () => {
  await product?.stop();
  await crooked?.close();
  await straight?.close();
});

/** The crooked backend sends these bytes, then perhaps ends, whatever it is asked. */
function sends(wire: string, closes = false): void {
  const bytes = Buffer.from(wire, 'latin1');
  script = ({ socket }) => writePieces(socket, [bytes], closes);
}

async function isGone({ socket }: Asked, what: string): Promise<void> {
  await until(`${what}: the connection to end`, () => socket.destroyed || socket.readableEnded);
}

/** The fault is a 502 for who has only this backend, and unseen by who has another. */
async function isHidden(name: string, code = 'bad_gateway'): Promise<void> {
  const at = crooked.asked.length;
  const alone = await ask(product, chat('crooked'));
  assert.equal(alone.status, 502, `${name}: ${alone.text}`);
  const error = errorOf(alone.text);
  assert.equal(error.code, code, error.message);
  assert.equal(alone.headers['x-tensorforge-attempts'], '1');
  assert.equal(alone.headers['x-tensorforge-backend'], 'crooked');
  assert.equal(alone.headers['content-type'], 'application/json');
  assert.ok(!alone.text.includes('hello'), 'bytes of the backend came through');

  const shared = await ask(product, chat('shared'));
  assert.equal(shared.status, 200, `${name}: ${shared.text}`);
  assert.equal(shared.text, straightText);
  assert.equal(shared.headers['x-tensorforge-attempts'], '2');
  assert.equal(shared.headers['x-tensorforge-backend'], 'straight');
  assert.equal(shared.headers['x-tensorforge-route-reason'], 'failover');

  const asked = crooked.asked.slice(at);
  assert.equal(asked.length, 2, 'the backend was asked more than once');
  await Promise.all(asked.map((one) => isGone(one, name)));
}

describe('an answer that is no HTTP', () => {
  for (const shape of BAD_ANSWERS) {
    it(`${shape.name} is hidden, its connection ended`, async () => {
      sends(shape.wire, shape.closes === true);
      await isHidden(shape.name);
    });
  }

  for (const status of [301, 302, 303, 307, 308]) {
    it(`case 215: ${status} is neither followed nor shown`, async () => {
      const location = `location: ${straight.url}/v1/chat/completions`;
      sends(
        `HTTP/1.1 ${status} X\r\n${location}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
      );
      const before = straight.asked.length;
      await isHidden(`case 215: ${status}`);
      assert.equal(straight.asked.length, before + 1, 'it was followed');
    });
  }

  it('case 217: a body in gzip is hidden', async () => {
    sends(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\nconnection: close\r\ncontent-length: 5\r\n\r\n\x1f\x8b\x08\0\0`,
    );
    await isHidden('case 217');
  });

  it('204 and an empty 200 are hidden', async () => {
    for (const head of ['HTTP/1.1 204 X\r\n', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n']) {
      sends(`${head}connection: close\r\n\r\n`);
      await isHidden(head);
    }
  });

  it('an array, a text and half an object are hidden', async () => {
    for (const body of ['[1]', '"a"', 'null', '{"choices":[', '<html></html>', '{} {}']) {
      sends(jsonAnswer(200, body, ['content-type: application/json', 'connection: close']));
      await isHidden(body);
    }
  });
});

describe('an answer that is good HTTP', () => {
  const whole = GOOD_ANSWERS.filter(({ body }) => body === '{}');
  assert.equal(whole.length, 1);

  it('the head of vLLM passes', async () => {
    sends(whole[0]?.wire ?? '');
    const answer = await ask(product, chat('crooked'));
    assert.equal(answer.text, '{}');
  });

  it('case 218: surplus bytes are dropped and their connection serves nobody else', async () => {
    const at = crooked.asked.length;
    sends(`${jsonAnswer(200, plainAnswer)}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}`);
    const first = await ask(product, chat('crooked'));
    assert.equal(first.text, plainAnswer);
    const [one] = crooked.asked.slice(at);
    assert.ok(one !== undefined);
    await isGone(one, 'case 218');
    const second = await ask(product, chat('crooked'));
    assert.equal(second.text, plainAnswer);
    assert.notEqual(crooked.asked.at(-1)?.socket, one.socket);
  });

  it('a good connection is used again', async () => {
    sends(jsonAnswer(200, plainAnswer));
    const sockets = new Set();
    for (let turn = 0; turn < 3; turn++) {
      await ask(product, chat('crooked'));
      sockets.add(crooked.asked.at(-1)?.socket);
    }
    assert.equal(sockets.size, 1);
  });

  it('case 219: a body cut after much of it ends without looking whole', async () => {
    const part = `{"choices":[{"message":{"content":"${'x'.repeat(300_000)}`;
    sends(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 400000\r\n\r\n${part}`,
      true,
    );
    const answer = await ask(product, chat('crooked'));
    assert.equal(answer.status, 200);
    assert.equal(answer.isWhole, false);
  });

  it('case 220: 401 and 403 become 502 without a byte of the body', async () => {
    for (const status of [401, 403]) {
      const body = '{"error":{"message":"hello: bad key sk-hello"}}';
      sends(jsonAnswer(status, body, ['www-authenticate: Bearer hello', 'connection: close']));
      await isHidden(`case 220: ${status}`, 'upstream_auth_failed');
    }
  });

  it('case 221: headers that are not ours to pass on are stripped', async () => {
    const evil = [
      'content-type: application/json',
      'set-cookie: a=b',
      'access-control-allow-origin: *',
      'strict-transport-security: max-age=1',
      'clear-site-data: "*"',
      'location: http://evil.example/',
      'server: evil',
      'x-powered-by: evil',
      'x-request-id: evil',
      'x-tensorforge-backend: evil',
      'content-security-policy: default-src *',
      'link: <http://evil.example/>; rel=preload',
      'refresh: 0; url=http://evil.example/',
      'retry-after: 5',
    ];
    for (const [model, backend, wire] of [
      ['crooked', 'crooked', jsonAnswer(200, plainAnswer, evil)],
      ['crooked', 'crooked', jsonAnswer(400, '{"error":{"message":"no"}}', evil)],
    ] as const) {
      sends(wire);
      const answer = await ask(product, chat(model));
      const allowed =
        /^(content-type|content-length|date|connection|keep-alive|retry-after|x-should-retry|x-request-id|x-tensorforge-[a-z-]+)$/;
      const strange = Object.keys(answer.headers).filter((name) => !allowed.test(name));
      assert.deepEqual(strange, []);
      assert.equal(answer.headers['x-tensorforge-backend'], backend);
      assert.ok(!JSON.stringify(answer.headers).includes('evil'));
    }
    const wire = `${streamHead.slice(0, -2)}${evil.slice(1).join('\r\n')}\r\n\r\n${chunk(delta('a'))}${chunk('data: [DONE]\n\n')}${lastChunk}`;
    sends(wire);
    const stream = await ask(product, chat('crooked', { stream: true }));
    assert.deepEqual(eventsOf(stream.text).at(-1), '[DONE]');
    assert.ok(!JSON.stringify(stream.headers).includes('evil'));
  });

  it('markup of a backend is not passed on as markup', async () => {
    sends(jsonAnswer(200, '{"a":"<script>"}', ['content-type: text/html']));
    const good = await ask(product, chat('crooked'));
    assert.equal(good.headers['content-type'], 'application/json');
    sends(jsonAnswer(400, '<script>', ['content-type: text/html']));
    const bad = await ask(product, chat('crooked'));
    assert.equal(bad.status, 400);
    assert.equal(bad.headers['content-type'], 'text/plain; charset=utf-8');
  });

  it('case 223: usage that cannot be is not counted, our own count is', async () => {
    const content = 'x'.repeat(40);
    const usages = ['-1', '"NaN"', '"many"', '1152921504606846976', '1.5', 'null'];
    for (const count of usages) {
      const before = await metricsOf(product);
      const usage = `{"prompt_tokens":${count},"completion_tokens":${count}}`;
      sends(jsonAnswer(200, `{"choices":[{"message":{"content":"${content}"}}],"usage":${usage}}`));
      const answer = await ask(product, chat('crooked'));
      assert.ok(answer.text.includes(usage), 'the bytes pass all the same');
      const grown = async (name: string, labels: Record<string, string> = {}) =>
        sumOf(await metricsOf(product), name, labels) - sumOf(before, name, labels);
      await until(
        `usage_rejected_total for ${count}`,
        async () => (await grown('tensorforge_usage_rejected_total')) === 1,
      );
      assert.equal(await grown('tensorforge_tokens_total', { type: 'output' }), 10);
      assert.equal(await grown('tensorforge_tokens_total', { type: 'input' }), 1);
    }
  });
});

describe('a stream that may not be passed on', () => {
  const faults: readonly (readonly [string, string])[] = [
    ['an event above its limit', `data: ${'x'.repeat(70_000)}\n\n`],
    ['an endless line', `data: ${'x'.repeat(70_000)}`],
    ['an endless comment', `: ${'x'.repeat(70_000)}`],
    ['CR alone', 'data: {"a":1}\r\rdata: {"b":2}\r\r'],
    ['NUL', 'data: {"a":"\0"}\n\n'],
  ];
  for (const [name, fault] of faults) {
    it(`case 224: ${name} after content is one error event and [DONE]`, async () => {
      sends(`${streamHead}${chunk(delta('begin'))}${chunk(fault)}`);
      const answer = await ask(product, chat('crooked', { stream: true }));
      assert.equal(answer.status, 200);
      assert.ok(answer.isWhole);
      const events = eventsOf(answer.text);
      assert.equal(events.length, 3, answer.text.slice(0, 300));
      assert.match(events[0] ?? '', /begin/);
      assert.equal(errorOf(events[1] ?? '').code, 'bad_gateway');
      assert.equal(events[2], '[DONE]');
      const one = crooked.asked.at(-1);
      assert.ok(one !== undefined);
      await isGone(one, name);
    });

    it(`case 224: ${name} before content fails over`, async () => {
      sends(`${streamHead}${chunk(fault)}`);
      const alone = await ask(product, chat('crooked', { stream: true }));
      assert.equal(alone.status, 502);
      assert.equal(errorOf(alone.text).code, 'bad_gateway');
      const shared = await ask(product, chat('shared', { stream: true }));
      assert.equal(shared.status, 200);
      assert.equal(shared.headers['x-tensorforge-backend'], 'straight');
      assert.deepEqual(eventsOf(shared.text).length, 2);
    });
  }

  it('case 219: a cut inside an event shows no half of it', async () => {
    sends(`${streamHead}${chunk(delta('begin'))}${chunk('data: {"choices":[{"del')}`, true);
    const answer = await ask(product, chat('crooked', { stream: true }));
    const events = eventsOf(answer.text);
    assert.equal(events.length, 3);
    assert.ok(!answer.text.includes('"del\n') && !answer.text.includes('[{"del"'), answer.text);
    assert.equal(errorOf(events[1] ?? '').code, 'bad_gateway');
    assert.equal(events[2], '[DONE]');
  });

  it('a stream that ends in order but without its end mark is told as cut', async () => {
    sends(`${streamHead}${chunk(delta('begin'))}${lastChunk}`);
    const answer = await ask(product, chat('crooked', { stream: true }));
    const events = eventsOf(answer.text);
    assert.equal(errorOf(events[1] ?? '').code, 'bad_gateway');
    assert.equal(events[2], '[DONE]');
  });

  it('an error event of the backend is passed on and followed by [DONE], not by a second error', async () => {
    const own = 'data: {"error":{"message":"out of memory","code":500}}\n\n';
    sends(`${streamHead}${chunk(delta('begin'))}${chunk(own)}${lastChunk}`);
    const answer = await ask(product, chat('crooked', { stream: true }));
    assert.deepEqual(eventsOf(answer.text).slice(1), [own.slice(6, -2), '[DONE]']);
  });

  it('case 225: comments, however many, do not put off the first-token time-out', async () => {
    // About two megabytes until the time is up, far more than what is held of a silent stream.
    const comments = chunk(`: ping ${'x'.repeat(5000)}\n\n`);
    script = ({ socket }) => {
      socket.write(streamHead);
      const timer = setInterval(() => socket.write(comments), 3);
      socket.on('close', () => clearInterval(timer));
    };
    const began = performance.now();
    const [alone, shared] = await Promise.all([
      ask(product, chat('crooked', { stream: true })),
      ask(product, chat('shared', { stream: true })),
    ]);
    assert.equal(alone.status, 504);
    const error = errorOf(alone.text);
    assert.equal(error.code, 'gateway_timeout');
    assert.equal(error.context?.timer, 'first_token');
    assert.ok(performance.now() - began >= 1000);
    assert.equal(shared.status, 200);
    assert.equal(shared.headers['x-tensorforge-backend'], 'straight');
    assert.ok(!shared.text.includes('ping'));
    await Promise.all(crooked.asked.slice(-2).map((one) => isGone(one, 'case 225')));
  });

  it('a silent stream without a head ends with the timer of heads', async () => {
    script = () => {};
    const answer = await ask(product, chat('crooked', { stream: true }));
    assert.equal(answer.status, 504);
    assert.equal(errorOf(answer.text).context?.timer, 'headers');
  });
});

describe('case 222: names that try to be more than names', () => {
  const evilModel = 'm<script>alert(1)</script>"\\é\u2028';

  it('are inert in headers, errors, lists and figures', async (t) => {
    const evil = await startModelScript(
      [evilModel, `long${'x'.repeat(996)}`, 'a\r\nb', 'c\x1b[31m'],
      (asked) => asked.socket.write(jsonAnswer(200, plainAnswer)),
    );
    t.after(() => evil.close());
    const added = await product.json('/api/v1/backends', {
      method: 'POST',
      body: JSON.stringify({ url: evil.url, name: 'e<b>\r\n\x1b[31mvil', type: 'generic' }),
    });
    assert.equal(added.status, 201, JSON.stringify(added.body));
    const { id } = added.body as { id: string };
    assert.match(id, /^[a-z0-9-]{1,63}$/);
    const answer = await ask(product, chat(evilModel));
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['x-tensorforge-backend'], id);
    assert.equal(answer.headers['x-tensorforge-model'], 'm<script>alert(1)</script>"\\??');
    const listed = (await backendOf(product, id)).models.map((model) => model.id);
    assert.equal(listed.length, 2, 'names with control characters are no names');
    const unknown = await ask(product, chat('nobody'));
    assert.equal(unknown.status, 404);
    assert.equal(unknown.headers['content-type'], 'application/json');
    await until('the figures', async () => {
      const metrics = await metricsOf(product);
      assert.ok([...metrics.values()].every((value) => !Number.isNaN(value)));
      return [...metrics.keys()].some((series) => series.includes('alert(1)</script>\\"\\\\'));
    });
  });
});

describe('case 226: answers to a probe', () => {
  const probes: readonly (readonly [string, string, (socket: Socket) => void])[] = [
    [
      '50 MB',
      'invalid response: too large',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 52428800\r\n\r\n');
        const piece = Buffer.alloc(65_536, ' ');
        const more = (): void => {
          while (!socket.destroyed && socket.write(piece));
        };
        socket.on('drain', more);
        more();
      },
    ],
    [
      'gzip',
      'invalid response: compressed',
      (socket) =>
        socket.write(
          'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\n\x1f\x8b\x08\0\0',
        ),
    ],
    [
      'gzip a thousand times',
      'invalid response: compressed',
      (socket) =>
        socket.write(
          `HTTP/1.1 200 OK\r\ncontent-encoding: ${'gzip,'.repeat(1000)}gzip\r\ncontent-length: 2\r\n\r\n{}`,
        ),
    ],
    [
      'HTML',
      'invalid response: HTML',
      (socket) => socket.write(jsonAnswer(200, '<html>', ['content-type: text/html'])),
    ],
    [
      'a redirect to the metadata service',
      'invalid response: redirect',
      (socket) =>
        socket.write(
          'HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/\r\ncontent-length: 0\r\n\r\n',
        ),
    ],
    ['silence', 'request timeout after 1s', () => {}],
  ];
  for (const [name, words, answer] of probes) {
    it(`${name}: the backend takes no requests, and little of it was read`, async (t) => {
      let written = 0;
      const peer = await startBackend(({ socket }) => {
        answer(socket);
        socket.on('close', () => {
          written += socket.bytesWritten;
        });
      });
      t.after(() => peer.close());
      const added = await product.json('/api/v1/backends', {
        method: 'POST',
        body: JSON.stringify({ url: peer.url, name: `probe ${name}`, type: 'generic' }),
      });
      assert.equal(added.status, 201);
      const { id } = added.body as { id: string };
      const backend = await backendOf(product, id);
      assert.equal(backend.status, 'unhealthy');
      assert.equal(backend.last_error, words);
      assert.equal(backend.routable, false);
      assert.deepEqual(backend.models, []);
      // What the kernel of both sides had buffered counts as written.
      assert.ok(written < 16 * 1024 * 1024, `${written} bytes`);
      await remove(product, `/api/v1/backends/${id}`);
    });
  }
});

it('after all of this no lease is held and nothing was clamped', async () => {
  await until('no request in flight', async () => {
    const backends = [await backendOf(product, 'crooked'), await backendOf(product, 'straight')];
    return backends.every((backend) => backend.pending_requests === 0);
  });
  const metrics = await metricsOf(product);
  assert.equal(sumOf(metrics, 'tensorforge_pending_clamped_total'), 0);
  const { total_requests } = await backendOf(product, 'crooked');
  assert.equal(total_requests, crooked.asked.length);
});
