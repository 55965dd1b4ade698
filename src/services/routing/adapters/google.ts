// Google: its own list, with windows stated. The key travels in a header: a key in the URL would
// end up in error texts and logs.

import { googleFacts } from '../../../core/backends/heuristics-cloud.ts';
import { countOf, listOf, memberOf, modelIdOf, modelsOf } from './json-shape.ts';
import { type Adapter, successOf } from './probe-result.ts';

function idOf(entry: unknown): string | undefined {
  const methods = listOf(memberOf(entry, 'supportedGenerationMethods'));
  if (methods === undefined || !methods.includes('generateContent')) return undefined;
  return modelIdOf(memberOf(entry, 'name'))?.replace(/^models\//, '') || undefined;
}

export const googleAdapter: Adapter = {
  type: 'google',
  async probe({ session, headers }) {
    const success = successOf(await session.get('/v1beta/models?pageSize=1000', headers));
    if ('result' in success) return success.result;
    const { json, latencyMs } = success.reply;
    const entries = listOf(memberOf(json, 'models'));
    if (entries === undefined) {
      return { kind: 'healthy', models: undefined, latencyMs, warning: 'unreadable_model_list' };
    }
    const models = modelsOf(entries, idOf, (entry, id) => {
      const facts = googleFacts(id);
      return {
        ...facts,
        contextLength: countOf(memberOf(entry, 'inputTokenLimit')) ?? facts.contextLength,
        maxOutputTokens: countOf(memberOf(entry, 'outputTokenLimit')),
      };
    });
    return { kind: 'healthy', models, latencyMs };
  },
};
