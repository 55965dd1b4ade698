// Goal: the official client works against a simulated server. Method: that client, unmodified.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import OpenAI from 'openai';
import { Secret } from '../../base/secret.ts';
import { simFor, stateWhen } from './sim-fixture.ts';
import type { RunningSim } from './sim-server.ts';

async function clientFor(context: TestContext): Promise<{ sim: RunningSim; client: OpenAI }> {
  const sim = await simFor(context, { as: 'openai', apiKey: new Secret('sesame') });
  const client = new OpenAI({ baseURL: `${sim.url}/v1`, apiKey: 'sesame', maxRetries: 0 });
  return { sim, client };
}

const question = {
  model: 'llama3:8b',
  messages: [{ role: 'user' as const, content: 'How are you today?' }],
};

test('a chat has the same text whole and streamed, and usage adds up', async (context) => {
  const { client } = await clientFor(context);
  const whole = await client.chat.completions.create({ ...question, max_completion_tokens: 20 });
  const text = whole.choices[0]?.message.content ?? '';
  assert.equal(text.length, 80);
  assert.equal(whole.choices[0]?.finish_reason, 'length');
  assert.equal(whole.usage?.total_tokens, 20 + (whole.usage?.prompt_tokens ?? 0));

  const chunks = [];
  const stream = await client.chat.completions.create({
    ...question,
    max_completion_tokens: 20,
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of stream) chunks.push(chunk);
  assert.equal(chunks[0]?.choices[0]?.delta.role, 'assistant');
  assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), text);
  assert.equal(chunks.at(-2)?.choices[0]?.finish_reason, 'length');
  assert.deepEqual(chunks.at(-1)?.choices, []);
  assert.equal(chunks.at(-1)?.usage?.completion_tokens, 20);
});

test('without a limit the length is drawn, the same for the same prompt, and ends in stop', async (context) => {
  const { client } = await clientFor(context);
  const first = await client.chat.completions.create(question);
  const second = await client.chat.completions.create(question);
  assert.equal(first.choices[0]?.finish_reason, 'stop');
  assert.equal(first.choices[0]?.message.content, second.choices[0]?.message.content);
  const tokens = first.usage?.completion_tokens ?? 0;
  assert.ok(tokens >= 7 && tokens <= 1000, `${tokens} tokens`);
});

test('completions stream and end', async (context) => {
  const { client } = await clientFor(context);
  const body = { model: 'llama3:8b', prompt: 'Once', max_tokens: 5 };
  const whole = await client.completions.create(body);
  let text = '';
  for await (const chunk of await client.completions.create({ ...body, stream: true })) {
    text += chunk.choices[0]?.text ?? '';
  }
  assert.equal(text, whole.choices[0]?.text);
});

test('embeddings are the same as base64 and as floats', async (context) => {
  const { client } = await clientFor(context);
  const body = { model: 'nomic-embed', input: ['one text', 'another'], dimensions: 16 };
  const packed = await client.embeddings.create(body);
  const plain = await client.embeddings.create({ ...body, encoding_format: 'float' });
  assert.equal(packed.data.length, 2);
  plain.data[1]?.embedding.forEach((value, index) => {
    assert.ok(Math.abs(value - (packed.data[1]?.embedding[index] ?? 9)) < 1e-6);
  });
});

test('responses come whole and as events', async (context) => {
  const { client } = await clientFor(context);
  const body = { model: 'llama3:8b', input: 'Tell me', max_output_tokens: 6 };
  const whole = await client.responses.create(body);
  assert.equal(whole.usage?.output_tokens, 6);
  let text = '';
  const types = [];
  for await (const event of await client.responses.create({ ...body, stream: true })) {
    types.push(event.type);
    if (event.type === 'response.output_text.delta') text += event.delta;
  }
  assert.equal(text, whole.output_text);
  assert.equal(types[0], 'response.created');
  assert.equal(types.at(-1), 'response.incomplete');
});

test('the client reads refusals as its own errors', async (context) => {
  const { client, sim } = await clientFor(context);
  const body = { ...question, model: 'nope' };
  await assert.rejects(client.chat.completions.create(body), OpenAI.NotFoundError);
  const stranger = new OpenAI({ baseURL: `${sim.url}/v1`, apiKey: 'wrong', maxRetries: 0 });
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
});

test('leaving a stream frees the slot at once', async (context) => {
  const sim = await simFor(context, { as: 'vllm', speed: 1, maxRunning: 1 });
  const client = new OpenAI({ baseURL: `${sim.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const stream = await client.chat.completions.create({
    ...question,
    max_tokens: 4000,
    stream: true,
  });
  const waiting = client.chat.completions.create({ ...question, max_tokens: 1 });
  await stateWhen(sim, (state) => state.running === 1 && state.waiting === 1);
  for await (const _chunk of stream) break;
  await waiting;
  const state = await stateWhen(sim, (now) => now.running === 0);
  assert.deepEqual(state.streams, { started: 1, finished: 0, aborted: 1, cut: 0 });
  assert.deepEqual([state.aborted_total, state.kv_used_tokens], [1, 0]);
});

test('512 streams at once all end whole', async (context) => {
  const sim = await simFor(context, { as: 'vllm', maxRunning: 512, streamInterval: 8 });
  const bodies = await Promise.all(
    Array.from({ length: 512 }, async (_, index) => {
      const response = await fetch(`${sim.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({
          model: 'llama3:8b',
          messages: [{ role: 'user', content: `Number ${index}` }],
          max_tokens: 32,
          stream: true,
        }),
      });
      return response.text();
    }),
  );
  assert.ok(bodies.every((body) => body.endsWith('data: [DONE]\n\n')));
  const state = sim.stats();
  assert.deepEqual([state.requests_finished, state.generated_tokens_total], [512, 512 * 32]);
});
