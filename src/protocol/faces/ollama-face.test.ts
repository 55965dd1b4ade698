// Goal: a client of Ollama's API gets what it would get from Ollama, or hears by name what it cannot
// have; what controls the engine is refused as such.
// Method: the examples of Ollama's documentation; every parameter that its official client knows;
// streams in any cut.

import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { refusal } from '../../errors/tensorforge-error.ts';
import type { JsonObject } from '../openai/member-check.ts';
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
import { ollamaFaces } from './ollama-face.ts';
import {
  chatParameters,
  embeddingsParameters,
  embedParameters,
  generateParameters,
  messageMembers,
  optionMembers,
} from './ollama-parameters.ts';

const { chat, generate, embed, embeddings } = ollamaFaces;
const png = 'iVBORw0KGgoAAAA';

function question(more: JsonObject = {}): JsonObject {
  const messages = [{ role: 'user', content: 'why is the sky blue?' }];
  return { model: 'm', messages, stream: false, ...more };
}

describe('a request', () => {
  it('streams unless it says otherwise', () => {
    const asked = { ...question(), stream: undefined };
    assert.deepEqual(requested(chat, asked), {
      model: 'm',
      messages: [{ role: 'user', content: 'why is the sky blue?' }],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('to generate is a conversation of one message', () => {
    const asked = { model: 'm', prompt: 'Hi', system: 'Be brief.', stream: false, images: [png] };
    assert.deepEqual(requested(generate, asked), {
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Hi' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
          ],
        },
      ],
    });
  });

  it('names calls that have no ids, and finds the call of each result', () => {
    const call = (name: string): JsonObject => ({ function: { name, arguments: { a: 1 } } });
    const messages = [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: '', tool_calls: [call('f'), call('g')] },
      { role: 'tool', tool_name: 'g', content: 'second' },
      { role: 'tool', content: 'first' },
    ];
    const made = requested(chat, question({ messages }))['messages'];
    const made1 = { type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
    const made2 = { type: 'function', function: { name: 'g', arguments: '{"a":1}' } };
    assert.deepEqual(made, [
      { role: 'user', content: 'x' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'call_0', ...made1 },
          { id: 'call_1', ...made2 },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'second' },
      { role: 'tool', tool_call_id: 'call_0', content: 'first' },
    ]);
    const lone = question({ messages: [{ role: 'tool', content: 'x' }] });
    assert.equal(refused(chat, lone), 'invalid_request messages[0]');
  });

  it('keeps every character of arguments, tools and schemas', () => {
    const odd = oddArguments.replace('1e400', '1e4');
    const tools = `[{"type":"function","function":{"name":"f","parameters":${odd}}}]`;
    const body = `{"model":"m","tools":${tools},"format":${odd},"messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":${odd}}}]},{"role":"tool","content":"y"}]}`;
    const made = called(chat, body).body.toString();
    assert.ok(made.includes(`"tools":${tools}`), made);
    assert.ok(made.includes(`"schema":${odd}`), made);
    assert.ok(made.includes(`"arguments":${JSON.stringify(odd)}`), made);
  });

  it('to embed becomes a request for floats', () => {
    assert.deepEqual(
      requested(embed, { model: 'm', input: ['a', 'b'], dimensions: 8 }, 'embeddings'),
      {
        model: 'm',
        input: ['a', 'b'],
        dimensions: 8,
        encoding_format: 'float',
      },
    );
    assert.deepEqual(
      requested(embeddings, { model: 'm', prompt: 'a', options: { temperature: 1 } }, 'embeddings'),
      { model: 'm', input: 'a', encoding_format: 'float' },
    );
  });
});

// Parameter, a value that changes something, and what OpenAI's request says then; a text is the refusal.
const rows: readonly (readonly [string, unknown, JsonObject | string])[] = [
  ['stream', 'yes', 'invalid_request stream'],
  ['format', 'json', { response_format: { type: 'json_object' } }],
  [
    'format',
    { type: 'object' },
    {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: { type: 'object' }, strict: true },
      },
    },
  ],
  ['format', 'xml', 'invalid_request format'],
  ['think', true, {}],
  ['think', 'high', { reasoning_effort: 'high' }],
  ['think', 'much', 'invalid_request think'],
  ['keep_alive', '5m', 'field_not_allowed keep_alive'],
  ['logprobs', true, 'unsupported_parameter logprobs'],
  ['top_logprobs', 3, 'unsupported_parameter top_logprobs'],
  ['truncate', true, {}],
  ['shift', true, {}],
  [
    'tools',
    [{ type: 'function', function: { name: 'f' } }],
    { tools: [{ type: 'function', function: { name: 'f' } }] },
  ],
  ['tools', [{ type: 'web', function: {} }], 'unsupported_parameter tools[0].type'],
  ['messages', [], 'invalid_request messages'],
  [
    'messages',
    [{ role: 'user', content: 'x', images: ['AAAA'] }],
    'invalid_request messages[0].images[0]',
  ],
  [
    'messages',
    [{ role: 'user', content: 'x', weight: 1 }],
    'unsupported_parameter messages[0].weight',
  ],
  ['base_url', 'http://x', 'field_not_allowed base_url'],
  ['something_new', 1, 'unsupported_parameter something_new'],
];

const optionRows: readonly (readonly [string, unknown, JsonObject | string])[] = [
  ['num_predict', 5, { max_tokens: 5 }],
  ['num_predict', -1, {}],
  ['num_predict', 0, 'invalid_request options.num_predict'],
  ['num_ctx', 4096, {}],
  ['num_ctx', 0, 'invalid_request options.num_ctx'],
  ['seed', 42, { seed: 42 }],
  ['temperature', 0.8, { temperature: 0.8 }],
  ['top_k', 20, { top_k: 20 }],
  ['top_p', 0.9, { top_p: 0.9 }],
  ['min_p', 0.1, { min_p: 0.1 }],
  ['stop', ['a'], { stop: ['a'] }],
  ['stop', 'a', { stop: ['a'] }],
  ['presence_penalty', 1.5, { presence_penalty: 1.5 }],
  ['frequency_penalty', 1, { frequency_penalty: 1 }],
  ['repeat_penalty', 1.2, 'unsupported_parameter options.repeat_penalty'],
  ['repeat_last_n', 33, {}],
  ['tfs_z', 0.5, 'unsupported_parameter options.tfs_z'],
  ['typical_p', 0.7, 'unsupported_parameter options.typical_p'],
  ['mirostat', 1, 'unsupported_parameter options.mirostat'],
  ['mirostat_tau', 0.8, {}],
  ['mirostat_eta', 0.6, {}],
  ['penalize_newline', true, 'unsupported_parameter options.penalize_newline'],
  ['numa', false, 'field_not_allowed options.numa'],
  ['num_gpu', 99, 'field_not_allowed options.num_gpu'],
  ['new_option', 1, 'unsupported_parameter options.new_option'],
];

const generateRows: readonly (readonly [string, unknown, string])[] = [
  ['prompt', '', 'invalid_request prompt'],
  ['suffix', 'x', 'unsupported_parameter suffix'],
  ['template', 'x', 'unsupported_parameter template'],
  ['context', [1], 'unsupported_parameter context'],
  ['raw', true, 'unsupported_parameter raw'],
  ['width', 64, 'unsupported_parameter width'],
  ['keep_alive', 0, 'field_not_allowed keep_alive'],
];

test('every parameter is translated, passed over for a reason, or refused by name', () => {
  const check = (asked: JsonObject, outcome: JsonObject | string, name: string): void => {
    if (typeof outcome === 'string') assert.equal(refused(chat, asked), outcome, name);
    else
      assert.deepEqual(
        requested(chat, asked),
        { ...requested(chat, question()), ...outcome },
        name,
      );
  };
  for (const [name, value, outcome] of rows) check(question({ [name]: value }), outcome, name);
  for (const [name, value, outcome] of optionRows) {
    check(question({ options: { [name]: value } }), outcome, name);
  }
  for (const [name, value, outcome] of generateRows) {
    assert.equal(refused(generate, { model: 'm', prompt: 'x', [name]: value }), outcome);
  }
  for (const [face, text] of [
    [embed, 'input'],
    [embeddings, 'prompt'],
  ] as const) {
    const asked = { model: 'm', [text]: 'x' };
    assert.equal(refused(face, { ...asked, keep_alive: 1 }), 'field_not_allowed keep_alive');
    assert.equal(refused(face, { ...asked, [text]: 1 }), `invalid_request ${text}`);
    const controlled = { ...asked, options: { num_thread: 1 } };
    assert.equal(refused(face, controlled), 'field_not_allowed options.num_thread');
  }
});

test('every parameter that the official client knows stands in a table', () => {
  const tables = {
    ChatRequest: chatParameters,
    GenerateRequest: generateParameters,
    EmbedRequest: embedParameters,
    EmbeddingsRequest: embeddingsParameters,
    Options: optionMembers,
    Message: messageMembers,
  };
  for (const [name, table] of Object.entries(tables)) {
    const members = documentedMembers('ollama', 'dist/browser.d.ts', name);
    assert.ok(members.length > 3, name);
    for (const member of members) assert.ok(Object.hasOwn(table, member), `${name}.${member}`);
  }
});

test('the context that is wanted is told, for only the fleet knows what there is', () => {
  assert.equal(called(chat, question({ options: { num_ctx: 4096 } })).contextTokens, 4096);
});

const end = {
  done: true,
  done_reason: 'stop',
  total_duration: 250_000_000,
  load_duration: 0,
  prompt_eval_count: 25,
  prompt_eval_duration: 0,
  eval_count: 15,
  eval_duration: 250_000_000,
};
const created_at = '2026-05-28T20:26:40.250Z';

describe('an answer', () => {
  const answer = (message: JsonObject): JsonObject => ({
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 25, completion_tokens: 15 },
  });

  it('becomes one object', () => {
    const told = (face: typeof chat, asked: JsonObject): unknown =>
      JSON.parse(answerText(called(face, asked), answer({ content: 'Hi', reasoning: 'hm' })));
    assert.deepEqual(told(chat, question()), {
      model: 'm',
      created_at,
      message: { role: 'assistant', content: 'Hi', thinking: 'hm' },
      ...end,
    });
    assert.deepEqual(told(generate, { model: 'm', prompt: 'x', stream: false, think: false }), {
      model: 'm',
      created_at,
      response: 'Hi',
      ...end,
    });
  });

  it('carries calls in the words of the engine, on one line', () => {
    const call = (text: string): JsonObject => ({
      id: 'c',
      function: { name: 'f', arguments: text },
    });
    const message = { content: null, tool_calls: [call(oddArguments), call('{\n "a": 1.0\r\n}')] };
    const text = answerText(called(chat, question()), answer(message));
    assert.ok(text.includes(`{"index":0,"name":"f","arguments":${oddArguments}}`), text);
    assert.ok(text.includes('{"index":1,"name":"f","arguments":{  "a": 1.0 }}'), text);
  });

  it('has vectors in the order of their texts and in the digits of the engine', () => {
    const body =
      '{"data":[{"index":1,"embedding":[2.0,1e-9]},{"index":0,"embedding":[ 1.50 ]}],"usage":{"prompt_tokens":3}}';
    const many = answerText(called(embed, { model: 'm', input: ['a', 'b'] }), body);
    assert.ok(many.includes('"embeddings":[[ 1.50 ],[2.0,1e-9]]'), many);
    assert.equal(JSON.parse(many).prompt_eval_count, 3);
    const one = answerText(
      called(embeddings, { model: 'm', prompt: 'a' }),
      '{"data":[{"embedding":[1.0]}]}',
    );
    assert.equal(one, '{"embedding":[1.0]}');
    const facts = { requestId: 'r', promptTokens: 0, startedMs: 0 };
    for (const bad of ['{}', '{"data":[]}', '{"data":[{"index":5,"embedding":[1]}]}', 'x']) {
      const told = called(embed, { model: 'm', input: 'a' }).answer(Buffer.from(bad), facts, 0);
      assert.ok(!told.ok, bad);
    }
  });
});

const deltas: readonly JsonObject[] = [
  { role: 'assistant', content: '' },
  { reasoning_content: 'hm' },
  { content: 'é' },
  {
    tool_calls: [
      { index: 0, id: 'c', function: { name: 'f', arguments: oddArguments.slice(0, 9) } },
    ],
  },
  { tool_calls: [{ index: 0, function: { arguments: oddArguments.slice(9) } }] },
];

describe('a stream', () => {
  it('has one object a line, calls in one piece, and counts in the last line', () => {
    const lines = streamed(streamOf(called(chat, question())), openAiStream(deltas, 'tool_calls'))
      .trimEnd()
      .split('\n');
    assert.equal(lines.length, 4);
    assert.ok(lines[2]?.includes(`"arguments":${oddArguments}}`), lines[2] ?? '');
    const [thought, text, , last] = lines.map((line) => JSON.parse(line.replace('1e400', '1')));
    assert.deepEqual(thought.message, { role: 'assistant', content: '', thinking: 'hm' });
    assert.deepEqual(text, {
      model: 'm',
      created_at,
      message: { role: 'assistant', content: 'é' },
      done: false,
    });
    const durations = { prompt_eval_duration: 250_000_000, eval_duration: 0 };
    const message = { role: 'assistant', content: '' };
    assert.deepEqual(last, { model: 'm', created_at, message, ...end, ...durations });
  });

  it('ends with an error line, its own or ours', () => {
    const stream = streamOf(called(chat, question()));
    const event = 'data: {"error":{"message":"out of memory"}}\n\n';
    assert.equal(streamed(stream, Buffer.from(event)), '{"error":"out of memory"}\n');
    const cut = streamOf(called(chat, question())).fail(refusal('bad_gateway', 'cut'));
    assert.equal(cut.toString(), '{"error":"cut"}\n');
  });

  it('is at fault where arguments are no object, unless the output limit cut them', () => {
    const bytes = (finish: string): Buffer => openAiStream(deltas.slice(0, 4), finish);
    const broken = streamOf(called(chat, question()));
    assert.doesNotMatch(streamed(broken, bytes('tool_calls')), /"done":true/);
    assert.match(broken.faultWords ?? '', /no JSON object/);
    const text = streamed(streamOf(called(chat, question())), bytes('length'));
    assert.match(text, /"done_reason":"length"/);
    assert.doesNotMatch(text, /tool_calls/);
  });
});

holds(
  'any cut of the bytes gives the same lines',
  fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (cuts) => {
    const bytes = openAiStream(deltas, 'tool_calls');
    const call = called(chat, question());
    assert.equal(streamed(streamOf(call), bytes, cuts), streamed(streamOf(call), bytes));
  }),
  { runs: 300 },
);
