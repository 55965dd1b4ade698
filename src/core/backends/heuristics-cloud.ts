// What the cloud providers' model names mean. Their lists say little more than the id, so the facts
// are tables here; a newer id than the table gets the facts of its family, never 4096 tokens. What a
// provider states of a model wins over its table, and what an operator says over both.

import type { ModelFacts } from './heuristics.ts';

type Row = { readonly mark: RegExp; readonly facts: ModelFacts };

const chat = { tools: true, jsonMode: true } as const;
const seeing = { ...chat, vision: true } as const;
/** Models that do not chat; they are known by their names alone. */
const silent = { vision: false, tools: false, jsonMode: false } as const;

/**
 * First match wins, so narrower marks stand first. Fine-tuned models are `ft:` and their base.
 * Source: https://platform.openai.com/docs/models, a page for each model; gpt-4, gpt-4-32k and
 * gpt-3.5 as BR 7.1 has them.
 */
const openAiRows: readonly Row[] = [
  { mark: /embedding/, facts: { ...silent, contextLength: 8_191 } },
  {
    mark: /^(tts-|whisper|dall-e|gpt-image|sora|omni-moderation|text-moderation)/,
    facts: silent,
  },
  {
    mark: /^(ft:)?gpt-5(\.\d+)?-chat/,
    facts: { ...seeing, contextLength: 128_000, maxOutputTokens: 16_384 },
  },
  {
    mark: /^(ft:)?gpt-[5-9]/,
    facts: { ...seeing, contextLength: 400_000, maxOutputTokens: 128_000 },
  },
  {
    mark: /^(ft:)?gpt-4\.1/,
    facts: { ...seeing, contextLength: 1_047_576, maxOutputTokens: 32_768 },
  },
  {
    mark: /gpt-4o|chatgpt-4o|^(ft:)?gpt-4\.5/,
    facts: { ...seeing, contextLength: 128_000, maxOutputTokens: 16_384 },
  },
  { mark: /gpt-4-(turbo|1106|0125|vision)/, facts: { ...chat, contextLength: 128_000 } },
  { mark: /gpt-4-32k/, facts: { ...chat, contextLength: 32_768 } },
  { mark: /^(ft:)?gpt-4($|-|:)/, facts: { ...chat, contextLength: 8_192 } },
  { mark: /gpt-3\.5-turbo-16k/, facts: { ...chat, contextLength: 16_384 } },
  { mark: /gpt-3\.5/, facts: { ...chat, contextLength: 4_096 } },
  { mark: /gpt-oss/, facts: { ...chat, contextLength: 131_072 } },
  { mark: /^(ft:)?o1-(mini|preview)/, facts: { contextLength: 128_000, tools: false } },
  { mark: /^(ft:)?o[13]-?mini/, facts: { ...chat, contextLength: 200_000 } },
  {
    mark: /^(ft:)?(o[1-9]|codex-)/,
    facts: { ...seeing, contextLength: 200_000, maxOutputTokens: 100_000 },
  },
];

const openAiUsual: ModelFacts = { contextLength: 128_000, tools: true, jsonMode: true };

/** Source: https://ai.google.dev/gemini-api/docs/models; the list itself states the windows. */
const googleRows: readonly Row[] = [
  { mark: /gemini-1\.0-pro|gemini-pro($|-vision)/, facts: { contextLength: 32_768, tools: true } },
  { mark: /gemini-/, facts: { ...seeing, contextLength: 1_048_576 } },
];

const googleUsual: ModelFacts = { contextLength: 32_768 };

/** Source: https://platform.claude.com/docs/en/about-claude/models/overview. */
const anthropicOutputs: readonly (readonly [RegExp, number])[] = [
  [/claude-3-(opus|sonnet|haiku)/, 4_096],
  [/claude-3-5/, 8_192],
  [/claude-opus-4(-1|-0|-20)/, 32_000],
  [/claude-(3-7|sonnet|haiku|opus)/, 64_000],
];

/** Of an id of no family that is known: what the family has had since 3.5 at least. */
const anthropicOutputUsual = 8_192;

function lookUp(rows: readonly Row[], usual: ModelFacts, id: string): ModelFacts {
  const name = id.toLowerCase();
  return rows.find((row) => row.mark.test(name))?.facts ?? usual;
}

export function openAiFacts(id: string): ModelFacts {
  const facts = lookUp(openAiRows, openAiUsual, id);
  return id.toLowerCase().includes('vision') ? { ...facts, vision: true } : facts;
}

export function googleFacts(id: string): ModelFacts {
  return lookUp(googleRows, googleUsual, id);
}

/** Claude models: 200 000 tokens, vision and tools; what they write at most differs by family. */
export function anthropicFacts(id: string): ModelFacts {
  const name = id.toLowerCase();
  const known = anthropicOutputs.find(([mark]) => mark.test(name))?.[1];
  return {
    contextLength: 200_000,
    vision: true,
    tools: true,
    maxOutputTokens: known ?? anthropicOutputUsual,
  };
}
