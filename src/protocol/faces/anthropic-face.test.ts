// Goal: a client of Anthropic's Messages API gets what it would get from Anthropic, or hears by name
// what it cannot have.
// Method: the examples of Anthropic's documentation; every parameter that its official client knows;
// streams in any cut.

import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { refusal } from '../../errors/tensorforge-error.ts';
import { defaultJsonLimits } from '../openai/json-scan.ts';
import type { JsonObject } from '../openai/member-check.ts';
import { anthropicMessages, countTokens } from './anthropic-face.ts';
import { messagesParameters, toolMembers } from './anthropic-parameters.ts';
import {
  answerText,
  called,
  documentedMembers,
  oddArguments,
  openAiStream,
  refused,
  requested,
  streamed,
  streamOf,
} from './faces.test-support.ts';

const face = anthropicMessages;
const messagesTypes = ['@anthropic-ai/sdk', 'resources/messages/messages.d.ts'] as const;

function question(more: JsonObject = {}): JsonObject {
  return {
    model: 'm',
    max_tokens: 1024,
    messages: [{ role: 'user', content: 'Hello, world' }],
    ...more,
  };
}

function said(role: string, content: unknown): JsonObject {
  return {
    messages: [
      { role: 'user', content: 'x' },
      { role, content },
      { role: 'user', content: 'y' },
    ],
  };
}

const tool = { name: 'f', description: 'd', input_schema: { type: 'object' } };

describe('a request', () => {
  it('becomes a chat request', () => {
    assert.deepEqual(
      requested(face, question({ system: 'Be brief.', temperature: 0.5, stream: true })),
      {
        model: 'm',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hello, world' },
        ],
        max_tokens: 1024,
        temperature: 0.5,
        stream: true,
        stream_options: { include_usage: true },
      },
    );
  });

  it('keeps calls, their results and their order', () => {
    const messages = [
      { role: 'user', content: 'x' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 's' },
          { type: 'text', text: 'Let me see.' },
          { type: 'tool_use', id: 't1', name: 'f', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 't1',
            content: [{ type: 'text', text: '15 degrees' }],
          },
          { type: 'tool_result', tool_use_id: 't2', content: 'no', is_error: true },
          { type: 'text', text: 'And now?', cache_control: { type: 'ephemeral' } },
        ],
      },
    ];
    assert.deepEqual(requested(face, question({ messages }))['messages'], [
      { role: 'user', content: 'x' },
      {
        role: 'assistant',
        content: 'Let me see.',
        tool_calls: [{ id: 't1', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 't1', content: '15 degrees' },
      { role: 'tool', tool_call_id: 't2', content: 'Error: no' },
      { role: 'user', content: 'And now?' },
    ]);
  });

  it('keeps every character of the input of a tool and of a schema', () => {
    const odd = oddArguments.replace('1e400', '1e4');
    const use = `{"type":"tool_use","id":"a","name":"f","input":${odd}}`;
    const body = `{"model":"m","max_tokens":1,"tools":[{"name":"f","input_schema":${odd}}],"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[${use}]},{"role":"user","content":"y"}]}`;
    const made = called(face, body).body.toString();
    assert.ok(made.includes(`"parameters":${odd}`), made);
    assert.ok(made.includes(`"arguments":${JSON.stringify(odd)}`), made);
  });

  it('shows images of the body and names those at an address', () => {
    const image = (source: JsonObject) => [{ type: 'image', source }];
    const inside = image({ type: 'base64', media_type: 'image/png', data: 'AAAA' });
    const outside = image({ type: 'url', url: 'https://x.example/a.png' });
    const urlOf = (content: unknown): unknown =>
      requested(face, question({ messages: [{ role: 'user', content }] }))['messages'];
    const shown = (url: string) => [
      { role: 'user', content: [{ type: 'image_url', image_url: { url } }] },
    ];
    assert.deepEqual(urlOf(inside), shown('data:image/png;base64,AAAA'));
    assert.deepEqual(urlOf(outside), shown('https://x.example/a.png'));
  });
});

// Parameter, a value that changes something, and what OpenAI's request says then; a text is the refusal.
const rows: readonly (readonly [string, unknown, JsonObject | string])[] = [
  ['max_tokens', 5, { max_tokens: 5 }],
  ['max_tokens', 0, 'invalid_request max_tokens'],
  [
    'system',
    [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ],
    {
      messages: [
        { role: 'system', content: 'a\nb' },
        { role: 'user', content: 'Hello, world' },
      ],
    },
  ],
  ['stop_sequences', ['a', 'b'], { stop: ['a', 'b'] }],
  ['temperature', 1.5, 'invalid_request temperature'],
  ['top_p', 0.9, { top_p: 0.9 }],
  ['top_k', 40, { top_k: 40 }],
  ['metadata', { user_id: 'u' }, { user: 'u' }],
  ['metadata', { other: 'u' }, 'unsupported_parameter metadata.other'],
  [
    'tools',
    [tool],
    {
      tools: [
        {
          type: 'function',
          function: { name: 'f', description: 'd', parameters: { type: 'object' } },
        },
      ],
    },
  ],
  [
    'tools',
    [{ type: 'web_search_20250305', name: 'web_search' }],
    'unsupported_parameter tools[0].type',
  ],
  [
    'tools',
    [{ ...tool, input_examples: [{ a: 1 }] }],
    'unsupported_parameter tools[0].input_examples',
  ],
  ['tool_choice', { type: 'auto' }, { tool_choice: 'auto' }],
  ['tool_choice', { type: 'none' }, { tool_choice: 'none' }],
  [
    'tool_choice',
    { type: 'any', disable_parallel_tool_use: true },
    { tool_choice: 'required', parallel_tool_calls: false },
  ],
  [
    'tool_choice',
    { type: 'tool', name: 'f' },
    { tool_choice: { type: 'function', function: { name: 'f' } } },
  ],
  ['output_config', { effort: 'high' }, { reasoning_effort: 'high' }],
  ['output_config', { effort: 'max' }, 'unsupported_parameter output_config.effort'],
  [
    'output_config',
    { format: { type: 'json_schema', schema: { type: 'object' } } },
    {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: { type: 'object' }, strict: true },
      },
    },
  ],
  [
    'output_format',
    { type: 'json_schema', schema: {} },
    {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: {}, strict: true },
      },
    },
  ],
  ['thinking', { type: 'enabled', budget_tokens: 2000 }, {}],
  ['thinking', { type: 'adaptive', display: 'omitted' }, {}],
  ['thinking', { type: 'disabled' }, {}],
  ['thinking', { type: 'often' }, 'invalid_request thinking.type'],
  ['context_management', { edits: [{ type: 'clear_thinking_20251015' }] }, {}],
  [
    'context_management',
    { edits: [{ type: 'clear_tool_uses_20250919' }] },
    'unsupported_parameter context_management.edits[0].type',
  ],
  ['service_tier', 'standard_only', {}],
  ['cache_control', { type: 'ephemeral' }, {}],
  ['speed', 'standard', {}],
  ['speed', 'fast', 'unsupported_parameter speed'],
  ['container', 'c', 'unsupported_parameter container'],
  ['diagnostics', {}, 'unsupported_parameter diagnostics'],
  ['inference_geo', 'us', 'unsupported_parameter inference_geo'],
  ['mcp_servers', [{}], 'unsupported_parameter mcp_servers'],
  ['user_profile_id', 'u', 'unsupported_parameter user_profile_id'],
  ['workspace_id', 'w', 'unsupported_parameter workspace_id'],
  ['chat_template', 'x', 'field_not_allowed chat_template'],
  ['something_new', 1, 'unsupported_parameter something_new'],
  [
    'messages',
    [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: 'My answer is' },
    ],
    'unsupported_parameter messages',
  ],
  ['messages', [{ role: 'tool', content: 'x' }], 'invalid_request messages[0].role'],
  [
    'messages',
    [{ role: 'user', content: [{ type: 'document', source: {} }] }],
    'unsupported_parameter messages[0].content[0].type',
  ],
  [
    'messages',
    [{ role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'f' } }] }],
    'unsupported_parameter messages[0].content[0].source.type',
  ],
  [
    'messages',
    [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'tool_result', tool_use_id: 'a' },
        ],
      },
    ],
    'invalid_request messages[0].content[1]',
  ],
  [
    'messages',
    [
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'image' }] }],
      },
    ],
    'unsupported_parameter messages[0].content[0].content[0].type',
  ],
];

test('every parameter is translated, passed over for a reason, or refused by name', () => {
  for (const [name, value, outcome] of rows) {
    const asked = question({ [name]: value });
    if (typeof outcome === 'string') assert.equal(refused(face, asked), outcome, name);
    else
      assert.deepEqual(
        requested(face, asked),
        { ...requested(face, question()), ...outcome },
        name,
      );
  }
});

test('every parameter that the official client knows stands in the table and in the rows above', () => {
  const tested = new Set([
    ...rows.map(([name]) => name),
    'model',
    'stream',
    'temperature',
    'messages',
  ]);
  for (const name of documentedMembers(...messagesTypes, 'MessageCreateParamsBase')) {
    assert.ok(Object.hasOwn(messagesParameters, name), name);
    assert.ok(tested.has(name), `${name} has no row`);
  }
  for (const name of documentedMembers(...messagesTypes, 'Tool')) {
    assert.ok(Object.hasOwn(toolMembers, name), name);
  }
});

test('a block that comes later is refused by name', () => {
  const asked = question(said('assistant', [{ type: 'server_tool_use', id: 'a' }]));
  assert.equal(refused(face, asked), 'unsupported_parameter messages[1].content[0].type');
});

describe('an answer', () => {
  const answer = (message: JsonObject, finish: string, more: JsonObject = {}): JsonObject => ({
    id: 'chatcmpl-1',
    choices: [
      { index: 0, message: { role: 'assistant', ...message }, finish_reason: finish, ...more },
    ],
    usage: {
      prompt_tokens: 25,
      completion_tokens: 15,
      prompt_tokens_details: { cached_tokens: 5 },
    },
  });

  it('becomes a message', () => {
    const text = answerText(called(face, question()), answer({ content: 'Hi! é' }, 'stop'));
    assert.deepEqual(JSON.parse(text), {
      id: 'msg_01928f7eaaaa7bbb8ccc0123456789ab',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [{ type: 'text', text: 'Hi! é' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: {
        input_tokens: 20,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 5,
        output_tokens: 15,
      },
    });
  });

  it('tells why it ended', () => {
    const call = called(face, question({ stop_sequences: ['END'] }));
    const reason = (finish: string, more: JsonObject = {}): unknown =>
      JSON.parse(answerText(call, answer({ content: 'x' }, finish, more))).stop_reason;
    assert.equal(reason('length'), 'max_tokens');
    assert.equal(reason('content_filter'), 'refusal');
    assert.equal(reason('stop', { stop_reason: 'END' }), 'stop_sequence');
    assert.equal(reason('stop', { stop_reason: 128_009 }), 'end_turn');
    assert.equal(reason('stop', { stop_reason: '<|eot|>' }), 'end_turn');
  });

  it('carries calls in the words of the engine', () => {
    const calls = [{ id: 'c', type: 'function', function: { name: 'f', arguments: oddArguments } }];
    const text = answerText(
      called(face, question()),
      answer({ content: null, tool_calls: calls }, 'stop'),
    );
    assert.ok(
      text.includes(`{"type":"tool_use","id":"c","name":"f","input":${oddArguments}}`),
      text,
    );
    assert.ok(text.includes('"stop_reason":"tool_use"'));
  });

  it('leaves out a call that the output limit cut off, and no other broken one', () => {
    const call = called(face, question());
    const calls = [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":' } }];
    const cut = JSON.parse(answerText(call, answer({ content: 'x', tool_calls: calls }, 'length')));
    assert.deepEqual(cut.content, [{ type: 'text', text: 'x' }]);
    const broken = answer({ content: 'x', tool_calls: calls }, 'tool_calls');
    const told = call.answer(
      Buffer.from(JSON.stringify(broken)),
      { requestId: 'r', promptTokens: 0, startedMs: 0 },
      0,
    );
    assert.ok(!told.ok && /no JSON object/.test(told.error));
  });

  it('shows thoughts to who asked for them', () => {
    const thought = answer({ content: 'x', reasoning_content: 'hm' }, 'stop');
    const types = (more: JsonObject): unknown[] =>
      JSON.parse(answerText(called(face, question(more)), thought)).content.map(
        (block: JsonObject) => block['type'],
      );
    assert.deepEqual(types({}), ['text']);
    assert.deepEqual(types({ thinking: { type: 'enabled', budget_tokens: 1024 } }), [
      'thinking',
      'text',
    ]);
  });
});

/** Names and data of the events; fails when one is not whole. */
function eventsOf(text: string): readonly (readonly [string, JsonObject])[] {
  assert.ok(text === '' || text.endsWith('\n\n'));
  return text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      const [, name = '', data = ''] = /^event: (\w+)\ndata: ([^\n]+)$/.exec(event) ?? [];
      const value = JSON.parse(data) as JsonObject;
      assert.equal(value['type'], name);
      return [name, value];
    });
}

const callDeltas: readonly JsonObject[] = [
  { role: 'assistant', content: '' },
  { content: 'Let me see, ' },
  { content: 'é' },
  {
    tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '' } }],
  },
  { tool_calls: [{ index: 0, function: { arguments: oddArguments.slice(0, 9) } }] },
  { tool_calls: [{ index: 0, function: { arguments: oddArguments.slice(9) } }] },
  {
    tool_calls: [
      { index: 1, id: 'c2', type: 'function', function: { name: 'g', arguments: '{}' } },
    ],
  },
];

describe('a stream', () => {
  it('has the events of the documentation in their order', () => {
    const bytes = openAiStream(callDeltas, 'tool_calls');
    const events = eventsOf(streamed(streamOf(called(face, question({ stream: true }))), bytes));
    assert.deepEqual(
      events.map(([name, data]) =>
        data['index'] === undefined ? name : `${name} ${data['index']}`,
      ),
      [
        'message_start',
        'content_block_start 0',
        'ping',
        'content_block_delta 0',
        'content_block_delta 0',
        'content_block_stop 0',
        'content_block_start 1',
        'content_block_delta 1',
        'content_block_delta 1',
        'content_block_stop 1',
        'content_block_start 2',
        'content_block_delta 2',
        'content_block_stop 2',
        'message_delta',
        'message_stop',
      ],
    );
    assert.deepEqual(events[6]?.[1]['content_block'], {
      type: 'tool_use',
      id: 'c1',
      name: 'f',
      input: {},
    });
    const pieces = events
      .slice(7, 9)
      .map(([, data]) => (data['delta'] as JsonObject)['partial_json']);
    assert.equal(pieces.join(''), oddArguments);
    assert.deepEqual(events.at(-2)?.[1], {
      type: 'message_delta',
      delta: { stop_reason: 'tool_use', stop_sequence: null },
      usage: {
        input_tokens: 20,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 5,
        output_tokens: 15,
      },
    });
  });

  it('without content begins and ends', () => {
    const names = eventsOf(streamed(streamOf(called(face, question())), openAiStream([], 'stop')));
    assert.deepEqual(
      names.map(([name]) => name),
      ['message_start', 'message_delta', 'message_stop'],
    );
  });

  it('ends with an error event, its own or ours, and once', () => {
    const stream = streamOf(called(face, question()));
    const event = 'data: {"error":{"message":"out of memory","code":"x"}}\n\ndata: [DONE]\n\n';
    assert.deepEqual(eventsOf(streamed(stream, Buffer.from(event))), [
      ['error', { type: 'error', error: { type: 'api_error', message: 'out of memory' } }],
    ]);
    assert.equal(stream.fail(refusal('bad_gateway', 'cut')).length, 0);
    const cut = streamOf(called(face, question())).fail(refusal('bad_gateway', 'cut')).toString();
    assert.deepEqual(eventsOf(cut), [
      ['error', { type: 'error', error: { type: 'api_error', message: 'cut' } }],
    ]);
  });

  it('tells what makes no sense instead of guessing', () => {
    const words = (deltas: readonly JsonObject[]): string | undefined => {
      const stream = streamOf(called(face, question()));
      streamed(stream, openAiStream(deltas, 'tool_calls'));
      return stream.faultWords;
    };
    const back = { tool_calls: [{ index: 0, function: { arguments: '{}' } }] };
    assert.match(words([...callDeltas, back]) ?? '', /mixed/);
    assert.match(words([{ tool_calls: [{ index: 0, id: 'c' }] }]) ?? '', /without a name/);
    const stream = streamOf(called(face, question()));
    streamed(stream, Buffer.from('data: no json\n\n'));
    assert.match(stream.faultWords ?? '', /no JSON/);
  });
});

holds(
  'any cut of the bytes gives the same events',
  fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (cuts) => {
    const bytes = openAiStream(callDeltas, 'tool_calls');
    const call = called(face, question({ stream: true }));
    assert.equal(streamed(streamOf(call), bytes, cuts), streamed(streamOf(call), bytes));
  }),
  { runs: 300 },
);

test('tokens are counted as an estimate of the prompt, without a limit of the output', () => {
  const asked = { model: 'm', messages: [{ role: 'user', content: 'x'.repeat(40) }] };
  const counted = countTokens(Buffer.from(JSON.stringify(asked)), defaultJsonLimits);
  assert.deepEqual(counted.ok && JSON.parse(counted.value.answer), { input_tokens: 10 });
  const bad = countTokens(Buffer.from('{"model":"m","messages":[]}'), defaultJsonLimits);
  assert.ok(!bad.ok && bad.error.param === 'messages');
});
