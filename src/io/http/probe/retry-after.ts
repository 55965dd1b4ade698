// How long a peer wants to be left alone: Retry-After is a number of seconds or a point in time
// (RFC 9110, 10.2.3). A point in time is held against the Date of the same answer, so that neither
// our clock nor the peer's needs to be right.

const seconds = /^[0-9]{1,6}$/;
/** The form that RFC 9110, 5.6.7 asks senders for; the two obsolete ones are not read. */
const httpDate =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$/;

function instantOf(text: string): number {
  return httpDate.test(text) ? Date.parse(text) : Number.NaN;
}

/**
 * Whole seconds from 0, rounded up. Undefined when `text` has neither form, or is a time and `date`,
 * the Date header beside it, is missing or unreadable.
 */
export function retryAfterSeconds(text: string, date: string): number | undefined {
  if (seconds.test(text)) return Number(text);
  const waitMs = instantOf(text) - instantOf(date);
  return Number.isFinite(waitMs) ? Math.max(0, Math.ceil(waitMs / 1000)) : undefined;
}
