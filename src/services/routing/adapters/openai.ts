// OpenAI itself: the list costs nothing; what each model can do is in our table.

import { openAiFacts } from '../../../core/backends/heuristics-cloud.ts';
import { probeByList } from './openai-list.ts';
import type { Adapter } from './probe-result.ts';

export const openaiAdapter: Adapter = {
  type: 'openai',
  probe: (context) => probeByList(context, (_entry, id) => openAiFacts(id)),
};
