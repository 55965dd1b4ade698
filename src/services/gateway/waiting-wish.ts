// What a request that must wait tells of itself. Its head is read again here, not before: only who
// waits has a use for the wish of a first token in time.

import type { Consideration } from '../../core/routing/decide.ts';
import type { AdmittedHead } from './admission.ts';
import type { RequestRouting } from './request-routing.ts';
import { ownPrefix } from './respond.ts';
import type { Wish } from './waiting-room.ts';

const firstTokenHeaders = [`${ownPrefix}slo-ttft-ms`, 'x-slo-ttft-ms'] as const;

/** The first token that the client asks for, ms after the request; undefined without a good wish. */
function firstTokenMs(headers: AdmittedHead['request']['headers']): number | undefined {
  for (const name of firstTokenHeaders) {
    const text = headers[name];
    if (typeof text === 'string' && /^[1-9]\d{0,6}$/.test(text.trim())) return Number(text);
  }
  return undefined;
}

/** The least that a first token takes, by what was measured of the backends that are full; ms. */
function leastLatencyMs(considered: readonly Consideration[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const { stage, reading } of considered) {
    if (stage === 'capacity') least = Math.min(least, reading.latencyMs);
  }
  return Number.isFinite(least) ? least : 0;
}

/** `tokens` are those of the prompt and of the answer that is expected. */
export function wishOf(head: AdmittedHead, routing: RequestRouting, tokens: number): Wish {
  const { considered, lane, features } = routing;
  const wished = firstTokenMs(head.request.headers);
  return {
    lane,
    model: features.resolvedModel,
    group: head.key.groupName,
    key: head.key.keyId,
    priorityClass: head.priorityClass,
    tokens,
    startByMs:
      wished === undefined ? undefined : head.receivedMs + wished - leastLatencyMs(considered),
    exclusionReasons: considered.length,
  };
}
