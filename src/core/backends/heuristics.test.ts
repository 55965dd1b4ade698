// Goal: the merged table of BR 7.2, and that what an engine says wins over what a name suggests.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guessFromName, modelFrom } from './heuristics.ts';
import { anthropicFacts, googleFacts, openAiFacts } from './heuristics-cloud.ts';

test('names that see images', () => {
  for (const id of [
    'llava:13b',
    'BakLLaVA',
    'llama3.2-vision',
    'llama4:scout',
    'gemma-3-12b-it',
    'pixtral-12b',
    'moondream',
    'minicpm-v',
    'gpt-4o-mini',
    'Qwen/Qwen2.5-VL-7B',
  ]) {
    assert.equal(guessFromName(id).vision, true, id);
  }
  for (const id of ['gemma-7b', 'llama3.1:8b', 'mistral', 'phi-4b']) {
    assert.equal(guessFromName(id).vision, false, id);
  }
});

test('names that take tools, and with them JSON mode', () => {
  for (const id of [
    'mistral:7b',
    'llama3.1',
    'llama3.2',
    'Llama3.3:70b',
    'llama4',
    'qwen2.5:7b',
    'qwen3',
    'command-r-plus',
    'firefunction',
    'functionary',
    'hermes-3',
    'gpt-4',
    'gpt-3.5-turbo',
  ]) {
    assert.equal(guessFromName(id).tools, true, id);
    assert.equal(guessFromName(id).jsonMode, true, id);
  }
  assert.equal(guessFromName('llama3:70b').tools, false);
});

test('the longest window in a name is read first', () => {
  const windows = ['phi-3-128k', 'x-32k', 'x-16k', 'x-8k', 'x-4k', 'x'];
  assert.deepEqual(
    windows.map((id) => guessFromName(id).contextLength),
    [131_072, 32_768, 16_384, 8_192, 4_096, undefined],
  );
});

test('an engine that says something is believed over the name', () => {
  const model = modelFrom('llava-128k', { vision: false, contextLength: 2048, jsonMode: true });
  assert.deepEqual(model, {
    id: 'llava-128k',
    name: 'llava-128k',
    contextLength: 2048,
    supportsVision: false,
    supportsTools: false,
    supportsJsonMode: true,
    maxOutputTokens: undefined,
  });
  assert.ok(Object.isFrozen(model));
  assert.equal(modelFrom('x', {}).contextLength, 4096);
});

test('the cloud tables', () => {
  assert.equal(openAiFacts('gpt-4o-2024').contextLength, 128_000);
  assert.equal(openAiFacts('gpt-4o-2024').vision, true);
  assert.equal(openAiFacts('gpt-4-turbo').contextLength, 128_000);
  assert.equal(openAiFacts('gpt-4-32k-0613').contextLength, 32_768);
  assert.equal(openAiFacts('gpt-4-0613').contextLength, 8_192);
  assert.equal(openAiFacts('gpt-4').contextLength, 8_192);
  assert.equal(openAiFacts('gpt-3.5-turbo-16k').contextLength, 16_384);
  assert.equal(openAiFacts('gpt-3.5-turbo').contextLength, 4_096);
  assert.equal(openAiFacts('a-newer-model').contextLength, 128_000, 'never 4096');
  assert.equal(openAiFacts('gpt-4-vision-preview').vision, true);
  assert.equal(googleFacts('gemini-1.5-pro').contextLength, 1_048_576);
  assert.equal(googleFacts('gemini-pro').contextLength, 32_768);
  assert.equal(googleFacts('something').contextLength, 32_768);
  assert.equal(anthropicFacts('claude-3-opus-20240229').maxOutputTokens, 4_096);
  assert.equal(anthropicFacts('claude-3-5-sonnet-20241022').maxOutputTokens, 8_192);
});
