// Header values that we take from a client or write ourselves. What we write must re-parse to the
// same single field; what we take as an id must be harmless in a log, a label and a header.

/** Makes text safe to write as a header value: CR and LF go, anything but visible ASCII, blank and
 * tab becomes `?`, and blanks at the ends go, because a parser drops them anyway. */
export function sanitizeHeaderValue(value: string): string {
  if (/^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/.test(value)) return value;
  return value
    .replace(/[\r\n]+/g, '')
    .replace(/[^\t\x20-\x7e]/gu, '?')
    .trim();
}

/** A client's correlation id if it is one: 1 to 64 of `[A-Za-z0-9._-]`. Otherwise ours is used. */
export function acceptRequestId(value: string | undefined): string | undefined {
  return value !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(value) ? value : undefined;
}

const traceparentShape = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** A W3C trace context, version 00, or undefined: a bad one is dropped, never repaired. */
export function acceptTraceparent(value: string | undefined): string | undefined {
  return value !== undefined && traceparentShape.test(value) ? value : undefined;
}
