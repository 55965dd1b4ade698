// Goal: what would act twice is not copied, and a copy stays out of the caches of prompts. Method:
// bodies as clients send them, read by the production reader.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultJsonLimits } from '../../protocol/openai/json-scan.ts';
import { type RequestKind, readRequestBody } from '../../protocol/openai/request-body.ts';
import { hasSideEffects, shadowBody } from './shadow-body.ts';

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const chat = { model: 'chat', messages: [{ role: 'user', content: 'hi' }] };

function effects(kind: RequestKind, more: object): boolean {
  return hasSideEffects(kind, bytes({ ...chat, ...more }));
}

describe('a copy of a request', () => {
  it('is not made of what stores something or lets the provider act', () => {
    assert.equal(effects('chat', {}), false);
    assert.equal(effects('chat', { tools: [{ type: 'function', function: {} }] }), false);
    assert.equal(effects('chat', { store: true }), true);
    assert.equal(effects('chat', { web_search_options: {} }), true);
    assert.equal(effects('responses', {}), true, 'responses are stored unless store is false');
    assert.equal(effects('responses', { store: false }), false);
    assert.equal(effects('responses', { store: false, tools: [{ type: 'mcp' }] }), true);
    assert.equal(effects('responses', { store: false, previous_response_id: 'r' }), true);
  });

  it('names its model, and its own cache where the engine has one', () => {
    const body = Buffer.from(`  {"model":"chat","messages":[{"role":"user","content":"é {"}]}`);
    const features = readRequestBody('chat', body, defaultJsonLimits, { prefixMax: 0 });
    assert.ok(features.ok);
    const salt = 'ab'.repeat(16);
    const sent = (type: 'vllm' | 'llamacpp' | 'ollama') =>
      JSON.parse(shadowBody(body, features.value, { model: 'next', type, salt }).toString());
    const { messages } = JSON.parse(body.toString());
    assert.deepEqual(sent('vllm'), { cache_salt: salt, model: 'next', messages });
    assert.deepEqual(sent('llamacpp'), { cache_prompt: false, model: 'next', messages });
    assert.deepEqual(sent('ollama'), { model: 'next', messages });
  });
});
