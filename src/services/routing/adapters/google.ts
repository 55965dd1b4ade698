// Google: its own list, with windows stated. The key travels in a header: a key in the URL would
// end up in error texts and logs. Source: https://ai.google.dev/api/models.

import { googleFacts } from '../../../core/backends/heuristics-cloud.ts';
import { countOf, listOf, memberOf, modelIdOf, textOf } from './json-shape.ts';
import { offersOf, type Told } from './offers.ts';
import { type Page, readPages } from './pages.ts';
import type { Adapter } from './probe-result.ts';

const firstPath = '/v1beta/models?pageSize=1000';
const tokenLengthMax = 2_048;

function readPage(json: unknown): Page | undefined {
  const entries = listOf(memberOf(json, 'models'));
  if (entries === undefined) return undefined;
  const token = textOf(memberOf(json, 'nextPageToken'))?.slice(0, tokenLengthMax) ?? '';
  const next = token === '' ? undefined : `${firstPath}&pageToken=${encodeURIComponent(token)}`;
  return { entries, next };
}

/** Those that generate; a model for embeddings alone is none that our routes reach there. */
function idOf(entry: unknown): string | undefined {
  const methods = listOf(memberOf(entry, 'supportedGenerationMethods'));
  if (methods === undefined || !methods.includes('generateContent')) return undefined;
  return modelIdOf(memberOf(entry, 'name'))?.replace(/^models\//, '') || undefined;
}

function tell(entry: unknown, id: string): Told {
  const facts = googleFacts(id);
  return {
    facts: {
      ...facts,
      contextLength: countOf(memberOf(entry, 'inputTokenLimit')) ?? facts.contextLength,
      maxOutputTokens: countOf(memberOf(entry, 'outputTokenLimit')),
    },
    runtime: { kind: 'chat' },
  };
}

export const googleAdapter: Adapter = {
  type: 'google',
  async probe(context) {
    const list = await readPages(context, firstPath, readPage);
    if (list.kind === 'other') return list.result;
    const { latencyMs } = list;
    return { kind: 'healthy', ...offersOf(list.entries, idOf, tell), latencyMs };
  },
};
