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

test('OpenAI: windows by family, and a newer id than the table never gets 4096', () => {
  const rows: readonly (readonly [string, number, boolean])[] = [
    ['gpt-4o-2024', 128_000, true],
    ['chatgpt-4o-latest', 128_000, true],
    ['gpt-4-turbo', 128_000, false],
    ['gpt-4-1106-preview', 128_000, false],
    ['gpt-4-vision-preview', 128_000, true],
    ['gpt-4-32k-0613', 32_768, false],
    ['gpt-4-0613', 8_192, false],
    ['gpt-4', 8_192, false],
    ['ft:gpt-4o-mini-2024-07-18:acme::abc', 128_000, true],
    ['gpt-3.5-turbo-16k', 16_384, false],
    ['gpt-3.5-turbo', 4_096, false],
    ['gpt-4.1-nano', 1_047_576, true],
    ['gpt-5', 400_000, true],
    ['gpt-5.2-pro', 400_000, true],
    ['gpt-5-chat-latest', 128_000, true],
    ['gpt-6', 400_000, true],
    ['o1', 200_000, true],
    ['o1-mini', 128_000, false],
    ['o3-mini', 200_000, false],
    ['o3', 200_000, true],
    ['o4-mini-2025-04-16', 200_000, true],
    ['o5', 200_000, true],
    ['text-embedding-3-large', 8_191, false],
    ['a-newer-model', 128_000, false],
  ];
  for (const [id, contextLength, vision] of rows) {
    const model = modelFrom(id, openAiFacts(id));
    assert.deepEqual([model.contextLength, model.supportsVision], [contextLength, vision], id);
  }
  assert.equal(
    modelFrom('text-embedding-3-large', openAiFacts('x-embedding')).supportsTools,
    false,
  );
});

test('Google and Anthropic: the family speaks for an id that the table does not have', () => {
  const google: readonly (readonly [string, number, boolean | undefined])[] = [
    ['gemini-1.5-pro', 1_048_576, true],
    ['gemini-2.5-flash', 1_048_576, true],
    ['gemini-4-ultra', 1_048_576, true],
    ['gemini-pro', 32_768, undefined],
    ['gemini-1.0-pro-001', 32_768, undefined],
    ['something', 32_768, undefined],
  ];
  for (const [id, contextLength, vision] of google) {
    const facts = googleFacts(id);
    assert.deepEqual([facts.contextLength, facts.vision], [contextLength, vision], id);
  }
  const anthropic: readonly (readonly [string, number])[] = [
    ['claude-3-opus-20240229', 4_096],
    ['claude-3-5-sonnet-20241022', 8_192],
    ['claude-3-7-sonnet-latest', 64_000],
    ['claude-opus-4-20250514', 32_000],
    ['claude-opus-4-1-20250805', 32_000],
    ['claude-opus-4-5-20251101', 64_000],
    ['claude-sonnet-5', 64_000],
    ['claude-next', 8_192],
  ];
  for (const [id, maxOutputTokens] of anthropic) {
    const facts = anthropicFacts(id);
    assert.equal(facts.maxOutputTokens, maxOutputTokens, id);
    assert.deepEqual([facts.contextLength, facts.vision, facts.tools], [200_000, true, true], id);
  }
});
