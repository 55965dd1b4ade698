// Bodies against section 4C of the security catalogue, and the facts the router needs of good ones.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { engineControlFields } from './engine-fields.ts';
import { defaultJsonLimits } from './json-scan.ts';
import { type RequestKind, readRequestBody, withModel } from './request-body.ts';

const message = { role: 'user', content: 'hello' };

function read(body: unknown, kind: RequestKind = 'chat') {
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return readRequestBody(kind, bytes, defaultJsonLimits);
}

function refusalOf(body: unknown, kind: RequestKind = 'chat') {
  const result = read(body, kind);
  assert.ok(!result.ok, 'the body was accepted');
  return result.error;
}

function featuresOf(body: unknown, kind: RequestKind = 'chat') {
  const result = read(body, kind);
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

const chat = (more: object) => ({ model: 'm', messages: [message], ...more });

describe('a body that is not one JSON object in UTF-8 is refused with invalid_json', () => {
  const bodies: readonly (readonly [string, string | Buffer])[] = [
    ['161: empty', ''],
    ['162: an open brace', '{'],
    ['163: an array', '[]'],
    ['163: a string', '"x"'],
    ['163: null', 'null'],
    ['163: a number', '5'],
    ['164: trailing bytes', '{"model":"a"} x'],
    ['164: a second object', '{"model":"a"}{"a":1}'],
    ['165: a byte order mark', Buffer.from('\ufeff{"model":"m"}')],
    ['166: bad UTF-8', Buffer.from('7b226d6f64656c223a22ff227d', 'hex')],
    ['166: an overlong slash', Buffer.from('7b226d223a22c0af227d', 'hex')],
    ['166: a surrogate in UTF-8', Buffer.from('7b226d223a22eda080227d', 'hex')],
    ['166: UTF-16', Buffer.from('{"model":"m"}', 'utf16le')],
    ['167: NaN', '{"model":"m","temperature":NaN}'],
    ['167: 1e999', '{"model":"m","temperature":1e999}'],
    ['a bad escape', '{"model":"\\x"}'],
    ['a comment', '{"model":"m"/*x*/}'],
    ['an unclosed string', '{"model":"m'],
  ];
  for (const [name, body] of bodies) {
    it(`case ${name}`, () => {
      const refused = refusalOf(body);
      assert.equal(refused.code, 'invalid_json');
      assert.doesNotMatch(refused.message, /temperature/);
    });
  }
});

it('cases 169 to 174 pass through to the scan', () => {
  assert.equal(refusalOf('{"model":"a","model":"b"}').code, 'duplicate_field');
  assert.equal(refusalOf('{"model":"a","mod\\u0065l":"b"}').code, 'duplicate_field');
  assert.equal(refusalOf('['.repeat(10 * 1024 * 1024)).code, 'json_too_complex');
});

it('case 175: __proto__ and constructor are plain data', () => {
  const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
  const hostile = '{"__proto__":{"stream":true,"polluted":1},"constructor":{"prototype":{"x":1}},';
  const features = featuresOf(`${hostile}"model":"m","messages":[{"role":"a","content":"b"}]}`);
  assert.equal(features.stream, false);
  assert.equal(JSON.stringify(Object.getOwnPropertyNames(Object.prototype)), before);
  assert.equal(Reflect.get({}, 'polluted'), undefined);
  assert.equal(refusalOf('{"__proto__":{"model":"m","messages":[]}}').param, 'model');
});

describe('a member of a wrong type or value is refused with its name', () => {
  const many = (count: number, item: unknown) => Array.from({ length: count }, () => item);
  const bad: readonly (readonly [string, string, unknown, RequestKind?])[] = [
    ['168: lone surrogate', 'model', '{"model":"\\ud800","messages":[]}'],
    ['180: absent', 'model', { messages: [message] }],
    ['180: empty', 'model', { model: '', messages: [message] }],
    ['180: blank', 'model', { model: ' \u00a0', messages: [message] }],
    ['180: a number', 'model', { model: 5, messages: [message] }],
    ['180: null', 'model', { model: null, messages: [message] }],
    ['180: control characters', 'model', { model: 'a\u0007', messages: [message] }],
    ['180: C1 control characters', 'model', { model: 'a\u009b', messages: [message] }],
    ['180: 1001 characters', 'model', { model: 'a'.repeat(1001), messages: [message] }],
    ['183: no messages', 'messages', { model: 'm' }],
    ['183: empty messages', 'messages', chat({ messages: [] })],
    ['183: messages as text', 'messages', chat({ messages: 'hello' })],
    ['184: 4097 messages', 'messages', chat({ messages: many(4097, message) })],
    ['a message that is text', 'messages[0]', chat({ messages: ['hello'] })],
    ['a message without role', 'messages[0].role', chat({ messages: [{ content: 'a' }] })],
    ['content', 'messages[1].content', chat({ messages: [message, { role: 'a', content: 5 }] })],
    ['part', 'messages[0].content[0]', chat({ messages: [{ role: 'a', content: [5] }] })],
    [
      'part text',
      'messages[0].content[0].text',
      chat({ messages: [{ role: 'a', content: [{ type: 'text', text: 5 }] }] }),
    ],
    [
      'an image without address',
      'messages[0].content[0].image_url',
      chat({ messages: [{ role: 'a', content: [{ type: 'image_url', image_url: { url: 5 } }] }] }),
    ],
    ...[-1, 0, 1.5, '5', 2 ** 31, true, [5]].map(
      (value) => [`185: ${value}`, 'max_tokens', chat({ max_tokens: value })] as const,
    ),
    ['185: the newer name', 'max_completion_tokens', chat({ max_completion_tokens: 0 })],
    [
      '185: of responses',
      'max_output_tokens',
      { model: 'm', input: 'a', max_output_tokens: '1' },
      'responses',
    ],
    ['186: n 129', 'n', chat({ n: 129 })],
    ['186: n 0', 'n', chat({ n: 0 })],
    ['186: best_of', 'best_of', { model: 'm', prompt: 'a', best_of: 129 }, 'completions'],
    ['187: stream as text', 'stream', chat({ stream: 'true' })],
    ['187: stream as a number', 'stream', chat({ stream: 1 })],
    ['stream options', 'stream_options', chat({ stream_options: true })],
    [
      'usage as text',
      'stream_options.include_usage',
      chat({ stream_options: { include_usage: 'yes' } }),
    ],
    ['tools as an object', 'tools', chat({ tools: {} })],
    ['a tool as text', 'tools[0]', chat({ tools: ['x'] })],
    ['a response format as text', 'response_format', chat({ response_format: 'json' })],
    ['188: no input', 'input', { model: 'm' }, 'embeddings'],
    ['188: 0 inputs', 'input', { model: 'm', input: [] }, 'embeddings'],
    ['188: 2049 inputs', 'input', { model: 'm', input: many(2049, 'a') }, 'embeddings'],
    ['188: nested', 'input[0]', { model: 'm', input: [[[1]]] }, 'embeddings'],
    ['188: an empty inner array', 'input[1]', { model: 'm', input: [[1], []] }, 'embeddings'],
    ['188: negative ids', 'input', { model: 'm', input: [1, -1] }, 'embeddings'],
    ['188: fractional ids', 'input[0]', { model: 'm', input: [[1.5]] }, 'embeddings'],
    ['188: ids beside text', 'input', { model: 'm', input: [1, 'a'] }, 'embeddings'],
    ['188: text beside an object', 'input[1]', { model: 'm', input: ['a', {}] }, 'embeddings'],
    ['188: null', 'input', { model: 'm', input: null }, 'embeddings'],
    ['no prompt', 'prompt', { model: 'm' }, 'completions'],
    ['an empty prompt list', 'prompt', { model: 'm', prompt: [] }, 'completions'],
    ['no response input', 'input', { model: 'm' }, 'responses'],
    ['response input as a number', 'input', { model: 'm', input: 5 }, 'responses'],
    ['a response item as text', 'input[0]', { model: 'm', input: ['a'] }, 'responses'],
    [
      'a text format as text',
      'text.format',
      { model: 'm', input: 'a', text: { format: 'x' } },
      'responses',
    ],
  ];
  for (const [name, param, body, kind] of bad) {
    it(`case ${name}`, () => {
      const refused = refusalOf(body, kind);
      assert.deepEqual([refused.code, refused.param], ['invalid_request', param]);
      assert.match(refused.message, /Send /);
    });
  }
});

describe('remote media is flagged', () => {
  const withPart = (part: object) => chat({ messages: [{ role: 'user', content: [part] }] });
  const data = 'data:image/png;base64,AAAA';
  const remote = [
    'http://169.254.169.254/',
    'HTTPS://a/b',
    'file:///etc/passwd',
    '//a',
    ' data:',
    '',
  ];
  for (const url of remote) {
    it(`case 189: ${JSON.stringify(url)}`, () => {
      const part = { type: 'image_url', image_url: { url } };
      assert.equal(featuresOf(withPart(part)).remoteMedia, true);
      assert.equal(featuresOf(withPart({ image_url: url })).remoteMedia, true);
      assert.equal(featuresOf(withPart({ type: 'x', video_url: { url } })).remoteMedia, true);
      assert.equal(featuresOf(withPart({ type: 'x', audio_url: { url } })).remoteMedia, true);
    });
  }

  it('case 189: in the parts and tools of the Responses API', () => {
    const input = (part: object) => ({ model: 'm', input: [{ role: 'user', content: [part] }] });
    const image = (url: string) => input({ type: 'input_image', image_url: url });
    assert.equal(featuresOf(image('http://a/'), 'responses').remoteMedia, true);
    assert.equal(featuresOf(image(data), 'responses').remoteMedia, false);
    const file = input({ type: 'input_file', file_url: 'http://a/' });
    assert.equal(featuresOf(file, 'responses').remoteMedia, true);
    const output = { type: 'function_call_output', output: [{ image_url: 'http://a/' }] };
    assert.equal(featuresOf({ model: 'm', input: [output] }, 'responses').remoteMedia, true);
    const tools = [{ type: 'mcp', server_url: 'http://127.0.0.1/' }];
    assert.equal(featuresOf({ model: 'm', input: 'a', tools }, 'responses').remoteMedia, true);
  });

  it('also when a name seen before would make the parser misread it', () => {
    const body = (name: string) =>
      `{"model":"m","messages":[{"role":"user","content":[{"type":"x","${name}":"http://a/"}]}]}`;
    read(body('\\\\u0069mag'));
    const refused = refusalOf(body('\\u0069mage_url'));
    assert.equal(refused.code, 'invalid_json');
    assert.match(refused.message, /member name/);
  });

  it('and a data: URL is not', () => {
    const features = featuresOf(withPart({ type: 'image_url', image_url: { url: data } }));
    assert.deepEqual([features.remoteMedia, features.needsVision], [false, true]);
  });
});

describe('an engine-control field is refused', () => {
  for (const field of engineControlFields) {
    it(`case 190: ${field}`, () => {
      for (const value of [null, 'x', { a: 1 }]) {
        const refused = refusalOf(chat({ [field]: value }));
        assert.deepEqual([refused.code, refused.param], ['field_not_allowed', field]);
      }
    });
  }

  it('case 190: nor does an escaped name get by', () => {
    const body = '{"model":"m","messages":[{"role":"a"}],"api\\u005fbase":"http://a"}';
    assert.equal(refusalOf(body).code, 'invalid_json');
  });

  it('case 190: a grammar above 16 KiB, however it is given', () => {
    const grammar = 'a'.repeat(16_384);
    assert.equal(featuresOf(chat({ grammar })).model, 'm');
    const large = `${grammar}a`;
    assert.equal(refusalOf(chat({ grammar: large })).param, 'grammar');
    assert.equal(refusalOf(chat({ grammar: 'é'.repeat(8193) })).param, 'grammar');
    assert.equal(refusalOf(chat({ guided_grammar: large })).param, 'guided_grammar');
    const nested = refusalOf(chat({ structured_outputs: { grammar: large } }));
    assert.equal(nested.param, 'structured_outputs.grammar');
  });

  it('unless the key may send it', () => {
    const body = Buffer.from(JSON.stringify(chat({ cache_salt: 'x' })));
    const allowed = new Set(['cache_salt']);
    assert.ok(readRequestBody('chat', body, defaultJsonLimits, { allowedFields: allowed }).ok);
  });
});

describe('the features of a good body', () => {
  it('of chat', () => {
    const features = featuresOf({
      model: 'meta/llama:8b',
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 10,
      max_completion_tokens: 7,
      n: 2,
      response_format: { type: 'json_schema' },
      tools: [{ type: 'function' }],
      messages: [
        { role: 'system', content: 'twelve bytes' },
        { role: 'user', content: [{ type: 'text', text: 'ééé' }] },
        { role: 'assistant', content: null, tool_calls: [] },
      ],
    });
    const { modelStart, modelEnd, ...rest } = features;
    assert.deepEqual(rest, {
      kind: 'chat',
      model: 'meta/llama:8b',
      stream: true,
      includeUsage: true,
      estimatedTokens: 3 + 1 + Math.floor('[{"type":"function"}]'.length / 4),
      maxOutputTokens: 10,
      choices: 2,
      needsVision: false,
      needsTools: true,
      needsJsonMode: true,
      remoteMedia: false,
      prefix: '',
      session: undefined,
    });
    assert.deepEqual([modelStart, modelEnd], [9, 24]);
  });

  it('of completions: text, texts, token ids and lists of them', () => {
    const tokens = (prompt: unknown) =>
      featuresOf({ model: 'm', prompt }, 'completions').estimatedTokens;
    assert.deepEqual(
      [
        tokens('12345678'),
        tokens(['1234', '123']),
        tokens([1, 2, 3]),
        tokens([[1], [2, 3], 'abcd']),
      ],
      [2, 1, 3, 4],
    );
  });

  it('of embeddings: 2048 inputs, and one input of more token ids than that', () => {
    const input = Array.from({ length: 2048 }, () => 'abcd');
    assert.equal(featuresOf({ model: 'm', input }, 'embeddings').estimatedTokens, 2048);
    const ids = Array.from({ length: 8192 }, (_, at) => at);
    assert.equal(featuresOf({ model: 'm', input: ids }, 'embeddings').estimatedTokens, 8192);
  });

  it('of responses', () => {
    const features = featuresOf(
      {
        model: 'm',
        instructions: 'abcd',
        input: [
          { role: 'user', content: [{ type: 'input_text', text: 'abcdefgh' }] },
          { type: 'function_call_output', output: 'abcd' },
        ],
        max_output_tokens: 5,
        text: { format: { type: 'json_object' } },
      },
      'responses',
    );
    assert.equal(features.estimatedTokens, 4);
    assert.deepEqual([features.maxOutputTokens, features.needsJsonMode], [5, true]);
  });

  it('null counts as absent, as OpenAI clients send it', () => {
    const features = featuresOf(
      chat({ stream: null, max_tokens: null, n: null, tools: null, response_format: null }),
    );
    assert.deepEqual(
      [features.stream, features.maxOutputTokens, features.choices, features.needsTools],
      [false, undefined, 1, false],
    );
  });

  it('unknown members are no fault', () => {
    assert.equal(featuresOf(chat({ reasoning_effort: 'low', seed: 5, stop: 'a' })).model, 'm');
  });
});

describe('withModel', () => {
  it('changes the bytes of the model and no other', () => {
    const json =
      '{ "é":"\\u00e9", "messages":[{"role":"user","content":"model"}],"model" : "a" ,"n":1}';
    const body = Buffer.from(json);
    const features = featuresOf(body);
    assert.equal(withModel(body, features, 'a'), body);
    assert.equal(withModel(body, features, 'ü"b').toString(), json.replace('"a"', '"ü\\"b"'));
  });

  it('gives a body with the new model and all else equal', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 });
    const key = text.filter((name) => JSON.stringify(name) === `"${name}"`);
    const extra = fc.dictionary(key, fc.jsonValue({ depthSize: 'small' }), { maxKeys: 4 });
    const known = new Set(Object.keys(chat({})));
    const model = text.filter((id) => id.trim() !== '' && !/[\0-\x1f\x7f-\x9f]/.test(id));
    fc.assert(
      fc.property(extra, model, text, fc.nat(4), (members, from, to, place) => {
        const entries = Object.entries(members).filter(
          ([name]) => !known.has(name) && !engineControlFields.has(name),
        );
        entries.splice(place, 0, ['model', from], ['messages', [message]]);
        const body = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
        const out = withModel(body, featuresOf(body), to);
        assert.deepEqual(JSON.parse(out.toString()), { ...JSON.parse(body.toString()), model: to });
        const { modelStart, modelEnd } = featuresOf(body);
        assert.ok(out.subarray(0, modelStart).equals(body.subarray(0, modelStart)));
        const tail = body.subarray(modelEnd);
        assert.ok(out.subarray(out.length - tail.length).equals(tail));
      }),
      { seed: 20_260_112, numRuns: 2000 },
    );
  });
});

describe('what keeps requests together', () => {
  const kept = (body: unknown, prefixMax: number) => {
    const bytes = Buffer.from(JSON.stringify(body));
    const result = readRequestBody('chat', bytes, defaultJsonLimits, { prefixMax });
    assert.ok(result.ok, JSON.stringify(result));
    return result.value;
  };
  const messages = [
    { role: 'system', content: 'You are kind. ' },
    { role: 'user', content: [{ type: 'text', text: 'Who are you?' }] },
  ];

  it('the beginning of the prompt over its messages, as far as it is asked for', () => {
    assert.equal(kept({ model: 'm', messages }, 20).prefix, 'You are kind. Who ar');
    assert.equal(kept({ model: 'm', messages }, 1024).prefix, 'You are kind. Who are you?');
    assert.equal(kept({ model: 'm', messages }, 0).prefix, '');
  });

  it('prompt_cache_key before user, and nothing that is no text', () => {
    const session = (more: object) => kept({ model: 'm', messages, ...more }, 0).session;
    assert.equal(session({ prompt_cache_key: 'a', user: 'b' }), 'a');
    assert.equal(session({ user: 'b' }), 'b');
    assert.equal(session({ prompt_cache_key: 7, user: '' }), undefined);
  });
});
