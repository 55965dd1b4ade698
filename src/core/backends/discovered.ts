// Engines that come and go by themselves: when two addresses are one listener, and how long somebody
// who has gone stays in the list.
//
// Presence of a found backend:
//
//            missed (fewer than `missesToGo`)
//              ┌────┐      missed enough, or withdrawn
//   present ───┴────┘ ───────────────────────────────► gone ── grace over ──► may be removed
//      ▲                                                │
//      └──────────────────── seen ──────────────────────┘
//
//   P1  Whoever is seen again is present, with the id it had.
//   P2  A withdrawal while gone does not begin the grace anew.

/** A port scan that finds nobody twice in a row; one lost look means little. */
export const missesToGo = 2;

export type Presence =
  | { readonly kind: 'present'; readonly misses: number }
  | { readonly kind: 'gone'; readonly sinceMs: number };

export const seenNow: Presence = Object.freeze({ kind: 'present', misses: 0 });

/** Somebody looked and it was not there. */
export function missed(presence: Presence, nowMs: number): Presence {
  if (presence.kind === 'gone') return presence;
  const misses = presence.misses + 1;
  return misses < missesToGo ? { kind: 'present', misses } : { kind: 'gone', sinceMs: nowMs };
}

/** It said goodbye, or its announcement ran out. */
export function withdrawn(presence: Presence, nowMs: number): Presence {
  return presence.kind === 'gone' ? presence : { kind: 'gone', sinceMs: nowMs };
}

/** Has it been gone for `graceMs` (0 or more)? */
export function isGraceOver(presence: Presence, nowMs: number, graceMs: number): boolean {
  return presence.kind === 'gone' && nowMs - presence.sinceMs >= graceMs;
}

type Endpoint = { readonly scheme: string; readonly host: string; readonly rest: string };

function endpointOf(url: string): Endpoint | undefined {
  const match = /^(https?):\/\/(\[[^\]]+\]|[^/:]+)(.*)$/.exec(url);
  const [, scheme, host, rest] = match ?? [];
  if (scheme === undefined || host === undefined || rest === undefined) return undefined;
  return { scheme, host: host.startsWith('[') ? host.slice(1, -1) : host, rest };
}

function isHere(host: string, ownAddresses: ReadonlySet<string>): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '::1' ||
    /^127(?:\.[0-9]{1,3}){3}$/.test(host) ||
    ownAddresses.has(host)
  );
}

/**
 * Do two canonical base URLs lead to one listener? Equal ones do, and so do two names of this machine
 * with the same scheme, port and path: `localhost`, loopback and `ownAddresses` (IP addresses without
 * brackets). Names of other machines are not resolved. False for texts that are no such URL.
 */
export function sameEndpoint(a: string, b: string, ownAddresses: ReadonlySet<string>): boolean {
  if (a === b) return true;
  const one = endpointOf(a);
  if (one === undefined || !isHere(one.host, ownAddresses)) return false;
  const two = endpointOf(b);
  if (two === undefined || one.rest !== two.rest || one.scheme !== two.scheme) return false;
  return isHere(two.host, ownAddresses);
}

/** Does the canonical URL lead to this machine at one of `ports`? Then it is us. */
export function isOwnEndpoint(
  url: string,
  ports: readonly number[],
  ownAddresses: ReadonlySet<string>,
): boolean {
  const endpoint = endpointOf(url);
  if (endpoint === undefined || !isHere(endpoint.host, ownAddresses)) return false;
  const [, port] = /^:([0-9]+)/.exec(endpoint.rest) ?? [];
  const standard = endpoint.scheme === 'http' ? 80 : 443;
  return ports.includes(port === undefined ? standard : Number(port));
}
