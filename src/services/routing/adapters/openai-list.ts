// The model list of OpenAI's interface, `GET /v1/models` -> `{"data": [{"id"}]}`, which most engines
// answer, and the probe built on it alone.

import type { ModelFacts } from '../../../core/backends/heuristics.ts';
import { countOf, listOf, memberOf, modelIdOf, modelsOf } from './json-shape.ts';
import { type ProbeContext, type ProbeResult, successOf } from './probe-result.ts';

export type FactsOfEntry = (entry: unknown, id: string) => ModelFacts;

/** Tokens that a list entry states, under any of the names in use. */
export function statedContext(entry: unknown): number | undefined {
  return (
    countOf(memberOf(entry, 'max_model_len')) ??
    countOf(memberOf(entry, 'context_length')) ??
    countOf(memberOf(entry, 'context_window'))
  );
}

/**
 * Probes by the model list. An empty list clears the models; one that cannot be read keeps them and
 * warns, since the server is alive.
 */
export async function probeByList(
  context: ProbeContext,
  factsOf: FactsOfEntry,
): Promise<ProbeResult> {
  const success = successOf(await context.session.get('/v1/models', context.headers));
  if ('result' in success) return success.result;
  const { reply } = success;
  const entries = listOf(memberOf(reply.json, 'data'));
  if (entries === undefined) {
    return {
      kind: 'healthy',
      models: undefined,
      latencyMs: reply.latencyMs,
      warning: 'unreadable_model_list',
    };
  }
  const models = modelsOf(entries, (entry) => modelIdOf(memberOf(entry, 'id')), factsOf);
  return { kind: 'healthy', models, latencyMs: reply.latencyMs };
}
