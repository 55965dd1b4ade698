// vLLM: the list states each model's window, and guided decoding makes JSON mode work for all.

import { labelOf, memberOf } from './json-shape.ts';
import { probeByList, statedContext } from './openai-list.ts';
import type { Adapter } from './probe-result.ts';

export const vllmAdapter: Adapter = {
  type: 'vllm',
  async probe(context) {
    const result = await probeByList(context, (entry) => ({
      contextLength: statedContext(entry),
      jsonMode: true,
    }));
    if (result.kind !== 'healthy') return result;
    // An extra: a server that does not tell its version is none the worse for it.
    const answer = await context.session.get('/version', context.headers);
    const version = answer.ok ? labelOf(memberOf(answer.json, 'version')) : undefined;
    return { ...result, version };
  },
};
