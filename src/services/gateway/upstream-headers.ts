// What a backend hears of a request beside its body: an allow-list of our own words. No header of
// the client passes but a valid traceparent, its credential least of all; the request id is ours.

export type UpstreamHeaderFacts = {
  /** Our credential for this backend, flat; empty for most. */
  readonly credential: readonly string[];
  readonly isStream: boolean;
  readonly build: string;
  readonly requestId: string;
  readonly traceparent: string | undefined;
};

/** Flat headers, lower-case names. */
export function upstreamHeaders(facts: UpstreamHeaderFacts): readonly string[] {
  const headers = [
    'content-type',
    'application/json',
    'accept',
    facts.isStream ? 'text/event-stream' : 'application/json',
    'user-agent',
    facts.build,
    'x-request-id',
    facts.requestId,
  ];
  if (facts.traceparent !== undefined) headers.push('traceparent', facts.traceparent);
  return facts.credential.length === 0 ? headers : headers.concat(facts.credential);
}
