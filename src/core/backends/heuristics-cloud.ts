// What the cloud providers' model names mean. Their lists say little more than the id, so the facts
// are tables here; a newer id than the table gets the provider's usual figures, never 4096.

import type { ModelFacts } from './heuristics.ts';

type Row = { readonly mark: string; readonly facts: ModelFacts };

/** First match wins, so narrower marks stand first. */
const openAiRows: readonly Row[] = [
  {
    mark: 'gpt-4o',
    facts: { contextLength: 128_000, vision: true, tools: true, jsonMode: true },
  },
  { mark: 'gpt-4-turbo', facts: { contextLength: 128_000, tools: true, jsonMode: true } },
  { mark: 'gpt-4-32k', facts: { contextLength: 32_768, tools: true, jsonMode: true } },
  { mark: 'gpt-4-', facts: { contextLength: 8_192, tools: true, jsonMode: true } },
  { mark: 'gpt-3.5-turbo-16k', facts: { contextLength: 16_384, tools: true, jsonMode: true } },
  { mark: 'gpt-3.5', facts: { contextLength: 4_096, tools: true, jsonMode: true } },
];

const openAiUsual: ModelFacts = { contextLength: 128_000, tools: true, jsonMode: true };

const googleRows: readonly Row[] = [
  { mark: 'gemini-1.5-', facts: { contextLength: 1_048_576, vision: true, tools: true } },
  { mark: 'gemini-1.0-pro', facts: { contextLength: 32_768, tools: true } },
  { mark: 'gemini-pro', facts: { contextLength: 32_768, tools: true } },
];

const googleUsual: ModelFacts = { contextLength: 32_768 };

function lookUp(rows: readonly Row[], usual: ModelFacts, id: string): ModelFacts {
  const name = id.toLowerCase();
  return rows.find((row) => name.includes(row.mark))?.facts ?? usual;
}

export function openAiFacts(id: string): ModelFacts {
  // `gpt-4` itself, without a dated suffix, has the same window as `gpt-4-0613`.
  const facts = lookUp(openAiRows, openAiUsual, id === 'gpt-4' ? 'gpt-4-' : id);
  return id.toLowerCase().includes('vision') ? { ...facts, vision: true } : facts;
}

export function googleFacts(id: string): ModelFacts {
  return lookUp(googleRows, googleUsual, id);
}

/** Claude models: 200 000 tokens, vision and tools; 8192 output tokens from 3.5 on, 4096 before. */
export function anthropicFacts(id: string): ModelFacts {
  const isOld = /claude-3-(opus|sonnet|haiku)/.test(id.toLowerCase());
  return {
    contextLength: 200_000,
    vision: true,
    tools: true,
    maxOutputTokens: isOld ? 4_096 : 8_192,
  };
}
