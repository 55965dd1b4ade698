// Goal: OpenAI's chat and Google's generateContent mean the same on both sides. Method: the examples
// of Google's public documentation, sent through and compared member by member:
//   https://ai.google.dev/api/generate-content
//   https://ai.google.dev/gemini-api/docs/function-calling
//   https://ai.google.dev/gemini-api/docs/thought-signatures
//   https://ai.google.dev/gemini-api/docs/troubleshooting

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { google } from './google.ts';
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

const bodyOf = (more: Parameters<typeof chat>[0]) => requested(google, chat(more)).body;
const pixel = 'data:image/png;base64,iVBORw0KGgo=';

function tool(strict: boolean) {
  const parameters = { type: 'object', properties: { city: { type: 'string' } } };
  return { type: 'function', function: { name: 'get_weather', parameters, strict } };
}

describe('a request', () => {
  it('has the model in its path, percent-encoded, and says there that it streams', () => {
    const bytes = Buffer.from(JSON.stringify(chat()));
    const pathOf = (model: string, isStream: boolean) => {
      const made = google.request(bytes, model, isStream);
      return made.ok ? made.value.path : made.error.message;
    };
    assert.equal(
      pathOf('gemini-2.5-flash', false),
      '/v1beta/models/gemini-2.5-flash:generateContent',
    );
    assert.equal(
      pathOf('a/b?c#d', true),
      '/v1beta/models/a%2Fb%3Fc%23d:streamGenerateContent?alt=sse',
    );
  });

  it('has roles of its own and one place for the system', () => {
    const body = bodyOf({
      messages: [
        { role: 'system', content: 'One.' },
        { role: 'developer', content: 'Two.' },
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: 'Hi' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'See' },
            { type: 'image_url', image_url: { url: pixel } },
          ],
        },
      ],
    });
    assert.deepEqual(body, {
      systemInstruction: { parts: [{ text: 'One.\nTwo.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'Hello' }] },
        { role: 'model', parts: [{ text: 'Hi' }] },
        {
          role: 'user',
          parts: [{ text: 'See' }, { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }],
        },
      ],
      generationConfig: {},
    });
  });

  it('carries sampling, limits and JSON modes', () => {
    const schema = { type: 'object' };
    const body = bodyOf({
      max_tokens: 9,
      temperature: 1.5,
      top_p: 0.9,
      top_k: 40,
      stop: ['a'],
      seed: 7,
      presence_penalty: 0.1,
      frequency_penalty: -0.1,
      reasoning_effort: 'medium',
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
    });
    assert.deepEqual(body['generationConfig'], {
      maxOutputTokens: 9,
      temperature: 1.5,
      topP: 0.9,
      topK: 40,
      stopSequences: ['a'],
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: -0.1,
      responseMimeType: 'application/json',
      responseJsonSchema: schema,
      thinkingConfig: { thinkingBudget: 8192 },
    });
    const plain = bodyOf({ response_format: { type: 'json_object' } });
    assert.deepEqual(plain['generationConfig'], { responseMimeType: 'application/json' });
  });

  it('declares tools and the choice among them', () => {
    const config = (more: object, strict = false) =>
      bodyOf({ tools: [tool(strict)], ...more })['toolConfig'];
    const mode = (name: string) => ({ functionCallingConfig: { mode: name } });
    const parametersJsonSchema = { type: 'object', properties: { city: { type: 'string' } } };
    assert.deepEqual(bodyOf({ tools: [tool(false)] })['tools'], [
      { functionDeclarations: [{ name: 'get_weather', parametersJsonSchema }] },
    ]);
    assert.equal(config({}), undefined);
    assert.deepEqual(config({}, true), mode('VALIDATED'));
    assert.deepEqual(config({ tool_choice: 'auto' }), mode('AUTO'));
    assert.deepEqual(config({ tool_choice: 'none' }), mode('NONE'));
    assert.deepEqual(config({ tool_choice: 'required' }), mode('ANY'));
    const named = { type: 'function', function: { name: 'get_weather' } };
    assert.deepEqual(config({ tool_choice: named }), {
      functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['get_weather'] },
    });
  });

  it('carries calls with their signature and results as objects', () => {
    const call = (id: string, more: object = {}) => ({
      id,
      type: 'function',
      function: { name: 'get_weather', arguments: '{"city":"Köln"}' },
      ...more,
    });
    const signed = { extra_content: { google: { thought_signature: 'c2ln' } } };
    const messages = [
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: '', tool_calls: [call('a', signed), call('b')] },
      { role: 'tool', tool_call_id: 'a', content: '{"degrees":7}' },
      { role: 'tool', tool_call_id: 'b', content: '7 degrees' },
    ];
    const contents = bodyOf({ messages })['contents'];
    assert.ok(Array.isArray(contents));
    const functionCall = (id: string) => ({ id, name: 'get_weather', args: { city: 'Köln' } });
    assert.deepEqual(contents.slice(1), [
      {
        role: 'model',
        parts: [
          { functionCall: functionCall('a'), thoughtSignature: 'c2ln' },
          { functionCall: functionCall('b') },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'a', name: 'get_weather', response: { degrees: 7 } } },
          { functionResponse: { id: 'b', name: 'get_weather', response: { result: '7 degrees' } } },
        ],
      },
    ]);
  });

  it('is refused by name where it cannot be said', () => {
    const image = (url: string) => ({
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
    });
    const cases: readonly (readonly [string, object])[] = [
      ['n', { n: 2 }],
      ['parallel_tool_calls', { parallel_tool_calls: false }],
      ['messages[0].content[0].image_url.url', image('https://example.com/a.png')],
      ['messages[0].content[0].image_url.url', image('data:image/gif;base64,QUJD')],
      ['reasoning_effort', { reasoning_effort: 'xhigh' }],
    ];
    for (const [param, more] of cases) {
      assert.equal(refused(google, chat({ ...more })), `unsupported_parameter ${param}`);
    }
    assert.equal(
      refused(google, chat({ stop: ['a', 'b', 'c', 'd', 'e', 'f'] })),
      'invalid_request stop',
    );
    assert.equal(refused(google, 5), 'invalid_json');
  });
});

function response(parts: readonly object[], finishReason?: string, more: object = {}) {
  return {
    candidates: [{ content: { parts, role: 'model' }, finishReason, index: 0 }],
    usageMetadata: {
      promptTokenCount: 11,
      candidatesTokenCount: 5,
      thoughtsTokenCount: 20,
      cachedContentTokenCount: 4,
      totalTokenCount: 36,
    },
    modelVersion: 'gemini-2.5-flash',
    responseId: 'r1',
    ...more,
  };
}

describe('an answer', () => {
  it('of text becomes a completion; thoughts are counted and left out', () => {
    const parts = [{ text: 'Hm.', thought: true }, { text: 'Hello ' }, { text: 'there' }];
    const completion = answered(google, response(parts, 'STOP'));
    assert.equal(completion['id'], 'chatcmpl-r1');
    assert.deepEqual(choiceOf(completion)['message'], {
      role: 'assistant',
      content: 'Hello there',
      refusal: null,
    });
    assert.deepEqual(completion['usage'], {
      prompt_tokens: 11,
      completion_tokens: 25,
      total_tokens: 36,
      prompt_tokens_details: { cached_tokens: 4 },
      completion_tokens_details: { reasoning_tokens: 20 },
    });
  });

  it('with calls names each of them and keeps the signature for the way back', () => {
    const parts = [
      { functionCall: { name: 'now', args: {} }, thoughtSignature: 'c2ln' },
      { functionCall: { id: 'given', name: 'get_weather', args: { city: 'Köln' } } },
    ];
    const choice = choiceOf(answered(google, response(parts, 'STOP')));
    assert.equal(choice['finish_reason'], 'tool_calls');
    assert.deepEqual(choice['message'], {
      role: 'assistant',
      content: null,
      refusal: null,
      tool_calls: [
        {
          id: 'call_r1_0',
          type: 'function',
          function: { name: 'now', arguments: '{}' },
          extra_content: { google: { thought_signature: 'c2ln' } },
        },
        {
          id: 'given',
          type: 'function',
          function: { name: 'get_weather', arguments: '{"city":"Köln"}' },
        },
      ],
    });
    const messages = [
      { role: 'user', content: 'x' },
      choice['message'],
      { role: 'tool', tool_call_id: 'call_r1_0', content: 'noon' },
    ];
    const again = JSON.stringify(bodyOf({ messages }));
    assert.ok(again.includes('"args":{}},"thoughtSignature":"c2ln"'), again);
  });

  const reasons = [
    ['STOP', 'stop'],
    ['OTHER', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['BLOCKLIST', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter'],
    ['SPII', 'content_filter'],
  ] as const;
  for (const [reason, wanted] of reasons) {
    it(`ended by ${reason} is finished by ${wanted}`, () => {
      const completion = answered(google, response([{ text: 'a' }], reason));
      assert.equal(choiceOf(completion)['finish_reason'], wanted);
    });
  }

  it('to a blocked prompt is an empty one, filtered', () => {
    const blocked = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } };
    const choice = choiceOf(answered(google, blocked));
    assert.equal(choice['finish_reason'], 'content_filter');
    assert.deepEqual(choice['message'], { role: 'assistant', content: '', refusal: null });
  });

  it('of which no completion can be made is told so', () => {
    const media = { inlineData: { mimeType: 'image/png', data: '' } };
    const bad = [
      {},
      [],
      response([{ text: 'a' }]),
      response([], 'MALFORMED_FUNCTION_CALL'),
      response([media], 'STOP'),
      response([{ functionCall: {} }], 'STOP'),
    ];
    for (const body of bad) {
      const answer = google.answer(Buffer.from(JSON.stringify(body)), 'm', facts);
      assert.ok(!answer.ok, JSON.stringify(body));
    }
  });
});

function sse(...events: readonly object[]): Buffer {
  return Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`).join(''));
}

describe('a stream', () => {
  const open = (includeUsage = false) =>
    google.stream('model-1', eventBytesMax, { ...facts, includeUsage });
  const call = { functionCall: { name: 'get_weather', args: { city: 'Köln' } } };
  const whole = sse(
    response([{ text: 'Hm', thought: true }]),
    response([{ text: 'Schön, ' }]),
    response([{ text: '你好' }, call]),
    response([call], 'STOP'),
  );

  it('becomes role, content, calls, a reason, usage and the end mark', () => {
    const stream = open(true);
    const text = streamed(stream, whole);
    const weather = { name: 'get_weather', arguments: '{"city":"Köln"}' };
    assert.deepEqual(assembled(text), {
      content: 'Schön, 你好',
      calls: [
        { id: 'call_r1_0', ...weather },
        { id: 'call_r1_1', ...weather },
      ],
      reasons: ['tool_calls'],
      isDone: true,
    });
    assert.match(eventsOf(text).at(-2) ?? '', /"total_tokens":36/);
    const counts = { promptTokens: 11, completionTokens: 25, cachedTokens: 4 };
    assert.deepEqual(stream.usage(), { kind: 'usage', ...counts });
  });

  it('without a finishReason was cut, and has no end mark', () => {
    const text = streamed(open(), sse(response([{ text: 'a' }])));
    assert.deepEqual(assembled(text), { content: 'a', calls: [], reasons: [], isDone: false });
  });

  it('of a blocked prompt is filtered', () => {
    const text = streamed(open(), sse({ promptFeedback: { blockReason: 'SAFETY' } }));
    assert.deepEqual(assembled(text).reasons, ['content_filter']);
    assert.equal(assembled(text).isDone, true);
  });

  it('with an error, or a call that broke, ends without an end mark', () => {
    const error = { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' };
    const events = eventsOf(streamed(open(), sse(response([{ text: 'a' }]), { error })));
    assert.match(events.at(-1) ?? '', /^\{"error":\{"message":"The model is overloaded\."/);
    const stream = open();
    streamed(stream, sse(response([], 'MALFORMED_FUNCTION_CALL')));
    assert.match(stream.faultWords ?? '', /call of a tool/);
  });
});

describe('an error', () => {
  const body = (reason: string, message = 'API key not valid.') =>
    Buffer.from(
      JSON.stringify({
        error: {
          code: 400,
          message,
          status: 'INVALID_ARGUMENT',
          details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason }],
        },
      }),
    );

  it('about our key is ours, whatever Google calls it', () => {
    assert.equal(google.statusOf(400, body('API_KEY_INVALID')), 401);
    assert.equal(google.statusOf(400, body('SOMETHING')), 400);
    assert.equal(google.statusOf(400, Buffer.from('x')), 400);
  });

  it('keeps the words of the provider, also inside an array', () => {
    const wrapped = Buffer.concat([Buffer.from('['), body('X', 'No.'), Buffer.from(']')]);
    for (const bytes of [body('X', 'No.'), wrapped]) {
      assert.deepEqual(parsed(google.error(400, bytes)), {
        error: {
          message: 'No.',
          type: 'invalid_request_error',
          param: null,
          code: 'invalid_request_error',
          context: { provider_error: 'INVALID_ARGUMENT' },
        },
      });
    }
  });
});
