// The model list of OpenAI's interface, `GET /v1/models` -> `{"data": [{"id"}]}`, which most engines
// answer, and the probe built on it alone.

import type { ProbeAnswer } from '../../../io/http/probe/probe-client.ts';
import { countOf, listOf, memberOf, modelIdOf } from './json-shape.ts';
import { offersOf, type Told } from './offers.ts';
import {
  type HealthyProbe,
  type ProbeContext,
  type ProbeResult,
  successOf,
  unreadable,
} from './probe-result.ts';

type TellEntry = (entry: unknown, id: string) => Told;

/** Tokens that a list entry states, under any of the names in use. */
export function statedContext(entry: unknown): number | undefined {
  return (
    countOf(memberOf(entry, 'max_model_len')) ??
    countOf(memberOf(entry, 'context_length')) ??
    countOf(memberOf(entry, 'context_window')) ??
    countOf(memberOf(entry, 'max_context_length'))
  );
}

export function idOfEntry(entry: unknown): string | undefined {
  return modelIdOf(memberOf(entry, 'id'));
}

type ListReading =
  | { readonly kind: 'list'; readonly entries: readonly unknown[]; readonly latencyMs: number }
  | { readonly kind: 'other'; readonly result: ProbeResult };

/** The entries of an answer; one that is no list keeps the models and warns. */
export function readEntries(answer: ProbeAnswer): ListReading {
  const success = successOf(answer);
  if ('result' in success) return { kind: 'other', result: success.result };
  const { json, latencyMs } = success.reply;
  const entries = listOf(memberOf(json, 'data'));
  if (entries === undefined) return { kind: 'other', result: unreadable(latencyMs) };
  return { kind: 'list', entries, latencyMs };
}

export async function readList({ session, headers }: ProbeContext): Promise<ListReading> {
  return readEntries(await session.get('/v1/models', headers));
}

/** A healthy probe of these entries; an empty list clears the models. */
export function healthyList(
  entries: readonly unknown[],
  latencyMs: number,
  tell: TellEntry,
): HealthyProbe {
  return { kind: 'healthy', ...offersOf(entries, idOfEntry, tell), latencyMs };
}

export async function probeByList(context: ProbeContext, tell: TellEntry): Promise<ProbeResult> {
  const list = await readList(context);
  return list.kind === 'other' ? list.result : healthyList(list.entries, list.latencyMs, tell);
}
