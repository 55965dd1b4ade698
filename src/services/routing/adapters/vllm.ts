// vLLM: the list states each model's window, and guided decoding makes JSON mode work for all. An
// adapter (LoRA) has a `parent` and states no window of its own; a model may be served under any name,
// and `root` is the name that tells what it is.
// Source: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html; `ModelCard` there.

import { guessFromName } from '../../../core/backends/heuristics.ts';
import { labelOf, memberOf, modelIdOf } from './json-shape.ts';
import type { Told } from './offers.ts';
import { healthyList, idOfEntry, readList, statedContext } from './openai-list.ts';
import type { Adapter } from './probe-result.ts';

function parentOf(entry: unknown, entries: readonly unknown[]): unknown {
  const parent = modelIdOf(memberOf(entry, 'parent'));
  return parent === undefined ? undefined : entries.find((other) => idOfEntry(other) === parent);
}

function tell(entry: unknown, id: string, entries: readonly unknown[]): Told {
  const base = parentOf(entry, entries);
  const root = modelIdOf(memberOf(base ?? entry, 'root'));
  const guesses = [id, root ?? id].map(guessFromName);
  return {
    facts: {
      contextLength: statedContext(entry) ?? statedContext(base),
      vision: guesses.some(({ vision }) => vision),
      tools: guesses.some(({ tools }) => tools),
      jsonMode: true,
    },
    // It lists what it serves, and serves from memory.
    runtime: { loaded: true },
  };
}

export const vllmAdapter: Adapter = {
  type: 'vllm',
  async probe(context) {
    const list = await readList(context);
    if (list.kind === 'other') return list.result;
    const { entries, latencyMs } = list;
    const result = healthyList(entries, latencyMs, (entry, id) => tell(entry, id, entries));
    // An extra: a server that does not tell its version is none the worse for it.
    const answer = await context.session.get('/version', context.headers);
    const version = answer.ok ? labelOf(memberOf(answer.json, 'version')) : undefined;
    return { ...result, version };
  },
};
