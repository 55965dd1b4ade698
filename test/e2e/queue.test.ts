// Goal: while every backend of a model is at its capacity, requests wait and are answered in order,
// instead of being refused; and who cannot wait hears why. Method: backends of capacity 1 that answer
// when the test says so, and two gateway threads, so that requests wait on both.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import {
  type Answer,
  type Asked,
  ask,
  chat,
  chunk,
  createKey,
  delta,
  errorOf,
  jsonAnswer,
  lastChunk,
  type ModelScript,
  metricsOf,
  plainAnswer,
  startModelScript,
  streamHead,
  sumOf,
  until,
} from '../support/inference.ts';
import { type Product, startProduct } from '../support/product.ts';

let product: Product;
const scripts: ModelScript[] = [];
/** What the backend of a model was asked and has not answered. */
const open = new Map<string, Asked[]>();

async function slowBackend(model: string) {
  const asked: Asked[] = [];
  open.set(model, asked);
  const script = await startModelScript([model], (one) => asked.push(one));
  scripts.push(script);
  return { name: model, url: script.url, type: 'generic', capacity: 1 };
}

before(async () => {
  const models = ['ordered', 'shared', 'hot', 'cold', 'streamed', 'late', 'left', 'stopped'];
  product = await startProduct({
    sims: [],
    backends: await Promise.all(models.map(slowBackend)),
    config: {
      server: { threads: 2 },
      queue: { max_size: 20, max_wait_seconds: 3, ping_seconds: 1 },
    },
  });
});

after(async () => {
  // The backends first: what a failed test left open ends with them.
  await Promise.all(scripts.map((script) => script.close()));
  await product.stop();
});

const waiting = async (): Promise<number> =>
  (await metricsOf(product)).get('tensorforge_queue_depth') ?? 0;

const queued = (count: number): Promise<void> =>
  until(`${count} requests wait`, async () => (await waiting()) === count);

/** Waits until the backend has a request that is not answered, and gives it. */
async function nextAsked(model: string): Promise<Asked> {
  const asked = open.get(model) ?? [];
  await until(`the backend of ${model} is asked`, () => asked.length > 0);
  return asked.shift() as Asked;
}

const answered = (one: Asked): void => void one.socket.write(jsonAnswer(200, plainAnswer));

/** The label that the request carries as its only message. */
const labelOf = ({ body }: Asked): string => /"label ([^"]+)"/.exec(body)?.[1] ?? '?';

function labelled(model: string, label: string): string {
  return chat(model, { messages: [{ role: 'user', content: `label ${label}` }] });
}

/** Occupies the backend, then sends the others, each once the one before it waits. */
async function line(
  model: string,
  requests: readonly {
    readonly label: string;
    readonly priority?: string;
    readonly key?: string;
  }[],
) {
  const answers: Promise<Answer>[] = [ask(product, labelled(model, 'first'))];
  await until('the backend is busy', () => (open.get(model) ?? []).length === 1);
  for (const [at, { label, priority, key }] of requests.entries()) {
    const headers = priority === undefined ? {} : { 'x-tensorforge-priority': priority };
    answers.push(ask(product, labelled(model, label), { headers, ...(key && { key }) }));
    await queued(at + 1);
  }
  return answers;
}

/** Answers so many requests, one after the other; their labels in the order of the backend. */
async function serve(model: string, count: number): Promise<string[]> {
  const labels: string[] = [];
  for (let i = 0; i < count; i++) {
    const one = await nextAsked(model);
    assert.equal(open.get(model)?.length, 0, 'the backend has one request at a time');
    labels.push(labelOf(one));
    answered(one);
  }
  return labels;
}

describe('the queue of the gateway', { concurrency: false }, () => {
  it('holds ten requests instead of refusing, and serves them by class', async () => {
    const classes = ['1', '3', '5', '2', '4', '3', '1', '5', '4', '2'];
    const requests = classes.map((priority, at) => ({ label: `${priority}.${at}`, priority }));
    const answers = await line('ordered', requests);
    const labels = await serve('ordered', requests.length + 1);
    const whole = await Promise.all(answers);
    assert.deepEqual(new Set(whole.map(({ status }) => status)), new Set([200]));
    const order = labels.slice(1).map((label) => Number(label[0]));
    assert.deepEqual(
      order,
      [...order].sort((a, b) => b - a),
    );
    assert.ok(whole.every(({ headers }) => Number(headers['x-tensorforge-queue-ms']) >= 0));
    assert.equal(await waiting(), 0);
  });

  it('lets two keys take turns, however much one asks for', async () => {
    const [one, two] = [
      await createKey(product, { name: 'one' }),
      await createKey(product, { name: 'two' }),
    ];
    const much = Array.from({ length: 6 }, () => ({ label: 'much', key: one.secret }));
    const less = Array.from({ length: 3 }, () => ({ label: 'less', key: two.secret }));
    const answers = await line('shared', [...much, ...less]);
    const labels = await serve('shared', 10);
    await Promise.all(answers);
    const atEnd = labels.slice(-3).filter((label) => label === 'less').length;
    assert.ok(atEnd <= 1, `those who came last did not wait for all the others: ${labels}`);
  });

  it('does not hold up a model because another is full', async () => {
    const answers = await line('hot', [{ label: 'waits' }]);
    const cold = ask(product, labelled('cold', 'cold'));
    answered(await nextAsked('cold'));
    assert.equal((await cold).status, 200);
    await serve('hot', 2);
    await Promise.all(answers);
  });

  it('tells who found no place how long to stay away, and who waited too long that it did', async () => {
    const requests = Array.from({ length: 18 }, (_, i) => ({ label: `${i}` }));
    const answers = await line('late', requests);
    const refused = await ask(product, labelled('late', 'beyond'));
    assert.equal(refused.status, 503);
    assert.equal(errorOf(refused.text).context?.reason, 'queue_full');
    const seconds = Number(refused.headers['retry-after']);
    assert.ok(seconds >= 1 && seconds <= 30, `retry-after ${seconds}`);
    const late = await Promise.all(answers.slice(1));
    for (const answer of late) {
      assert.equal(answer.status, 503);
      assert.equal(errorOf(answer.text).context?.reason, 'queue_timeout');
      assert.equal(answer.headers['retry-after'], '3');
    }
    await serve('late', 1);
    assert.equal(
      scripts.find(({ asked }) => asked.some((a) => labelOf(a) === '0')),
      undefined,
    );
  });

  it('sends who cannot have its first token in time away before that costs anything', async () => {
    const first = ask(product, labelled('left', 'first'));
    const one = await nextAsked('left');
    const hurried = await ask(product, labelled('left', 'hurried'), {
      headers: { 'x-tensorforge-slo-ttft-ms': '100' },
    });
    assert.equal(hurried.status, 503);
    assert.match(errorOf(hurried.text).message, /first token/);
    answered(one);
    await first;
  });

  it('forgets who disconnects while it waits', async () => {
    const first = ask(product, labelled('left', 'first'));
    const one = await nextAsked('left');
    const gone = send(labelled('left', 'gone'));
    gone.on('error', () => {});
    await queued(1);
    gone.destroy();
    await queued(0);
    answered(one);
    await first;
    assert.equal(open.get('left')?.length, 0);
  });

  it('comforts a stream that waits, and tells it later within the stream what came of it', async () => {
    const first = ask(product, labelled('streamed', 'first'));
    const one = await nextAsked('streamed');
    const [served, failed] = await Promise.all([
      openStream(labelledStream('served')),
      openStream(labelledStream('failed'), { 'x-tensorforge-priority': 'low' }),
    ]);
    assert.equal(served.answer.statusCode, 200);
    assert.match(served.text(), /^: ping\n\n/);
    answered(one);
    await first;
    const stream = await nextAsked('streamed');
    stream.socket.write(streamHead + chunk(delta('Hi')) + chunk('data: [DONE]\n\n') + lastChunk);
    await served.ended;
    assert.match(served.text(), /Hi[\s\S]*\[DONE\]/);
    const unlucky = await nextAsked('streamed');
    unlucky.socket.write(jsonAnswer(500, '{"error":{"message":"no"}}'));
    await failed.ended;
    assert.match(failed.text(), /^(: ping\n\n)+data: \{"error"/);
    assert.ok(sumOf(await metricsOf(product), 'tensorforge_queue_wait_seconds_count') > 0);
  });

  it('answers everybody who waits when the process stops', async () => {
    const answers = await line('stopped', [{ label: 'a' }, { label: 'b' }]);
    const ended = product.signal('SIGTERM');
    const waited = await Promise.all(answers.slice(1));
    for (const answer of waited) {
      assert.equal(answer.status, 503);
      assert.equal(errorOf(answer.text).context?.reason, 'shutting_down');
      assert.equal(answer.headers['retry-after'], '5');
    }
    await serve('stopped', 1);
    assert.equal((await answers[0])?.status, 200);
    await ended;
  });
});

function labelledStream(label: string): string {
  const messages = [{ role: 'user', content: `label ${label}` }];
  return chat('streamed', { messages, stream: true });
}

function send(body: string, headers: Readonly<Record<string, string>> = {}): ClientRequest {
  const sent = httpRequest({
    host: '127.0.0.1',
    port: product.port,
    method: 'POST',
    path: '/v1/chat/completions',
    agent: false,
    headers: {
      authorization: `Bearer ${product.adminKey}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      ...headers,
    },
  });
  sent.end(body);
  return sent;
}

/** Resolves with the first bytes of the body. */
async function openStream(body: string, headers: Readonly<Record<string, string>> = {}) {
  const [answer] = (await once(send(body, headers), 'response')) as [IncomingMessage];
  let text = '';
  answer.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  const ended = once(answer, 'end');
  await once(answer, 'data');
  return { answer, ended, text: () => text };
}
