// exo: a cluster of consumer machines behind OpenAI's interface.

import { probeByList, statedContext } from './openai-list.ts';
import type { Adapter } from './probe-result.ts';

export const exoAdapter: Adapter = {
  type: 'exo',
  probe: (context) => probeByList(context, (entry) => ({ contextLength: statedContext(entry) })),
};
