// Goal: a client of OpenAI's chat interface does not notice that a provider speaks another one.
// Method: OpenAI's official client at the front door, simulated engines with the faces of Anthropic
// and Google behind it, and scripted backends where bytes and headers are looked at.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { Secret } from '../../src/base/secret.ts';
import type { SimFace } from '../../src/protocol/sim/faces.ts';
import { type RunningSim, startSim } from '../../src/services/sim/sim-server.ts';
import {
  ask,
  backendOf,
  backendsOf,
  chat,
  errorOf,
  eventsOf,
  jsonAnswer,
  type ModelScript,
  startModelScript,
  until,
} from '../support/inference.ts';
import { type Product, startProduct } from '../support/product.ts';

const ourKey = 'our-own-key';
const keyEnv = 'TENSORFORGE_BACKEND_KEY_CLOUD';
const cloud = { api_key_env: keyEnv, priority: 0 };
const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

let product: Product;
let client: OpenAI;
let anthropic: RunningSim;
let google: RunningSim;
let local: RunningSim;
let untouched: ModelScript;
let scripted: ModelScript;
let scriptedAnswer = '';

const untouchedAnswer =
  '{ "id":"x","choices" : [{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"c\\u0031","type":"function","function":{"name":"f","arguments":"{ \\"a\\" : 1.50 }"}}]},"finish_reason":"tool_calls"}] }';

function startFace(as: SimFace, models: readonly string[], apiKey?: Secret): Promise<RunningSim> {
  return startSim({ as, models, apiKey, port: 0, profile: 'h100-7b', speed: 50, seed: 1 });
}

before(async () => {
  const secret = new Secret(ourKey);
  anthropic = await startFace('anthropic', ['claude-sonnet-4-5', 'shared'], secret);
  google = await startFace('google', ['gemini-1.5-pro'], secret);
  local = await startFace('vllm', ['shared']);
  untouched = await startModelScript(['untouched'], ({ socket }) =>
    socket.write(jsonAnswer(200, untouchedAnswer)),
  );
  scripted = await startModelScript(['claude-scripted'], ({ socket }) =>
    socket.write(scriptedAnswer),
  );
  product = await startProduct({
    sims: [],
    backends: [
      { name: 'anthropic', url: anthropic.url, type: 'anthropic', ...cloud },
      { name: 'google', url: google.url, type: 'google', ...cloud },
      { name: 'scripted', url: scripted.url, type: 'anthropic', ...cloud },
      { name: 'local', url: local.url, type: 'vllm', priority: 100 },
      { name: 'untouched', url: untouched.url, type: 'generic' },
    ],
    // Clouds fail on purpose, and are asked again in the next test.
    config: { health_check: { interval_seconds: 3600 }, breaker: { ejected_percent: 0 } },
    env: { [keyEnv]: ourKey },
  });
  client = new OpenAI({ baseURL: `${product.url}/v1`, apiKey: product.adminKey, maxRetries: 0 });
  await until('all backends take requests', async () =>
    (await backendsOf(product)).every(({ routable }) => routable),
  );
});

after(async () => {
  await product?.stop();
  await Promise.all([anthropic, google, local].map((sim) => sim?.stop()));
  await Promise.all([untouched, scripted].map((script) => script?.close()));
});

/** Paths that answer questions; those that probes ask would use a fault up. */
const askedPaths = ['/v1/messages', '/v1beta/models/', '/v1/chat/completions'];

async function breakNext(sim: RunningSim, fault: Readonly<Record<string, unknown>>): Promise<void> {
  const answer = await fetch(`${sim.url}/sim/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ count: 1, paths: askedPaths, ...fault }),
  });
  assert.equal(answer.status, 201, await answer.text());
}

const tool = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
    },
  },
};

for (const [face, model] of [
  ['anthropic', 'claude-sonnet-4-5'],
  ['google', 'gemini-1.5-pro'],
] as const) {
  describe(face, () => {
    const question = {
      model,
      max_tokens: 12,
      messages: [
        { role: 'system' as const, content: 'Be brief.' },
        { role: 'user' as const, content: 'Grüße, 你好' },
      ],
    };

    it('answers whole and streamed with the same text and usage', async () => {
      const whole = await client.chat.completions.create(question);
      const text = whole.choices[0]?.message.content ?? '';
      assert.ok(text.length > 10);
      assert.equal(whole.object, 'chat.completion');
      assert.equal(whole.model, model);
      assert.equal(whole.choices[0]?.finish_reason, 'length');
      assert.equal(whole.usage?.completion_tokens, 12);
      const stream = await client.chat.completions.create({
        ...question,
        stream: true,
        stream_options: { include_usage: true },
      });
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      assert.equal(chunks[0]?.choices[0]?.delta.role, 'assistant');
      assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), text);
      assert.equal(chunks.at(-2)?.choices[0]?.finish_reason, 'length');
      assert.deepEqual(chunks.at(-1)?.usage?.total_tokens, whole.usage?.total_tokens);
    });

    it('calls tools, whole and streamed, and takes their results', async () => {
      const asked = {
        ...question,
        tools: [tool],
        tool_choice: 'required' as const,
        max_tokens: 200,
      };
      const whole = await client.chat.completions.create(asked);
      const message = whole.choices[0]?.message;
      assert.equal(whole.choices[0]?.finish_reason, 'tool_calls');
      const call = message?.tool_calls?.[0];
      assert.ok(message !== undefined && call?.type === 'function');
      assert.equal(call.function.name, 'get_weather');
      assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');

      const runner = client.chat.completions.stream({ ...asked, stream: true });
      const streamed = (await runner.finalChatCompletion()).choices[0];
      assert.equal(streamed?.finish_reason, 'tool_calls');
      const streamedCall = streamed?.message.tool_calls?.[0];
      assert.ok(streamedCall?.type === 'function');
      assert.deepEqual(streamedCall.function.name, call.function.name);
      assert.deepEqual(
        JSON.parse(streamedCall.function.arguments),
        JSON.parse(call.function.arguments),
      );

      const result = { role: 'tool' as const, tool_call_id: call.id, content: 'sunny' };
      const last = await client.chat.completions.create({
        ...question,
        tools: [tool],
        messages: [...question.messages, message, result],
      });
      assert.ok((last.choices[0]?.message.content ?? '').length > 0);
    });

    it('sees images', async () => {
      const text = (await client.chat.completions.create(question)).usage?.prompt_tokens ?? 0;
      const seen = await client.chat.completions.create({
        ...question,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Hi' },
              { type: 'image_url', image_url: { url: pixel } },
            ],
          },
        ],
      });
      assert.ok((seen.usage?.prompt_tokens ?? 0) > text + 50, 'the image is counted');
    });

    it('is told what it cannot do before anything is sent', async () => {
      const sim = face === 'anthropic' ? anthropic : google;
      const asked = sim.stats().requests_total;
      const answer = await ask(product, chat(model, { n: 2 }));
      assert.equal(answer.status, 400);
      assert.equal(errorOf(answer.text).code, 'unsupported_parameter');
      assert.equal(errorOf(answer.text).param, 'n');
      assert.equal(answer.headers['x-should-retry'], 'false');
      assert.equal(sim.stats().requests_total, asked);
    });

    it('keeps status, words and Retry-After of an error, but for one about our key', async () => {
      const sim = face === 'anthropic' ? anthropic : google;
      await breakNext(sim, { kind: '429', retry_after: 7 });
      const limited = await ask(product, chat(model));
      assert.equal(limited.status, 429, limited.text);
      assert.equal(limited.headers['retry-after'], '7');
      assert.equal(errorOf(limited.text).code, 'rate_limit_exceeded');
      assert.match(errorOf(limited.text).message, /Rate limit reached/);
      await breakNext(sim, { kind: '401' });
      const denied = await ask(product, chat(model));
      assert.equal(denied.status, 502);
      assert.equal(errorOf(denied.text).code, 'upstream_auth_failed');
    });

    it('that breaks behind the first byte ends in one error event', async () => {
      const sim = face === 'anthropic' ? anthropic : google;
      await breakNext(sim, { kind: 'cut_stream', after_chunks: 2 });
      const answer = await ask(product, chat(model, { max_tokens: 2000, stream: true }));
      assert.equal(answer.status, 200);
      assert.ok(answer.isWhole);
      const events = eventsOf(answer.text);
      assert.equal(events.filter((event) => event.includes('"error"')).length, 1);
      assert.equal(events.at(-1), '[DONE]');
    });
  });
}

describe('a model that a cloud and a local backend have', () => {
  /** On a loaded machine the probe that a cut answer calls for may find nobody in time. */
  async function isThere(id: string): Promise<void> {
    await until(`${id} takes requests`, async () => {
      if ((await backendOf(product, id)).routable) return true;
      await product.json(`/api/v1/backends/${id}/probe`, { method: 'POST', body: '{}' });
      return false;
    });
  }

  async function isServedBy(backend: string, attempts: string, more: object): Promise<void> {
    await isThere('anthropic');
    const answer = await ask(product, chat('shared', { max_tokens: 4, ...more }));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['x-tensorforge-backend'], backend);
    assert.equal(answer.headers['x-tensorforge-attempts'], attempts);
  }

  it('fails over when the cloud fails, whole and streamed', async () => {
    await isServedBy('anthropic', '1', {});
    for (const stream of [false, true]) {
      for (const kind of ['500', 'cut_stream', 'invalid_json', '429', '401']) {
        await breakNext(anthropic, { kind, ...(kind === 'cut_stream' ? { after_chunks: 0 } : {}) });
        await isServedBy('local', '2', { stream });
      }
    }
  });

  it('goes to the local one for what the cloud cannot do', async () => {
    const asked = anthropic.stats().requests_total;
    await isServedBy('local', '2', { temperature: 1.5 });
    assert.equal(anthropic.stats().requests_total, asked);
  });
});

describe('bytes on the wire', () => {
  it('show our key in the header of the provider, and nothing of the client’s', async () => {
    const content = [{ type: 'text', text: 'Hi' }];
    const message = { id: 'msg_1', type: 'message', role: 'assistant', content };
    scriptedAnswer = jsonAnswer(200, JSON.stringify({ ...message, stop_reason: 'end_turn' }));
    const answer = await ask(product, chat('claude-scripted'), {
      headers: { 'x-api-key': product.adminKey, authorization: undefined, cookie: 'a=b' },
    });
    assert.equal(answer.status, 200, answer.text);
    const asked = scripted.asked.at(-1);
    assert.match(asked?.head ?? '', /^POST \/v1\/messages HTTP\/1\.1\r\n/);
    assert.match(asked?.head ?? '', /\r\nx-api-key: our-own-key\r\nanthropic-version: 2023-06-01/);
    assert.ok(!/authorization|cookie/i.test(asked?.head ?? ''));
    assert.ok(!`${asked?.head}${asked?.body}`.includes(product.adminKey));
  });

  it('that are no message of the provider become a bad gateway', async () => {
    scriptedAnswer = jsonAnswer(200, '{"object":"list"}');
    const answer = await ask(product, chat('claude-scripted'));
    assert.equal(answer.status, 502);
    assert.match(errorOf(answer.text).message, /no message/);
  });

  it('stay as they are, both ways, where the backend speaks the same interface', async () => {
    const body =
      '{ "model" : "untouched", "messages":[{"role":"user","content":"\\u00e9"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{ \\"a\\" : 1.50 , \\"id\\":12345678901234567890}"}}]},{"role":"tool","tool_call_id":"c1","content":"x"}],"seed":1.0,"top_k":5 }';
    const answer = await ask(product, body);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(untouched.asked.at(-1)?.body, body);
    assert.equal(answer.text, untouchedAnswer);
  });

  it('ask no provider for an embedding that it has not', async () => {
    const body = JSON.stringify({ model: 'claude-sonnet-4-5', input: 'x' });
    const answer = await ask(product, body, { path: '/v1/embeddings' });
    assert.ok(answer.status === 400 || answer.status === 501, `${answer.status} ${answer.text}`);
  });
});
