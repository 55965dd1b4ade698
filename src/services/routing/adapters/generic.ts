// Any server with OpenAI's interface. It says little, so names are all there is to go by.

import { probeByList, statedContext } from './openai-list.ts';
import type { Adapter } from './probe-result.ts';

export const genericAdapter: Adapter = {
  type: 'generic',
  probe: (context) => probeByList(context, (entry) => ({ contextLength: statedContext(entry) })),
};
