// Goal: Anthropic's and Google's interfaces in the shapes of their public documentation, strict about
// what they are sent. Method: a minimal client that reads events and pages as the documents say.
//
// platform.claude.com/docs/en/api/messages, /docs/en/api/models/list, /docs/en/api/errors,
// /docs/en/build-with-claude/streaming; ai.google.dev/api/generate-content, /api/models

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { Secret } from '../../base/secret.ts';
import {
  anthropicHeaders,
  eventsOf,
  googleHeaders,
  postJson,
  type SentEvent,
  simFor,
} from './sim-fixture.ts';
import type { RunningSim } from './sim-server.ts';

const question = { role: 'user', content: 'How are you today?' };
const tool = {
  name: 'get_weather',
  description: 'Weather of a city',
  input_schema: {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer' }, note: { type: 'string' } },
    required: ['city', 'days'],
  },
};

function messages(sim: RunningSim, members: Readonly<Record<string, unknown>>): Promise<Response> {
  const body = { model: 'llama3:8b', max_tokens: 1024, messages: [question], ...members };
  return postJson(`${sim.url}/v1/messages`, body, undefined, anthropicHeaders);
}

const message = z.object({
  id: z.string().startsWith('msg_'),
  type: z.literal('message'),
  role: z.literal('assistant'),
  model: z.literal('llama3:8b'),
  content: z.array(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('text'), text: z.string() }),
      z.object({
        type: z.literal('tool_use'),
        id: z.string().startsWith('toolu_'),
        name: z.string(),
        input: z.record(z.string(), z.unknown()),
      }),
    ]),
  ),
  stop_reason: z.enum(['end_turn', 'max_tokens', 'tool_use']).nullable(),
  usage: z.object({ input_tokens: z.number(), output_tokens: z.number() }),
});

const anthropicEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('message_start'), message }),
  z.object({ type: z.literal('content_block_start'), content_block: z.looseObject({}) }),
  z.object({ type: z.literal('ping') }),
  z.object({
    type: z.literal('content_block_delta'),
    index: z.literal(0),
    delta: z.object({
      type: z.enum(['text_delta', 'input_json_delta']),
      text: z.string().optional(),
      partial_json: z.string().optional(),
    }),
  }),
  z.object({ type: z.literal('content_block_stop'), index: z.literal(0) }),
  z.object({
    type: z.literal('message_delta'),
    delta: z.object({ stop_reason: z.string() }),
    usage: z.object({ output_tokens: z.number() }),
  }),
  z.object({ type: z.literal('message_stop') }),
]);

/** What the deltas say together, how it stopped, and the events in order without repetition. */
function readStream(events: readonly SentEvent[]) {
  const parsed = events.map(({ name, data }) => {
    const event = anthropicEvent.parse(data);
    assert.equal(name, event.type);
    return event;
  });
  let text = '';
  let stopReason = '';
  for (const event of parsed) {
    if (event.type === 'content_block_delta') text += event.delta.text ?? event.delta.partial_json;
    if (event.type === 'message_delta') stopReason = event.delta.stop_reason;
  }
  const order = parsed.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1]);
  return { text, stopReason, order };
}

test('anthropic answers the same whole and as events in their order', async (context) => {
  const sim = await simFor(context, { as: 'anthropic' });
  const whole = message.parse(await (await messages(sim, {})).json());
  assert.equal(whole.stop_reason, 'end_turn');
  const [block] = whole.content;
  const streamed = await messages(sim, { stream: true });
  assert.match(streamed.headers.get('content-type') ?? '', /^text\/event-stream/);
  const { text, stopReason, order } = readStream(await eventsOf(streamed));
  assert.equal(block?.type === 'text' ? block.text : undefined, text);
  assert.equal(text.length, 4 * whole.usage.output_tokens);
  assert.equal(stopReason, 'end_turn');
  assert.deepEqual(order, [
    'message_start',
    'content_block_start',
    'ping',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ]);
  const short = message.parse(await (await messages(sim, { max_tokens: 5 })).json());
  assert.deepEqual([short.stop_reason, short.usage.output_tokens], ['max_tokens', 5]);
  assert.equal(sim.work().paid_calls_total, 3);
});

test('anthropic calls a tool that is forced, with arguments that fit, in pieces of JSON', async (context) => {
  const sim = await simFor(context, { as: 'anthropic' });
  const forced = { tools: [tool], tool_choice: { type: 'tool', name: 'get_weather' } };
  const whole = message.parse(await (await messages(sim, forced)).json());
  const [call] = whole.content;
  assert.ok(call?.type === 'tool_use');
  assert.equal(whole.stop_reason, 'tool_use');
  z.strictObject({ city: z.string(), days: z.int() }).parse(call.input);
  const events = await eventsOf(await messages(sim, { ...forced, stream: true }));
  const { text, stopReason } = readStream(events);
  assert.deepEqual(JSON.parse(text), call.input);
  assert.equal(stopReason, 'tool_use');
  const free = message.parse(await (await messages(sim, { tools: [tool] })).json());
  assert.equal(free.content[0]?.type, 'text');
});

test('anthropic takes images and answered calls, and refuses what it does not know', async (context) => {
  const sim = await simFor(context, { as: 'anthropic' });
  const source = { type: 'base64', media_type: 'image/png', data: 'aGk=' };
  const call = { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: {} };
  const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'sun' };
  const image = { role: 'user', content: [{ type: 'image', source }] };
  const called = [question, { role: 'assistant', content: [call] }];
  const answered = [...called, { role: 'user', content: [result] }];
  const good = await messages(sim, { system: 'Be kind', messages: [...answered, image] });
  const { usage } = message.parse(await good.json());
  assert.ok(usage.input_tokens > 576);

  const error = z.object({
    type: z.literal('error'),
    error: z.object({ type: z.literal('invalid_request_error'), message: z.string() }),
  });
  const cases: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
    [{ stream_options: {} }, /^stream_options: Extra inputs/],
    [{ max_tokens: undefined }, /^max_tokens: Field required/],
    [{ messages: [] }, /^messages: /],
    [{ messages: [{ role: 'system', content: 'x' }] }, /^messages\.0\.role: /],
    [{ messages: [{ role: 'user', content: '' }] }, /non-empty/],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, /image_url/],
    [{ messages: [{ role: 'user', content: [{ type: 'image' }] }] }, /source/],
    [{ messages: [...called, question] }, /without `tool_result`/],
    [{ messages: [{ role: 'user', content: [result] }] }, /unexpected `tool_use_id`/],
    [{ tools: [{ name: 'x' }] }, /^tools\.0\.input_schema/],
    [{ tools: [tool], tool_choice: { type: 'tool', name: 'y' } }, /'y' not found/],
  ];
  for (const [members, words] of cases) {
    const response = await messages(sim, members);
    assert.equal(response.status, 400, String(words));
    assert.match(error.parse(await response.json()).error.message, words);
  }
  assert.equal(sim.work().paid_calls_total, 1);
});

test('anthropic wants key and version, and says which is missing', async (context) => {
  const sim = await simFor(context, { as: 'anthropic', apiKey: new Secret('sesame') });
  const typeOf = async (headers: Readonly<Record<string, string>>): Promise<string> => {
    const response = await fetch(`${sim.url}/v1/models`, { headers });
    const body = z.object({ error: z.object({ type: z.string() }) });
    return `${response.status} ${body.safeParse(await response.json()).data?.error.type}`;
  };
  const { 'x-api-key': key, 'anthropic-version': version } = anthropicHeaders;
  assert.equal(await typeOf({}), '401 authentication_error');
  assert.equal(await typeOf({ authorization: 'Bearer sesame' }), '401 authentication_error');
  assert.equal(await typeOf({ 'x-api-key': 'x' }), '401 authentication_error');
  assert.equal(await typeOf({ 'x-api-key': key }), '400 invalid_request_error');
  assert.equal(await typeOf({ 'x-api-key': key, 'anthropic-version': version }), '200 undefined');
});

test('anthropic lists its models in pages, free of charge', async (context) => {
  const models = ['claude-a', 'claude-b', 'claude-c'];
  const page = z.object({
    data: z.array(
      z.object({ type: z.literal('model'), id: z.string(), max_input_tokens: z.int().optional() }),
    ),
    has_more: z.boolean(),
    last_id: z.string().nullable(),
  });
  const list = async (sim: RunningSim, query: string): Promise<z.infer<typeof page>> => {
    const response = await fetch(`${sim.url}/v1/models${query}`, { headers: anthropicHeaders });
    return page.parse(await response.json());
  };
  const sim = await simFor(context, { as: 'anthropic', models });
  const first = await list(sim, '?limit=2');
  assert.deepEqual([first.data.length, first.has_more, first.last_id], [2, true, 'claude-b']);
  const second = await list(sim, `?limit=2&after_id=${first.last_id}`);
  assert.deepEqual([second.data.map(({ id }) => id), second.has_more], [['claude-c'], false]);
  assert.equal(second.data[0]?.max_input_tokens, 32_768);
  assert.equal(sim.work().paid_calls_total, 0);
  const old = await simFor(context, { as: 'anthropic', quirks: ['anthropic-old-list'] });
  assert.equal((await list(old, '')).data[0]?.max_input_tokens, undefined);
});

const contents = [{ role: 'user', parts: [{ text: 'How are you today?' }] }];

function google(
  sim: RunningSim,
  method: string,
  members: Readonly<Record<string, unknown>>,
): Promise<Response> {
  const url = `${sim.url}/v1beta/models/llama3%3A8b:${method}`;
  return postJson(url, { contents, ...members }, undefined, googleHeaders);
}

const answer = z.object({
  candidates: z.tuple([
    z.object({
      content: z.object({
        role: z.literal('model'),
        parts: z.array(
          z.object({
            text: z.string().optional(),
            functionCall: z
              .object({ name: z.string(), args: z.record(z.string(), z.unknown()) })
              .optional(),
          }),
        ),
      }),
      finishReason: z.enum(['STOP', 'MAX_TOKENS']).optional(),
    }),
  ]),
  usageMetadata: z.object({
    promptTokenCount: z.number(),
    candidatesTokenCount: z.number().optional(),
    totalTokenCount: z.number(),
  }),
  modelVersion: z.literal('llama3:8b'),
});

test('google answers the same whole and as events, the last with reason and usage', async (context) => {
  const sim = await simFor(context, { as: 'google' });
  const members = { generationConfig: { maxOutputTokens: 20 } };
  const whole = answer.parse(await (await google(sim, 'generateContent', members)).json());
  const [{ content, finishReason }] = whole.candidates;
  assert.equal(finishReason, 'MAX_TOKENS');
  assert.equal(whole.usageMetadata.candidatesTokenCount, 20);
  const streamed = await google(sim, 'streamGenerateContent?alt=sse', members);
  const events = (await eventsOf(streamed)).map(({ data }) => answer.parse(data));
  const texts = events.flatMap(({ candidates }) => candidates[0].content.parts);
  assert.equal(texts.map(({ text }) => text ?? '').join(''), content.parts[0]?.text);
  const reasons = events.map(({ candidates }) => candidates[0].finishReason);
  assert.deepEqual(reasons, [...reasons.slice(1).map(() => undefined), 'MAX_TOKENS']);
  assert.deepEqual(events.at(-1)?.usageMetadata, whole.usageMetadata);
  assert.equal((await google(sim, 'streamGenerateContent', members)).status, 400);
});

test('google calls a function that is forced, in one piece', async (context) => {
  const sim = await simFor(context, { as: 'google' });
  const { input_schema: parameters, ...declared } = tool;
  const members = {
    tools: [{ functionDeclarations: [{ ...declared, parameters }] }],
    toolConfig: { functionCallingConfig: { mode: 'ANY' } },
  };
  const whole = answer.parse(await (await google(sim, 'generateContent', members)).json());
  const call = whole.candidates[0].content.parts[0]?.functionCall;
  assert.equal(call?.name, 'get_weather');
  z.strictObject({ city: z.string(), days: z.int() }).parse(call?.args);
  const streamed = await google(sim, 'streamGenerateContent?alt=sse', members);
  assert.match(streamed.headers.get('content-type') ?? '', /^text\/event-stream/);
  const events = (await eventsOf(streamed)).map(({ data }) => answer.parse(data));
  assert.deepEqual(events.at(-1)?.candidates[0].content.parts[0]?.functionCall, call);
});

test('google refuses what it does not know, and wants its key in a header', async (context) => {
  const sim = await simFor(context, { as: 'google', apiKey: new Secret('sesame') });
  const failure = z.object({
    error: z.object({ code: z.number(), message: z.string(), status: z.string() }).loose(),
  });
  const cases: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
    [{ stream: true }, /Unknown name "stream"/],
    [{ contents: [] }, /contents is not specified/],
    [{ contents: [{ role: 'assistant', parts: [{ text: 'x' }] }] }, /valid role/],
    [{ contents: [{ role: 'user', parts: [] }] }, /must not be empty/],
    [{ contents: [{ role: 'user', parts: [{ type: 'text' }] }] }, /oneof field 'data'/],
    [{ generationConfig: { maxOutputTokens: 0 } }, /max_output_tokens/],
  ];
  for (const [members, words] of cases) {
    const response = await google(sim, 'generateContent', members);
    const { error } = failure.parse(await response.json());
    assert.deepEqual([error.code, error.status], [400, 'INVALID_ARGUMENT'], String(words));
    assert.match(error.message, words);
  }
  const statusOf = async (path: string, headers: Readonly<Record<string, string>>) => {
    const response = await fetch(`${sim.url}${path}`, { headers });
    const body = await response.json();
    return response.ok ? 'OK' : failure.parse(body).error.status;
  };
  assert.equal(await statusOf('/v1beta/models', {}), 'PERMISSION_DENIED');
  assert.equal(await statusOf('/v1beta/models?key=sesame', {}), 'PERMISSION_DENIED');
  assert.equal(await statusOf('/v1beta/models', { 'x-goog-api-key': 'x' }), 'INVALID_ARGUMENT');
  assert.equal(await statusOf('/v1beta/models', googleHeaders), 'OK');
  assert.equal(await statusOf('/v1beta/models/nope', googleHeaders), 'NOT_FOUND');
});

test('google lists its models in pages, with windows and methods, free of charge', async (context) => {
  const models = ['gemini-a', 'gemini-b', 'gemini-embed'];
  const sim = await simFor(context, { as: 'google', models });
  const page = z.object({
    models: z.array(
      z.object({
        name: z.string().startsWith('models/'),
        inputTokenLimit: z.int(),
        supportedGenerationMethods: z.array(z.string()),
      }),
    ),
    nextPageToken: z.string().optional(),
  });
  const list = async (query: string): Promise<z.infer<typeof page>> => {
    const response = await fetch(`${sim.url}/v1beta/models${query}`, { headers: googleHeaders });
    return page.parse(await response.json());
  };
  const first = await list('?pageSize=2');
  assert.equal(first.models.length, 2);
  const second = await list(`?pageSize=2&pageToken=${first.nextPageToken}`);
  assert.deepEqual(second.models[0]?.supportedGenerationMethods, ['embedContent']);
  assert.equal(second.nextPageToken, undefined);
  assert.equal(sim.work().paid_calls_total, 0);
});
