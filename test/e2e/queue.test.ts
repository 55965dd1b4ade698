// Goal: while every backend of a model is at its capacity, requests wait and are answered in order,
// instead of being refused; and who cannot wait hears why. Method: backends of capacity 1 that answer
// when the test says so. Order is looked at on one gateway thread: between threads it is kept as long as
// none of them stands still (services/gateway/waiting-room.test.ts). Places and time-outs are looked at on
// two, so that requests wait on both.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { decisionSchema } from '../../src/protocol/control/schemas.ts';
import {
  type Answer,
  type Asked,
  ask,
  chat,
  chunk,
  createKey,
  decisionsOf,
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
  const models = ['ordered', 'shared', 'hot', 'cold', 'streamed', 'left', 'stopped'];
  product = await startProduct({
    sims: [],
    backends: await Promise.all(models.map(slowBackend)),
    config: {
      server: { threads: 1 },
      queue: { max_size: 20, max_wait_seconds: 120, ping_seconds: 1 },
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

  it('says of each how long it stood there and how that ended', async () => {
    const [newest] = (await decisionsOf(product)).filter(({ model }) => model === 'ordered');
    const { body } = await product.json(`/api/v1/decisions/${newest?.request_id}`);
    const { queue = [], again } = decisionSchema.parse(body);
    assert.equal(again, 'same');
    assert.deepEqual(
      queue.map(({ ended, size_max: places }) => [ended, places]),
      [['placed', 20]],
    );
    assert.match(queue[0]?.words ?? '', /^waited .* ms, then a backend took it: \d+ of 20 places/);
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

const waitSeconds = 10;

it('tells who found no place how long to stay away, and who waited too long that it did', async (t) => {
  const late = await startProduct({
    sims: [],
    backends: [await slowBackend('late')],
    config: { server: { threads: 2 }, queue: { max_size: 5, max_wait_seconds: waitSeconds } },
  });
  t.after(() => late.stop());
  const depth = async () => (await metricsOf(late)).get('tensorforge_queue_depth') ?? 0;
  const first = ask(late, labelled('late', 'first'));
  const one = await nextAsked('late');
  const waiters: Promise<Answer>[] = [];
  let refused: Answer | undefined;
  while (refused === undefined) {
    const answer = ask(late, labelled('late', `${waiters.length}`)).then((answer) => {
      if (errorOf(answer.text).context?.reason === 'queue_full') refused = answer;
      return answer;
    });
    const wanted = waiters.length + 1;
    await until('it waits or is refused', async () => {
      return refused !== undefined || (await depth()) === wanted;
    });
    if (refused === undefined) waiters.push(answer);
  }
  assert.ok(waiters.length >= 1 && waiters.length <= 5, `${waiters.length} found a place`);
  assert.equal(refused.status, 503);
  const seconds = Number(refused.headers['retry-after']);
  assert.ok(seconds >= 1 && seconds <= 30, `retry-after ${seconds}`);
  for (const answer of await Promise.all(waiters)) {
    assert.equal(answer.status, 503);
    assert.equal(errorOf(answer.text).context?.reason, 'queue_timeout');
    assert.equal(answer.headers['retry-after'], String(waitSeconds));
  }
  answered(one);
  assert.equal((await first).status, 200);
  assert.equal(open.get('late')?.length, 0, 'nobody who waited was sent');
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
