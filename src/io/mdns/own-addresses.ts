// The IP addresses of this machine. They change when a cable is pulled or a network joined, so they are
// read again, but not more often than every few seconds: the question is asked once per packet.

import { networkInterfaces } from 'node:os';

const freshForMs = 5_000;

/** All of them, loopback included, IPv6 without brackets and zone. */
export function readOwnAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => address.split('%')[0] ?? address));
}

/** IPv4 addresses by which other machines may reach this one. */
export function readOutwardAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ internal, family }) => !internal && family === 'IPv4').map((a) => a.address);
}

/** {@link readOwnAddresses}, read again when the last reading is older than five seconds. */
export function ownAddressReader(
  monotonicMs: () => number,
  read: () => ReadonlySet<string> = readOwnAddresses,
): () => ReadonlySet<string> {
  let last = {
    atMs: Number.NEGATIVE_INFINITY,
    addresses: new Set<string>() as ReadonlySet<string>,
  };
  return () => {
    const atMs = monotonicMs();
    if (atMs - last.atMs >= freshForMs) last = { atMs, addresses: read() };
    return last.addresses;
  };
}
