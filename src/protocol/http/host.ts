// The Host header names one host, and only hosts on the list are answered (security 2.3): a page
// that made a browser resolve its own name to this machine still sends its own name here.
//
// Two questions in this order: is it a host at all (400, cases 86 to 90), is it ours (421, case 91).

export type HostVerdict = 'allowed' | 'malformed' | 'foreign';

// reg-name or dotted IPv4 of RFC 3986 without percent escapes, or a bracketed IPv6 address; then a
// port. Zone ids have no business in a Host header.
const hostShape =
  /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_.])?|\[[0-9A-Fa-f:.]{2,45}\])(?::([1-9][0-9]{0,4}))?$/;

/** Is `value` exactly one host with an optional port from 1 to 65535? */
export function isHost(value: string): boolean {
  const match = hostShape.exec(value);
  if (match === null) return false;
  const port = match[1];
  return port === undefined || Number(port) <= 65_535;
}

/**
 * Judges a Host value against exact lower-case entries. An entry with a port allows only that port,
 * an entry without one allows every port.
 */
export function judgeHost(value: string, allowedHosts: ReadonlySet<string>): HostVerdict {
  // Entries are hosts themselves, so an exact hit needs no second look at its shape.
  if (allowedHosts.has(value)) return 'allowed';
  if (!isHost(value)) return 'malformed';
  const lower = value.toLowerCase();
  if (allowedHosts.has(lower)) return 'allowed';
  const name = lower.replace(/:[0-9]+$/, '');
  return name !== lower && !name.endsWith(':') && allowedHosts.has(name) ? 'allowed' : 'foreign';
}
