// Goal: OpenAI's chat and Anthropic's Messages mean the same on both sides. Method: the examples of
// Anthropic's public documentation, sent through and compared member by member:
//   https://docs.anthropic.com/en/api/messages
//   https://docs.anthropic.com/en/docs/build-with-claude/streaming
//   https://docs.anthropic.com/en/docs/build-with-claude/tool-use
//   https://docs.anthropic.com/en/api/errors

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anthropic } from './anthropic.ts';
import {
  answered,
  assembled,
  chat,
  choiceOf,
  eventBytesMax,
  eventsOf,
  facts,
  parsed,
  refused,
  requested,
  streamed,
} from './translation.test-support.ts';

const bodyOf = (more: Parameters<typeof chat>[0]) => requested(anthropic, chat(more)).body;

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Get the current weather in a given location',
    parameters: { type: 'object', properties: { location: { type: 'string' } } },
    strict: true,
  },
};

describe('a request', () => {
  it('has the path, the model, the default limit and the text', () => {
    const { path, body } = requested(anthropic, chat());
    assert.equal(path, '/v1/messages');
    assert.deepEqual(body, {
      model: 'model-1',
      max_tokens: 4096,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
    });
  });

  it('says that it streams', () => {
    assert.equal(requested(anthropic, chat({ stream: true }), true).body['stream'], true);
  });

  it('carries sampling, limits and the user', () => {
    const body = bodyOf({
      max_tokens: 9,
      max_completion_tokens: 7,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop: 'END',
      user: 'u-1',
    });
    const { model, messages, ...rest } = body;
    assert.deepEqual(rest, {
      max_tokens: 7,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop_sequences: ['END'],
      metadata: { user_id: 'u-1' },
    });
    assert.deepEqual(bodyOf({ stop: ['a', 'b'] })['stop_sequences'], ['a', 'b']);
  });

  it('hoists what the system says and merges neighbours of one side', () => {
    const body = bodyOf({
      messages: [
        { role: 'system', content: 'One.' },
        { role: 'user', content: 'Hello' },
        { role: 'developer', content: [{ type: 'text', text: 'Two.' }] },
        { role: 'user', content: [{ type: 'text', text: 'World' }] },
        { role: 'assistant', content: 'Hi' },
        { role: 'user', content: 'Bye' },
      ],
    });
    assert.equal(body['system'], 'One.\nTwo.');
    const text = (words: string) => ({ type: 'text', text: words });
    assert.deepEqual(body['messages'], [
      { role: 'user', content: [text('Hello'), text('World')] },
      { role: 'assistant', content: [text('Hi')] },
      { role: 'user', content: [text('Bye')] },
    ]);
  });

  it('carries calls of tools and their results, the digits of a long number too', () => {
    const call = (id: string, text: string) => ({
      id,
      type: 'function',
      function: { name: 'get_weather', arguments: text },
    });
    const calls = [call('toolu_1', '{"id":12345678901234567890}'), call('toolu_2', '')];
    const messages = [
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: null, tool_calls: calls },
      { role: 'tool', tool_call_id: 'toolu_1', content: 'sunny' },
      {
        role: 'tool',
        tool_call_id: 'toolu_2',
        name: 'get_weather',
        content: [{ type: 'text', text: 'rain' }],
      },
      { role: 'user', content: 'So?' },
    ];
    const sent = anthropic.request(Buffer.from(JSON.stringify(chat({ messages }))), 'm', false);
    assert.ok(sent.ok);
    const text = sent.value.body.toString();
    assert.ok(text.includes('"input":{"id":12345678901234567890}'), text);
    const turns = parsed(sent.value.body)['messages'];
    assert.ok(Array.isArray(turns));
    assert.deepEqual(turns.slice(2), [
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_1', content: 'sunny' },
          { type: 'tool_result', tool_use_id: 'toolu_2', content: 'rain' },
          { type: 'text', text: 'So?' },
        ],
      },
    ]);
    assert.equal(turns[1].content[1].id, 'toolu_2');
    assert.deepEqual(turns[1].content[1].input, {});
  });

  it('declares tools and the choice among them', () => {
    const choice = (more: object) => bodyOf({ tools: [weather], ...more })['tool_choice'];
    assert.deepEqual(bodyOf({ tools: [weather] })['tools'], [
      {
        name: 'get_weather',
        description: 'Get the current weather in a given location',
        input_schema: { type: 'object', properties: { location: { type: 'string' } } },
        strict: true,
      },
    ]);
    assert.deepEqual(choice({}), undefined);
    assert.deepEqual(choice({ tool_choice: 'auto' }), { type: 'auto' });
    assert.deepEqual(choice({ tool_choice: 'none' }), { type: 'none' });
    assert.deepEqual(choice({ tool_choice: 'required', parallel_tool_calls: false }), {
      type: 'any',
      disable_parallel_tool_use: true,
    });
    assert.deepEqual(choice({ parallel_tool_calls: false }), {
      type: 'auto',
      disable_parallel_tool_use: true,
    });
    const named = { type: 'function', function: { name: 'get_weather' } };
    assert.deepEqual(choice({ tool_choice: named }), { type: 'tool', name: 'get_weather' });
  });

  it('carries images as base64 or by their address', () => {
    const url = (text: string) => ({ type: 'image_url', image_url: { url: text, detail: 'low' } });
    const content = [url('data:image/jpg;base64,QUJD'), url('https://example.com/a.png')];
    const body = bodyOf({ messages: [{ role: 'user', content }] });
    assert.deepEqual(body['messages'], [
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: 'QUJD' } },
          { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
        ],
      },
    ]);
  });

  it('asks for JSON by its schema and for effort', () => {
    const schema = { type: 'object', properties: {}, additionalProperties: false };
    const format = { type: 'json_schema', json_schema: { name: 'x', schema, strict: true } };
    assert.deepEqual(
      bodyOf({ response_format: format, reasoning_effort: 'low' })['output_config'],
      {
        format: { type: 'json_schema', schema },
        effort: 'low',
      },
    );
    assert.equal(bodyOf({ response_format: { type: 'text' } })['output_config'], undefined);
  });

  it('is refused by name where it cannot be said', () => {
    const user = (...content: readonly unknown[]) => ({ messages: [{ role: 'user', content }] });
    const image = (url: string) => user({ type: 'image_url', image_url: { url } });
    const unsupported: readonly (readonly [string, object])[] = [
      ['temperature', { temperature: 1.2 }],
      ['response_format', { response_format: { type: 'json_object' } }],
      ['response_format.type', { response_format: { type: 'grammar' } }],
      ['reasoning_effort', { reasoning_effort: 'xhigh' }],
      ['tools[0].type', { tools: [{ type: 'custom', custom: { name: 'x' } }] }],
      ['tool_choice.type', { tools: [weather], tool_choice: { type: 'allowed_tools' } }],
      ['messages[0].content[0].image_url.url', image('data:image/bmp;base64,QUJD')],
      ['messages[0].content[0].type', user({ type: 'input_audio', input_audio: {} })],
      ['messages[0].name', { messages: [{ role: 'user', name: 'Ann', content: 'Hi' }] }],
      ['messages[0].role', { messages: [{ role: 'function', content: 'x' }] }],
      ['messages[0].audio', { messages: [{ role: 'assistant', audio: { id: 'a' } }] }],
      [
        'messages[0].content[0].cache_control',
        user({ type: 'text', text: 'a', cache_control: {} }),
      ],
      ['min_p', { min_p: 0.1 }],
    ];
    for (const [param, more] of unsupported) {
      assert.equal(refused(anthropic, chat({ ...more })), `unsupported_parameter ${param}`);
    }
  });

  it('is refused as malformed where it means nothing', () => {
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{"a":' } };
    const malformed: readonly (readonly [string, object])[] = [
      [
        'messages[0].tool_calls[0].function.arguments',
        { messages: [{ role: 'assistant', tool_calls: [call] }] },
      ],
      [
        'messages[0].tool_call_id',
        { messages: [{ role: 'tool', tool_call_id: 'b', content: '' }] },
      ],
      ['messages', { messages: [{ role: 'system', content: 'alone' }] }],
      [
        'messages[0].content[0].image_url.url',
        {
          messages: [
            { role: 'user', content: [{ type: 'image_url', image_url: { url: 'gs://a' } }] },
          ],
        },
      ],
      ['tool_choice', { tool_choice: 'required' }],
      ['stop', { stop: [5] }],
      ['temperature', { temperature: 'warm' }],
    ];
    for (const [param, more] of malformed) {
      assert.equal(refused(anthropic, chat({ ...more })), `invalid_request ${param}`);
    }
    assert.equal(refused(anthropic, [1]), 'invalid_json');
  });
});

const message = {
  id: 'msg_013Zva2CMHLNnXjNJJKqJ2EF',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5',
  content: [{ type: 'text', text: 'Hi! My name is Claude.' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 25 },
};

describe('an answer', () => {
  it('of text becomes a completion of the resolved model', () => {
    assert.deepEqual(answered(anthropic, message), {
      id: 'chatcmpl-msg_013Zva2CMHLNnXjNJJKqJ2EF',
      object: 'chat.completion',
      created: 1_780_000_000,
      model: 'model-1',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hi! My name is Claude.', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 10,
        completion_tokens: 25,
        total_tokens: 35,
        prompt_tokens_details: { cached_tokens: 0 },
      },
    });
  });

  it('with thoughts and calls keeps the calls and leaves the thoughts out', () => {
    const content = [
      { type: 'thinking', thinking: 'Hm.', signature: 's' },
      { type: 'redacted_thinking', data: 'x' },
      { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { location: 'Köln' } },
    ];
    const completion = answered(anthropic, { ...message, content, stop_reason: 'tool_use' });
    const { message: made, finish_reason } = choiceOf(completion);
    assert.equal(finish_reason, 'tool_calls');
    assert.deepEqual(made, {
      role: 'assistant',
      content: null,
      refusal: null,
      tool_calls: [
        {
          id: 'toolu_1',
          type: 'function',
          function: { name: 'get_weather', arguments: '{"location":"Köln"}' },
        },
      ],
    });
  });

  it('counts what came from a cache as part of the prompt', () => {
    const usage = {
      input_tokens: 5,
      cache_creation_input_tokens: 7,
      cache_read_input_tokens: 30,
      output_tokens: 2,
    };
    assert.deepEqual(answered(anthropic, { ...message, usage })['usage'], {
      prompt_tokens: 42,
      completion_tokens: 2,
      total_tokens: 44,
      prompt_tokens_details: { cached_tokens: 30 },
    });
  });

  const reasons = [
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['pause_turn', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'content_filter'],
  ] as const;
  for (const [reason, wanted] of reasons) {
    it(`ended by ${reason} is finished by ${wanted}`, () => {
      const completion = answered(anthropic, { ...message, stop_reason: reason });
      assert.equal(choiceOf(completion)['finish_reason'], wanted);
    });
  }

  it('that is no message is told so', () => {
    for (const bad of [
      {},
      [],
      { type: 'message' },
      { ...message, content: [{ type: 'tool_use' }] },
    ]) {
      assert.ok(!anthropic.answer(Buffer.from(JSON.stringify(bad)), 'm', facts).ok);
    }
  });
});

function sse(...events: readonly Readonly<Record<string, unknown>>[]): Buffer {
  const text = events.map((event) => `event: ${event['type']}\ndata: ${JSON.stringify(event)}\n\n`);
  return Buffer.from(text.join(''));
}

const started = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    content: [],
    model: 'claude-sonnet-4-5',
    stop_reason: null,
    usage: { input_tokens: 472, cache_read_input_tokens: 100, output_tokens: 2 },
  },
};
const toolStream = sse(
  started,
  { type: 'ping' },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  {
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'text_delta', text: 'Schön, 你好' },
  },
  { type: 'content_block_stop', index: 0 },
  {
    type: 'content_block_start',
    index: 1,
    content_block: { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: {} },
  },
  {
    type: 'content_block_delta',
    index: 1,
    delta: { type: 'input_json_delta', partial_json: '' },
  },
  {
    type: 'content_block_delta',
    index: 1,
    delta: { type: 'input_json_delta', partial_json: '{"location":' },
  },
  {
    type: 'content_block_delta',
    index: 1,
    delta: { type: 'input_json_delta', partial_json: ' "San Francisco"}' },
  },
  { type: 'content_block_stop', index: 1 },
  {
    type: 'content_block_start',
    index: 2,
    content_block: { type: 'tool_use', id: 'toolu_2', name: 'now', input: {} },
  },
  { type: 'content_block_stop', index: 2 },
  {
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { output_tokens: 89 },
  },
  { type: 'message_stop' },
);

describe('a stream', () => {
  const open = (includeUsage = false) =>
    anthropic.stream('model-1', eventBytesMax, { ...facts, includeUsage });

  it('becomes role, content, calls with their pieces, a reason and the end mark', () => {
    const stream = open();
    const text = streamed(stream, toolStream);
    assert.deepEqual(assembled(text), {
      content: 'Schön, 你好',
      calls: [
        { id: 'toolu_1', name: 'get_weather', arguments: '{"location": "San Francisco"}' },
        { id: 'toolu_2', name: 'now', arguments: '{}' },
      ],
      reasons: ['tool_calls'],
      isDone: true,
    });
    assert.equal(
      eventsOf(text)[0],
      '{"id":"chatcmpl-msg_1","object":"chat.completion.chunk","created":1780000000,"model":"model-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}',
    );
    assert.ok(!text.includes('usage'));
    const counts = { promptTokens: 572, completionTokens: 89, cachedTokens: 100 };
    assert.deepEqual(stream.usage(), { kind: 'usage', ...counts });
    assert.equal(stream.faultWords, undefined);
  });

  it('tells usage before the end mark when it is wanted, and null before that', () => {
    const events = eventsOf(streamed(open(true), toolStream));
    assert.match(events[0] ?? '', /"usage":null\}$/);
    const last = parsed(Buffer.from(events.at(-2) ?? ''));
    assert.deepEqual(last['choices'], []);
    assert.deepEqual(last['usage'], {
      prompt_tokens: 572,
      completion_tokens: 89,
      total_tokens: 661,
      prompt_tokens_details: { cached_tokens: 100 },
    });
  });

  it('with an error ends in one error event and no end mark', () => {
    const error = { type: 'overloaded_error', message: 'Overloaded' };
    const bytes = sse(started, { type: 'error', error }, { type: 'message_stop' });
    const events = eventsOf(streamed(open(), bytes));
    assert.equal(events.length, 2);
    assert.deepEqual(parsed(Buffer.from(events[1] ?? '')), {
      error: {
        message: 'Overloaded',
        type: 'server_error',
        param: null,
        code: 'bad_gateway',
        context: { provider_error: 'overloaded_error' },
      },
    });
  });

  it('that is cut short has no end mark', () => {
    const text = streamed(open(), toolStream.subarray(0, toolStream.length - 20));
    assert.equal(assembled(text).isDone, false);
  });

  it('leaves thoughts, signatures and unknown kinds out', () => {
    const delta = (more: object) => ({ type: 'content_block_delta', index: 0, delta: more });
    const bytes = sse(
      started,
      delta({ type: 'thinking_delta', thinking: 'Hm' }),
      delta({ type: 'signature_delta', signature: 'abc' }),
      { type: 'something_new' },
      delta({ type: 'text_delta', text: 'a' }),
    );
    assert.equal(eventsOf(streamed(open(), bytes)).length, 2);
  });

  it('ends with words at an event that is no JSON, too long, or a call without a name', () => {
    const long = sse({ type: 'ping', filler: 'a'.repeat(eventBytesMax) });
    const nameless = { type: 'content_block_start', index: 0, content_block: { type: 'tool_use' } };
    const cases = [
      [Buffer.from('data: {"type":\n\n'), /no JSON object/],
      [Buffer.from('data: [1]\n\n'), /no JSON object/],
      [long, /larger than its limit/],
      [sse(nameless), /without id or name/],
    ] as const;
    for (const [bytes, words] of cases) {
      const stream = open();
      const text = streamed(stream, Buffer.concat([sse(started), bytes, toolStream]), [100]);
      assert.match(stream.faultWords ?? '', words);
      assert.equal(eventsOf(text).length, 1, 'nothing follows a fault');
    }
  });
});

describe('an error', () => {
  it('keeps the words of the provider in the envelope', () => {
    const error = { type: 'invalid_request_error', message: 'max_tokens: too large' };
    const body = Buffer.from(JSON.stringify({ type: 'error', error, request_id: 'req_1' }));
    assert.deepEqual(parsed(anthropic.error(400, body)), {
      error: {
        message: 'max_tokens: too large',
        type: 'invalid_request_error',
        param: null,
        code: 'invalid_request_error',
        context: { provider_error: 'invalid_request_error' },
      },
    });
  });

  it('that is no JSON is told by its status', () => {
    const { error } = parsed(anthropic.error(429, Buffer.from('<html>')));
    assert.deepEqual(error, {
      message: 'The backend answered 429.',
      type: 'requests',
      param: null,
      code: 'rate_limit_exceeded',
    });
  });

  it('of an overloaded API is one of a service that is away', () => {
    assert.equal(anthropic.statusOf(529, Buffer.alloc(0)), 503);
    assert.equal(anthropic.statusOf(429, Buffer.alloc(0)), 429);
  });
});
