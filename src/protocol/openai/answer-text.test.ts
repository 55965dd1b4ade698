// Goal: the same words come out of a whole answer and of its stream. Method: answers of each interface.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { textOfAnswer, textOfStream } from './answer-text.ts';

const events = (...values: readonly unknown[]): string =>
  `${values.map((value) => `data: ${JSON.stringify(value)}\n\n`).join('')}data: [DONE]\n\n`;

describe('the text of an answer', () => {
  it('is the same for a chat and its stream, calls of tools included', () => {
    const call = { function: { name: 'weather', arguments: '{"at":"x"}' } };
    const message = { content: 'Hello you', tool_calls: [call] };
    const whole = textOfAnswer({ choices: [{ message }] });
    const streamed = textOfStream(
      events(
        { choices: [{ delta: { role: 'assistant' } }] },
        { choices: [{ delta: { content: 'Hello ' } }] },
        { choices: [{ delta: { content: 'you' } }] },
        { choices: [{ delta: { tool_calls: [{ function: { name: 'weather' } }] } }] },
        { choices: [{ delta: { tool_calls: [{ function: { arguments: '{"at":"x"}' } }] } }] },
        { choices: [], usage: { prompt_tokens: 1 } },
      ),
    );
    assert.equal(whole, 'Hello youweather{"at":"x"}');
    assert.equal(streamed, whole);
  });

  it('is that of completions and of responses', () => {
    assert.equal(textOfAnswer({ choices: [{ text: 'one' }, { text: 'two' }] }), 'onetwo');
    const parts = [{ type: 'output_text', text: 'said' }];
    assert.equal(textOfAnswer({ output: [{ type: 'message', content: parts }] }), 'said');
    const delta = { type: 'response.output_text.delta', delta: 'said' };
    assert.equal(textOfStream(events(delta, { type: 'response.completed' })), 'said');
  });

  it('is empty for what says nothing, whatever it is', () => {
    for (const odd of [null, 1, 'text', [], { choices: 'x' }, { choices: [null] }, { data: [] }]) {
      assert.equal(textOfAnswer(odd), '');
    }
    assert.equal(textOfStream('data: {broken\n\n: ping\n\n'), '');
  });
});
