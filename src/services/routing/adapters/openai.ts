// OpenAI, and clouds that speak as it does: the list costs nothing; what each model can do is in our
// table, but for what a list states of itself, as that of some other clouds does.

import type { ModelFacts } from '../../../core/backends/heuristics.ts';
import { openAiFacts } from '../../../core/backends/heuristics-cloud.ts';
import { probeByList, statedContext } from './openai-list.ts';
import type { Adapter } from './probe-result.ts';

function withStated(facts: ModelFacts, entry: unknown): ModelFacts {
  return { ...facts, contextLength: statedContext(entry) ?? facts.contextLength };
}

export const openaiAdapter: Adapter = {
  type: 'openai',
  probe: (context) =>
    probeByList(context, (entry, id) => ({
      facts: withStated(openAiFacts(id), entry),
      runtime: { kind: id.toLowerCase().includes('embedding') ? 'embeddings' : undefined },
    })),
};
