// What a model's name suggests about it. The last resort: what an engine or an operator says wins.
// One table instead of four that disagree (specification BR 7.2); tests are lower-case substrings.

import type { Model } from './backend.ts';

export const contextLengthDefault = 4096;

const visionMarks: readonly string[] = [
  'llava',
  'bakllava',
  'vision',
  'llama4',
  'pixtral',
  'moondream',
  'minicpm-v',
  'gpt-4o',
  '-vl',
];

/** The Gemma models that see images have one of these sizes. */
const gemmaVisionSizes: readonly string[] = ['-4b', '-12b', '-27b'];

const toolMarks: readonly string[] = [
  'mistral',
  'llama3.1',
  'llama3.2',
  'llama3.3',
  'llama4',
  'qwen2.5',
  'qwen3',
  'command-r',
  'firefunction',
  'functionary',
  'hermes',
  'gpt-4',
  'gpt-3.5-turbo',
];

/** Longest first: a test for `8k` would otherwise answer for `128k`. */
const contextMarks: readonly (readonly [string, number])[] = [
  ['128k', 131_072],
  ['32k', 32_768],
  ['16k', 16_384],
  ['8k', 8_192],
  ['4k', 4_096],
];

export type NameGuess = {
  readonly vision: boolean;
  readonly tools: boolean;
  readonly jsonMode: boolean;
  /** Tokens; undefined when the name says nothing. */
  readonly contextLength: number | undefined;
};

/** What the name of a model suggests. */
export function guessFromName(id: string): NameGuess {
  const name = id.toLowerCase();
  const has = (mark: string): boolean => name.includes(mark);
  const tools = toolMarks.some(has);
  return {
    vision: visionMarks.some(has) || (has('gemma') && gemmaVisionSizes.some(has)),
    tools,
    jsonMode: tools,
    contextLength: contextMarks.find(([mark]) => has(mark))?.[1],
  };
}

/** What an engine said about a model; undefined members fall back to the name. */
export type ModelFacts = {
  readonly name?: string | undefined;
  readonly contextLength?: number | undefined;
  readonly vision?: boolean | undefined;
  readonly tools?: boolean | undefined;
  readonly jsonMode?: boolean | undefined;
  readonly maxOutputTokens?: number | undefined;
};

/** A model from what its engine said and, where it was silent, from its name. Frozen. */
export function modelFrom(id: string, facts: ModelFacts): Model {
  const guess = guessFromName(id);
  return Object.freeze({
    id,
    name: facts.name ?? id,
    contextLength: facts.contextLength ?? guess.contextLength ?? contextLengthDefault,
    supportsVision: facts.vision ?? guess.vision,
    supportsTools: facts.tools ?? guess.tools,
    supportsJsonMode: facts.jsonMode ?? guess.jsonMode,
    maxOutputTokens: facts.maxOutputTokens,
  });
}
