// Anthropic: probed by the model list, never by a message, which would be billed at every probe. Newer
// answers state limits and abilities of each model; otherwise its family speaks for it.
// Source: https://platform.claude.com/docs/en/api/models/list.

import type { ModelFacts } from '../../../core/backends/heuristics.ts';
import { anthropicFacts } from '../../../core/backends/heuristics-cloud.ts';
import { countOf, flagOf, listOf, memberAt, memberOf, modelIdOf } from './json-shape.ts';
import { healthyList } from './openai-list.ts';
import { type Page, readPages } from './pages.ts';
import type { Adapter } from './probe-result.ts';

const firstPath = '/v1/models?limit=1000';

function readPage(json: unknown): Page | undefined {
  const entries = listOf(memberOf(json, 'data'));
  if (entries === undefined) return undefined;
  const last =
    memberOf(json, 'has_more') === true ? modelIdOf(memberOf(json, 'last_id')) : undefined;
  const next = last === undefined ? undefined : `${firstPath}&after_id=${encodeURIComponent(last)}`;
  return { entries, next };
}

function factsOf(entry: unknown, id: string): ModelFacts {
  const family = anthropicFacts(id);
  const can = (ability: string): boolean | undefined =>
    flagOf(memberAt(entry, 'capabilities', ability, 'supported'));
  return {
    ...family,
    contextLength: countOf(memberOf(entry, 'max_input_tokens')) ?? family.contextLength,
    maxOutputTokens: countOf(memberOf(entry, 'max_tokens')) ?? family.maxOutputTokens,
    vision: can('image_input') ?? family.vision,
    jsonMode: can('structured_outputs'),
  };
}

export const anthropicAdapter: Adapter = {
  type: 'anthropic',
  async probe(context) {
    const list = await readPages(context, firstPath, readPage);
    if (list.kind === 'other') return list.result;
    return healthyList(list.entries, list.latencyMs, (entry, id) => ({
      facts: factsOf(entry, id),
      runtime: { kind: 'chat' },
    }));
  },
};
