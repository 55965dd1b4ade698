// Goal: nothing of a request is lost without a word, nothing throws, and a stream means the same in
// any cut. Method: every documented parameter of OpenAI's chat is sent to each provider and must be
// translated, refused by its name, or ignored for a reason that its table states; random JSON and
// random cuts do the rest.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { backendTypes } from '../../base/backend-type.ts';
import { anthropicParameters } from './anthropic-request.ts';
import { googleParameters } from './google-request.ts';
import { chat, eventBytesMax, facts, streamed } from './translation.test-support.ts';
import { operationsOf } from './translation.ts';
import { translationOf } from './translations.ts';

const tools = [{ type: 'function', function: { name: 'f' } }];
const format = { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } };

/**
 * Every parameter of https://platform.openai.com/docs/api-reference/chat/create, with a value that
 * asks for something. Deprecated ones are in it.
 */
const documented: Readonly<Record<string, unknown>> = {
  messages: [{ role: 'user', content: 'Other' }],
  model: 'other',
  audio: { voice: 'alloy', format: 'mp3' },
  frequency_penalty: 0.5,
  function_call: 'auto',
  functions: [{ name: 'f' }],
  logit_bias: { '50256': -100 },
  logprobs: true,
  max_completion_tokens: 7,
  max_tokens: 7,
  metadata: { a: 'b' },
  modalities: ['text', 'audio'],
  moderation: { model: 'x' },
  n: 2,
  parallel_tool_calls: false,
  prediction: { type: 'content', content: 'x' },
  presence_penalty: 0.5,
  prompt_cache_key: 'k',
  prompt_cache_options: {},
  prompt_cache_retention: '24h',
  reasoning_effort: 'low',
  response_format: format,
  safety_identifier: 's',
  seed: 7,
  service_tier: 'priority',
  stop: 'x',
  store: true,
  stream: true,
  stream_options: { include_usage: true },
  temperature: 0.5,
  tool_choice: 'required',
  tools,
  top_logprobs: 5,
  top_p: 0.5,
  user: 'u',
  verbosity: 'low',
  web_search_options: {},
};

/** What the path, the model argument or the gateway says instead of a member of the body. */
const saidElsewhere = new Set(['model', 'stream', 'stream_options']);

for (const [type, table] of [
  ['anthropic', anthropicParameters],
  ['google', googleParameters],
] as const) {
  const translation = translationOf(type);
  assert.ok(translation !== undefined);
  const bodyOf = (more: Readonly<Record<string, unknown>>) =>
    translation.request(Buffer.from(JSON.stringify(chat({ tools, ...more }))), 'm', false);
  const plain = bodyOf({});
  assert.ok(plain.ok);

  describe(`${type}: a documented parameter is translated, refused or ignored as its table says`, () => {
    for (const [name, value] of Object.entries(documented)) {
      it(name, () => {
        const rule = table[name];
        assert.ok(rule !== undefined, 'it stands in the table');
        const made = bodyOf({ [name]: value });
        if (rule.kind === 'only') {
          assert.ok(!made.ok);
          assert.equal(`${made.error.code} ${made.error.param}`, `unsupported_parameter ${name}`);
          for (const allowed of [...rule.values, null]) {
            const taken = bodyOf({ [name]: allowed });
            assert.ok(
              taken.ok && taken.value.body.equals(plain.value.body),
              `${allowed} asks nothing`,
            );
          }
          return;
        }
        assert.ok(made.ok, made.ok ? '' : made.error.message);
        const isSaid = !made.value.body.equals(plain.value.body);
        const isSame = name === 'tools' || saidElsewhere.has(name);
        assert.equal(isSaid, rule.kind === 'translated' && !isSame);
        if (rule.kind === 'ignored') assert.ok(rule.because.length > 5);
      });
    }

    it('and a table names no parameter beyond those but top_k', () => {
      const beyond = Object.keys(table).filter((name) => !Object.hasOwn(documented, name));
      assert.deepEqual(beyond, ['top_k']);
    });
  });

  // Strings that mean something, so that random JSON comes deep into the code.
  const word = fc.constantFrom(
    ...['role', 'content', 'type', 'text', 'image_url', 'url', 'tool_calls', 'function', 'name'],
    ...[
      'arguments',
      'id',
      'user',
      'assistant',
      'tool',
      'system',
      '{}',
      'data:image/png;base64,AA==',
    ],
    ...['message', 'candidates', 'parts', 'functionCall', 'error', 'usage', '\ud800', '__proto__'],
    ...Object.keys(documented),
  );
  const { json } = fc.letrec<{ json: unknown }>((tie) => ({
    json: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      word,
      fc.constantFrom(null, true, 0, 1, -1, 1.5, 1e300),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.dictionary(word, tie('json'), { maxKeys: 6 }),
    ),
  }));
  const message = fc.record(
    {
      role: fc.constantFrom('user', 'assistant', 'tool', 'system'),
      content: json,
      tool_calls: fc.array(
        fc.record({ id: word, function: fc.record({ name: word, arguments: word }) }),
      ),
    },
    { requiredKeys: ['role'] },
  );

  holds(
    `${type}: no JSON makes a translation throw`,
    fc.property(
      json,
      fc.array(message, { maxLength: 4 }),
      fc.string(),
      (value, messages, model) => {
        const bytes = Buffer.from(JSON.stringify(value) ?? '');
        const body = { ...(typeof value === 'object' ? value : {}), messages };
        for (const isStream of [false, true]) {
          const made = translation.request(Buffer.from(JSON.stringify(body)), model, isStream);
          if (made.ok) JSON.parse(made.value.body.toString());
          translation.request(bytes, model, isStream);
        }
        translation.answer(bytes, model, facts);
        JSON.parse(translation.error(400, bytes).toString());
        translation.statusOf(400, bytes);
      },
    ),
  );

  holds(
    `${type}: no bytes make a stream throw, and after a fault nothing comes`,
    fc.property(fc.array(fc.oneof(json, fc.string()), { maxLength: 6 }), (events) => {
      const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
      const stream = translation.stream('m', eventBytesMax, facts);
      streamed(stream, Buffer.from(text));
      if (stream.faultWords === undefined) return;
      assert.equal(stream.push(Buffer.from('data: {"type":"message_stop"}\n\n')).length, 0);
      assert.equal(stream.end().length, 0);
    }),
  );

  const content = fc.string({ unit: 'grapheme', maxLength: 12 });
  const eventOf = (text: string): readonly object[] =>
    type === 'anthropic'
      ? [
          { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
          { type: 'ping', filler: text.repeat(500) },
        ]
      : [{ candidates: [{ content: { parts: [{ text }] }, finishReason: 'STOP' }] }];
  const lineEnd = fc.constantFrom('\n', '\r\n', '\r');

  holds(
    `${type}: a stream gives the same events in any cut`,
    fc.property(
      fc.array(content, { maxLength: 5 }),
      lineEnd,
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
      (texts, end, cuts) => {
        const events = texts.flatMap(eventOf);
        const lines = events.map(
          (event) => `event: x${end}data: ${JSON.stringify(event)}${end}${end}`,
        );
        const bytes = Buffer.from(`: hi${end}${end}${lines.join('')}`);
        const open = () => translation.stream('m', eventBytesMax, facts);
        const [whole, cut, single] = [open(), open(), open()];
        const text = streamed(whole, bytes);
        assert.equal(streamed(cut, bytes, cuts), text);
        assert.equal(streamed(single, bytes, [1]), text);
        assert.equal(cut.faultWords, whole.faultWords);
        assert.equal(single.faultWords, whole.faultWords);
      },
    ),
    { runs: 300 },
  );
}

it('a backend type has a translation exactly when it takes chat only', () => {
  for (const type of backendTypes) {
    assert.equal(translationOf(type) !== undefined, operationsOf(type) !== undefined, type);
  }
});
