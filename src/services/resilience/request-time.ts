// When a request began, from its id: the first 48 bits of a UUID of version 7 are Unix ms. So one
// request is found in the log without an index.

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A request looks at most so long ahead for its outcome: the longest time-out, and some. */
export const requestSpanMs = 15 * 60_000;
/** The id is minted a moment before the first record, by a clock that may be set in between. */
const mintedBeforeMs = 1000;

export type DecisionRef = {
  readonly requestId: string;
  /** Of `{request_id}.{n}`; undefined for a bare request id. */
  readonly attempt: number | undefined;
};

/** Undefined for text that is neither a request id nor a decision id. */
export function parseDecisionRef(text: string): DecisionRef | undefined {
  const parts = /^([0-9a-fA-F-]{36})(?:\.(\d{1,4}))?$/.exec(text);
  const requestId = parts?.[1]?.toLowerCase() ?? '';
  if (!uuidV7.test(requestId)) return undefined;
  return { requestId, attempt: parts?.[2] === undefined ? undefined : Number(parts[2]) };
}

/** Unix ms of a UUID of version 7. */
export function startOfRequest(requestId: string): number {
  return Number.parseInt(requestId.slice(0, 8) + requestId.slice(9, 13), 16);
}

/** Where in time the records of a request are. */
export function windowOfRequest(requestId: string): {
  readonly fromMs: number;
  readonly toMs: number;
} {
  const at = startOfRequest(requestId);
  return { fromMs: at - mintedBeforeMs, toMs: at + requestSpanMs };
}

/** The 16 bytes of the id, as a payload holds them. */
export function bytesOfId(requestId: string): Buffer {
  return Buffer.from(requestId.replaceAll('-', ''), 'hex');
}
