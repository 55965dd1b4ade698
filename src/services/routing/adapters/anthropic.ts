// Anthropic: probed by the model list, never by a message, which would be billed at every probe.

import { anthropicFacts } from '../../../core/backends/heuristics-cloud.ts';
import { probeByList } from './openai-list.ts';
import type { Adapter } from './probe-result.ts';

export const anthropicAdapter: Adapter = {
  type: 'anthropic',
  probe: (context) => probeByList(context, (_entry, id) => anthropicFacts(id)),
};
