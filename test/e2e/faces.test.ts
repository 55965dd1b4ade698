// Goal: clients of Anthropic and Ollama reach any backend through the front door, under the same rules
// as OpenAI's clients: key, models, limits, failover, decisions.
// Method: the official clients, simulated engines and one of Anthropic's own behind the product, and a
// scripted backend where every byte of an answer matters.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { Ollama } from 'ollama';
import { Secret } from '../../src/base/secret.ts';
import { type RunningSim, startSim } from '../../src/services/sim/sim-server.ts';
import {
  ask,
  backendOf,
  backendsOf,
  chunk,
  createKey,
  decisionsOf,
  jsonAnswer,
  lastChunk,
  type ModelScript,
  startModelScript,
  streamHead,
  until,
} from '../support/inference.ts';
import { type Product, startProduct } from '../support/product.ts';

const keyEnv = 'TENSORFORGE_BACKEND_KEY_CLOUD';
const ourKey = 'our-own-key';
const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
/** Everything that parsing and printing again would change. */
const oddArguments =
  '{"2":1.0,"1":1e400,"id":12345678901234567890,"name":"caf\\u00e9","a":{"b": [1.50, -0.0]}}';

let product: Product;
let claude: Anthropic;
let ollama: Ollama;
let anthropic: RunningSim;
let scripted: ModelScript;
let scriptedAnswer = '';

function anthropicClient(apiKey: string): Anthropic {
  return new Anthropic({ baseURL: product.url, apiKey, maxRetries: 0 });
}

function ollamaClient(key: string): Ollama {
  return new Ollama({ host: product.url, headers: { authorization: `Bearer ${key}` } });
}

before(async () => {
  anthropic = await startSim({
    as: 'anthropic',
    models: ['claude-sim'],
    apiKey: new Secret(ourKey),
    port: 0,
    profile: 'h100-7b',
    speed: 50,
    seed: 1,
  });
  scripted = await startModelScript(['scripted'], ({ socket }) => socket.write(scriptedAnswer));
  product = await startProduct({
    sims: [
      { name: 'sim-a', models: ['sim-model', 'both'] },
      { name: 'sim-b', models: ['both'] },
      { name: 'sim-slow', models: ['slow-model'], speed: 0.2 },
    ],
    backends: [
      { name: 'claude', url: anthropic.url, type: 'anthropic', api_key_env: keyEnv },
      { name: 'scripted', url: scripted.url, type: 'generic' },
    ],
    config: {
      discovery: {
        enabled: false,
        model_facts: [{ model: 'sim-model', vision: true }],
      },
      health_check: { interval_seconds: 3600 },
    },
    env: { [keyEnv]: ourKey },
  });
  claude = anthropicClient(product.adminKey);
  ollama = ollamaClient(product.adminKey);
  await until('all backends take requests', async () =>
    (await backendsOf(product)).every(({ routable }) => routable),
  );
});

after(async () => {
  await product?.stop();
  await anthropic?.stop();
  await scripted?.close();
});

const tool = {
  type: 'object' as const,
  properties: { city: { type: 'string' } },
  required: ['city'],
};

function toolAnswer(): string {
  const call = { id: 'call_7', type: 'function', function: { name: 'f', arguments: oddArguments } };
  const message = { role: 'assistant', content: null, tool_calls: [call] };
  const choices = [{ index: 0, message, finish_reason: 'tool_calls' }];
  return jsonAnswer(
    200,
    JSON.stringify({ choices, usage: { prompt_tokens: 9, completion_tokens: 4 } }),
  );
}

function toolStream(): string {
  const event = (delta: object, finish: string | null): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const call = (index: number, more: object): object => ({ tool_calls: [{ index, ...more }] });
  const named = { id: 'call_7', type: 'function', function: { name: 'f', arguments: '' } };
  const pieces = [oddArguments.slice(0, 11), oddArguments.slice(11)];
  return (
    streamHead +
    chunk(event({ role: 'assistant', content: '' }, null) + event(call(0, named), null)) +
    pieces.map((text) => chunk(event(call(0, { function: { arguments: text } }), null))).join('') +
    chunk(`${event({}, 'tool_calls')}data: [DONE]\n\n`) +
    lastChunk
  );
}

describe('Anthropic', () => {
  for (const model of ['sim-model', 'claude-sim']) {
    const question = {
      model,
      max_tokens: 12,
      system: 'Be brief.',
      messages: [{ role: 'user' as const, content: 'Grüße, 你好' }],
    };

    it(`${model} answers whole and streamed with the same text and usage`, async () => {
      const whole = await claude.messages.create(question);
      const [block] = whole.content;
      assert.ok(block?.type === 'text' && block.text.length > 10);
      assert.equal(whole.model, model);
      assert.equal(whole.stop_reason, 'max_tokens');
      assert.equal(whole.usage.output_tokens, 12);
      assert.match(whole._request_id ?? '', /^[0-9a-f-]{36}$/);
      const stream = claude.messages.stream(question);
      const streamed = await stream.finalMessage();
      assert.deepEqual(streamed.content, whole.content);
      assert.equal(streamed.stop_reason, 'max_tokens');
      assert.equal(streamed.usage.input_tokens, whole.usage.input_tokens);
      assert.equal(streamed.usage.output_tokens, 12);
    });

    if (model !== 'claude-sim') continue;
    it(`${model} calls tools, whole and streamed, and takes their results`, async () => {
      const asked = {
        ...question,
        max_tokens: 200,
        tools: [{ name: 'get_weather', input_schema: tool }],
        tool_choice: { type: 'any' as const },
      };
      const whole = await claude.messages.create(asked);
      const call = whole.content.find((block) => block.type === 'tool_use');
      assert.equal(whole.stop_reason, 'tool_use');
      assert.ok(call?.type === 'tool_use' && call.name === 'get_weather');
      const streamed = await claude.messages.stream(asked).finalMessage();
      const streamedCall = streamed.content.find((block) => block.type === 'tool_use');
      assert.ok(streamedCall?.type === 'tool_use');
      assert.deepEqual(streamedCall.input, call.input);
      const last = await claude.messages.create({
        ...question,
        tools: asked.tools,
        messages: [
          ...question.messages,
          { role: 'assistant', content: [{ ...call, type: 'tool_use' }] },
          {
            role: 'user',
            content: [{ type: 'tool_result', tool_use_id: call.id, content: 'sunny' }],
          },
        ],
      });
      assert.ok(last.content.length > 0);
    });
  }

  it('the arguments of a tool keep every byte, whole and streamed', async () => {
    const body = JSON.stringify({
      model: 'scripted',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'x' }],
    });
    scriptedAnswer = toolAnswer();
    const whole = await ask(product, body, { path: '/v1/messages' });
    assert.equal(whole.status, 200, whole.text);
    assert.ok(whole.text.includes(`"input":${oddArguments}}`), whole.text);
    scriptedAnswer = toolStream();
    const stream = await ask(product, body.replace('{', '{"stream":true,'), {
      path: '/v1/messages',
    });
    const pieces = [...stream.text.matchAll(/"partial_json":("(?:[^"\\]|\\.)*")/g)];
    assert.equal(pieces.map(([, text]) => JSON.parse(text ?? '""')).join(''), oddArguments);
    const read = await claude.messages
      .stream({ model: 'scripted', max_tokens: 9, messages: [{ role: 'user', content: 'x' }] })
      .finalMessage();
    assert.equal(read.stop_reason, 'tool_use');
    assert.ok(read.content[0]?.type === 'tool_use' && read.content[0].id === 'call_7');
  });

  it('what a client said in its own words reaches the engine so', async () => {
    scriptedAnswer = jsonAnswer(200, '{"choices":[{"message":{"content":"ok"}}]}');
    const input = `{"type":"tool_use","id":"a","name":"f","input":${oddArguments.replace('1e400', '1e4')}}`;
    const body = `{"model":"scripted","max_tokens":9,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[${input}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"y"}]}]}`;
    const answer = await ask(product, body, { path: '/v1/messages' });
    assert.equal(answer.status, 200, answer.text);
    const sent = JSON.parse(scripted.asked.at(-1)?.body ?? '{}');
    assert.equal(
      sent.messages[1].tool_calls[0].function.arguments,
      oddArguments.replace('1e400', '1e4'),
    );
  });

  it('counts tokens without a backend', async () => {
    const seen = product.sims[0]?.stats().requests_total;
    const counted = await claude.messages.countTokens({
      model: 'sim-model',
      messages: [{ role: 'user', content: 'x'.repeat(400) }],
    });
    assert.equal(counted.input_tokens, 100);
    assert.equal(product.sims[0]?.stats().requests_total, seen);
    await assert.rejects(
      claude.messages.countTokens({ model: 'none', messages: [{ role: 'user', content: 'x' }] }),
      Anthropic.NotFoundError,
    );
  });

  it('an image in the body passes, one at an address is refused for an engine of ours', async () => {
    const image = (source: Anthropic.ImageBlockParam['source']) =>
      claude.messages.create({
        model: 'sim-model',
        max_tokens: 3,
        messages: [{ role: 'user', content: [{ type: 'image', source }] }],
      });
    await image({ type: 'base64', media_type: 'image/png', data: pixel });
    await assert.rejects(image({ type: 'url', url: 'http://10.0.0.1/x.png' }), (error) => {
      assert.ok(error instanceof Anthropic.BadRequestError);
      assert.equal(error.type, 'invalid_request_error');
      return true;
    });
  });

  it('case 131, and other failures: its envelope for unknown model, bad key, key without the right', async () => {
    const limited = await createKey(product, { name: 'reader', permissions: ['models:read'] });
    const question = { model: 'sim-model', max_tokens: 3, messages: [] };
    const asked = { ...question, messages: [{ role: 'user' as const, content: 'x' }] };
    const failure = async (client: Anthropic, body: typeof asked): Promise<string> => {
      try {
        await client.messages.create(body);
      } catch (error) {
        assert.ok(error instanceof Anthropic.APIError, String(error));
        return `${error.status} ${error.type}`;
      }
      return 'no failure';
    };
    assert.equal(await failure(claude, { ...asked, model: 'none' }), '404 not_found_error');
    assert.equal(await failure(claude, { ...asked, messages: [] }), '400 invalid_request_error');
    assert.equal(await failure(anthropicClient('tfk_wrong'), asked), '401 authentication_error');
    assert.equal(await failure(anthropicClient(limited.secret), asked), '403 permission_error');
  });

  it('a backend that fails before its first byte is replaced, and the decision names the path', async () => {
    const messages = [{ role: 'user' as const, content: 'x' }];
    const asking = JSON.stringify({ model: 'both', max_tokens: 3, messages, stream: true });
    const before = await ask(product, asking, { path: '/v1/messages' });
    const serving = product.sims.find(({ id }) => id === before.headers['x-tensorforge-backend']);
    const broken = await fetch(`${serving?.url}/sim/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ kind: '500', count: 1, paths: ['/v1/chat'] }),
    });
    assert.equal(broken.status, 201);
    // The fault waits for the next request that goes there.
    await until('a request was served by the other one', async () => {
      const answer = await ask(product, asking, { path: '/v1/messages' });
      assert.match(answer.text, /event: message_stop/);
      return answer.headers['x-tensorforge-attempts'] === '2';
    });
    await until('the decision is told', async () =>
      (await decisionsOf(product)).some(
        ({ path, attempts }) => path === '/v1/messages' && attempts === 2,
      ),
    );
  });

  it('an abort frees the backend', async () => {
    const stream = claude.messages.stream({
      model: 'slow-model',
      max_tokens: 2000,
      messages: [{ role: 'user', content: 'tell me much' }],
    });
    const gone = stream.done().catch(() => undefined);
    await new Promise<void>((resolve) => stream.once('text', () => resolve()));
    stream.abort();
    await gone;
    await until('nothing runs there', async () => {
      const backend = await backendOf(product, 'sim-slow');
      return backend.pending_requests === 0;
    });
  });
});

describe('Ollama', () => {
  const messages = [{ role: 'user', content: 'Grüße, 你好' }];
  const options = { num_predict: 12 };

  it('chat answers whole and streamed with the same text and counts', async () => {
    const whole = await ollama.chat({ model: 'sim-model', messages, options });
    assert.ok(whole.message.content.length > 10);
    assert.equal(whole.done_reason, 'length');
    assert.equal(whole.eval_count, 12);
    let text = '';
    let last: unknown;
    for await (const part of await ollama.chat({
      model: 'sim-model',
      messages,
      options,
      stream: true,
    })) {
      text += part.message.content;
      last = part;
    }
    assert.equal(text, whole.message.content);
    assert.equal((last as { eval_count: number }).eval_count, 12);
    assert.equal(
      (last as { prompt_eval_count: number }).prompt_eval_count,
      whole.prompt_eval_count,
    );
  });

  it('generate answers a prompt, and a model goes by its name with and without :latest', async () => {
    const { response } = await ollama.generate({
      model: 'sim-model:latest',
      prompt: 'Hi',
      options,
    });
    assert.ok((response ?? '').length > 10);
  });

  it('the arguments of a tool keep every byte, whole and streamed', async () => {
    for (const [stream, answer] of [
      [false, toolAnswer()],
      [true, toolStream()],
    ] as const) {
      scriptedAnswer = answer;
      const body = JSON.stringify({ model: 'scripted', messages, stream });
      const told = await ask(product, body, { path: '/api/chat' });
      assert.ok(told.text.includes(`"arguments":${oddArguments}}`), told.text);
    }
    let calls = 0;
    for await (const part of await ollama.chat({ model: 'scripted', messages, stream: true })) {
      calls += part.message.tool_calls?.length ?? 0;
    }
    assert.equal(calls, 1);
  });

  it('embeds texts in both forms', async () => {
    const { embeddings } = await ollama.embed({ model: 'sim-model', input: ['a', 'b'] });
    assert.deepEqual(
      embeddings.map((vector) => vector.length),
      [384, 384],
    );
    const { embedding } = await ollama.embeddings({ model: 'sim-model', prompt: 'b' });
    assert.deepEqual(embedding, embeddings[1]);
  });

  it('tells models, versions and facts from what it knows', async () => {
    const names = (await ollama.list()).models.map(({ name }) => name);
    assert.deepEqual(names, ['both', 'claude-sim', 'scripted', 'sim-model', 'slow-model']);
    assert.ok((await ollama.ps()).models.length > 0);
    assert.match((await ollama.version()).version, /^\d/);
    const shown = await ollama.show({ model: 'sim-model' });
    assert.ok(shown.capabilities.includes('completion'));
  });

  it('case 131, and other failures: its envelope; what controls an engine is refused', async () => {
    const limited = await createKey(product, { name: 'caller', permissions: ['inference:use'] });
    const reader = await createKey(product, { name: 'lister', permissions: ['models:read'] });
    const refused = async (status: number, words: RegExp, call: Promise<unknown>) =>
      assert.rejects(call, (error) => {
        assert.ok(error instanceof Error);
        assert.equal(Reflect.get(error, 'status_code'), status, error.message);
        assert.match(error.message, words);
        return true;
      });
    const model = 'sim-model';
    await refused(404, /No model/, ollama.chat({ model: 'none', messages }));
    await refused(401, /API key/, ollamaClient('tfk_wrong').chat({ model, messages }));
    const list = ollamaClient(reader.secret);
    await refused(403, /inference:use/, list.chat({ model, messages }));
    await refused(403, /inference:use/, list.generate({ model, prompt: 'x' }));
    await refused(403, /inference:use/, list.embed({ model, input: 'x' }));
    await refused(403, /models:read/, ollamaClient(limited.secret).list());
    await refused(400, /keep_alive/, ollama.chat({ model, messages, keep_alive: '5m' }));
    const huge = { num_ctx: 99_000_000 };
    await refused(400, /num_ctx/, ollama.chat({ model, messages, options: huge }));
  });

  it('a stream that breaks ends with an error line', async () => {
    scriptedAnswer = `${streamHead}${chunk('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n')}${lastChunk}`;
    const body = JSON.stringify({ model: 'scripted', messages });
    const told = await ask(product, body, { path: '/api/chat' });
    const lines = told.text.trim().split('\n');
    assert.equal(JSON.parse(lines[0] ?? '{}').message.content, 'a');
    assert.match(JSON.parse(lines.at(-1) ?? '{}').error, /before its end mark/);
  });
});
