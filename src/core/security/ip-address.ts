// Addresses as numbers, so that comparing them cannot be fooled by spelling: `10.0.0.1` and
// `::ffff:a00:1` are one address, and `10.0.0.10` does not start with `10.0.0.1`.
//
// An address is eight 16-bit groups; IPv4 lives in the mapped range ::ffff:0:0/96.

import { parseIpv4, parseIpv6 } from '../../base/network-address.ts';

export type IpGroups = readonly number[];

/** Reads IPv4 or IPv6 text, a `%zone` ignored; undefined for anything else. */
export function parseIp(text: string): IpGroups | undefined {
  if (text.includes(':')) {
    const bare = text.replace(/%[A-Za-z0-9._-]+$/, '');
    // A dotted tail stands at the very end: `1.2.3.4::` is no address.
    return /\..*::/.test(bare) ? undefined : parseIpv6(bare);
  }
  const [a, b, c, d] = parseIpv4(text) ?? [];
  if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
  return [0, 0, 0, 0, 0, 0xffff, a * 256 + b, c * 256 + d];
}

export function isIpv4(groups: IpGroups): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}

/** Are the first `bits` (0 to 128) of both addresses equal? */
export function samePrefix(a: IpGroups, b: IpGroups, bits: number): boolean {
  for (let at = 0; at < 8; at += 1) {
    const counted = Math.min(16, Math.max(0, bits - at * 16));
    const shift = 16 - counted;
    if ((a[at] ?? 0) >> shift !== (b[at] ?? 0) >> shift) return false;
  }
  return true;
}

/**
 * The name under which attempts of one client are counted: an IPv4 address itself, an IPv6 address
 * by its /64, which one client owns whole. Text that is no address stands for itself.
 */
export function addressBlock(address: string): string {
  const groups = parseIp(address);
  if (groups === undefined) return address;
  if (isIpv4(groups)) {
    const [high = 0, low = 0] = groups.slice(6);
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  }
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}
