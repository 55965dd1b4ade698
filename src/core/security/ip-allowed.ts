// The address list of a key or of the installation: a row of the platform specification A.12, held
// here for the deterministic core. Addresses are compared as numbers; an entry may be a CIDR block. A bad entry admits nobody.

import { type IpGroups, isIpv4, parseIp, samePrefix } from './ip-address.ts';

function entryAdmits(groups: IpGroups, entry: string): boolean {
  const match = /^([^/]+)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(entry);
  const network = parseIp(match?.[1] ?? '');
  if (network === undefined) return false;
  const v4 = isIpv4(network);
  const width = v4 && !entry.includes(':') ? 32 : 128;
  const length = match?.[2] === undefined ? width : Number(match[2]);
  if (length > width) return false;
  // A short IPv6 prefix such as ::/0 must not reach into the mapped IPv4 range.
  if (v4 !== isIpv4(groups)) return false;
  return samePrefix(groups, network, length + 128 - width);
}

/** Is `address` equal to an entry of the list, or inside one of its CIDR blocks? */
export function ipAllowed(address: string, list: readonly string[]): boolean {
  const groups = parseIp(address);
  return groups !== undefined && list.some((entry) => entryAdmits(groups, entry));
}
