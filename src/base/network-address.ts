// Which addresses may be contacted at all (security 2.5). Works on the text of an address, so that
// the same rule judges what an operator typed and every answer of a name server.
//
// An operator's backends may live on loopback and in private networks; that is what self-hosting
// means. Never contacted: addresses that name nobody or everybody, link-local ones and the cloud's
// metadata services, also when an IPv4 address hides inside an IPv6 one.

export type AddressRefusal =
  | 'not_an_address'
  | 'unspecified'
  | 'multicast'
  | 'broadcast'
  | 'link_local'
  | 'metadata'
  | 'reserved';

/** Four octets, or undefined unless `text` is a plain dotted quad without leading zeros. */
export function parseIpv4(text: string): readonly number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const octets: number[] = [];
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part)) return undefined;
    const octet = Number(part);
    if (octet > 255) return undefined;
    octets.push(octet);
  }
  return octets;
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const octets = index === parts.length - 1 ? parseIpv4(part) : undefined;
      const [a, b, c, d] = octets ?? [];
      if (a === undefined || b === undefined || c === undefined || d === undefined) {
        return undefined;
      }
      groups.push(a * 256 + b, c * 256 + d);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

/** Eight 16-bit groups, or undefined unless `text` is an IPv6 address without brackets or zone. */
export function parseIpv6(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '');
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '') : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1) return missing === 0 ? head : undefined;
  return missing >= 1 ? [...head, ...new Array<number>(missing).fill(0), ...tail] : undefined;
}

// AWS, Google, Azure and others (link-local, below), Alibaba, Azure's wire server, Oracle.
const metadataIpv4: readonly string[] = [
  '169.254.169.254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
];

function refuseIpv4(octets: readonly number[]): AddressRefusal | undefined {
  const [a = 0, b = 0] = octets;
  const text = octets.join('.');
  if (metadataIpv4.includes(text)) return 'metadata';
  if (a === 0) return 'unspecified';
  if (a === 169 && b === 254) return 'link_local';
  if (text === '255.255.255.255') return 'broadcast';
  if (a >= 224 && a <= 239) return 'multicast';
  if (a >= 240) return 'reserved';
  return undefined;
}

/** The IPv4 address inside a mapped, compatible, NAT64, 6to4 or Teredo address. */
export function embeddedIpv4(groups: readonly number[]): readonly number[] | undefined {
  const [g0 = 0, g1 = 0, g2 = 0, g3 = 0, g4 = 0, g5 = 0, g6 = 0, g7 = 0] = groups;
  const octets = (high: number, low: number): readonly number[] => [
    high >> 8,
    high & 255,
    low >> 8,
    low & 255,
  ];
  const isZeroTo4 = g0 === 0 && g1 === 0 && g2 === 0 && g3 === 0 && g4 === 0;
  if (isZeroTo4 && g5 === 0xffff) return octets(g6, g7);
  if (isZeroTo4 && g5 === 0 && (g6 !== 0 || g7 > 1)) return octets(g6, g7);
  // SIIT, ::ffff:0:a.b.c.d (RFC 7915).
  if (g0 === 0 && g1 === 0 && g2 === 0 && g3 === 0 && g4 === 0xffff && g5 === 0) {
    return octets(g6, g7);
  }
  // NAT64: the well-known prefix, and the local one of RFC 8215 with a /96 inside.
  if (g0 === 0x64 && g1 === 0xff9b) return octets(g6, g7);
  if (g0 === 0x2002) return octets(g1, g2);
  if (g0 === 0x2001 && g1 === 0) return octets(g6 ^ 0xffff, g7 ^ 0xffff);
  return undefined;
}

function refuseIpv6(groups: readonly number[]): AddressRefusal | undefined {
  const [g0 = 0, g1 = 0] = groups;
  const last = groups[7] ?? 0;
  const isZeroTo6 = groups.slice(0, 7).every((group) => group === 0);
  if (isZeroTo6 && last === 0) return 'unspecified';
  // fd00:ec2::254 and its neighbours: AWS puts all its instance services under fd00:ec2::/32.
  if (g0 === 0xfd00 && g1 === 0x0ec2) return 'metadata';
  if (g0 >= 0xff00) return 'multicast';
  if (g0 >= 0xfe80 && g0 <= 0xfebf) return 'link_local';
  // Site-local, given up by RFC 3879.
  if (g0 >= 0xfec0 && g0 <= 0xfeff) return 'reserved';
  const inner = embeddedIpv4(groups);
  return inner === undefined ? undefined : refuseIpv4(inner);
}

/**
 * Why this address is never contacted for an operator, or undefined when it may be. An IPv4 address
 * inside an IPv6 one is judged by its own rules, as a name server in an IPv6-only network gives it.
 */
export function refuseAddress(address: string): AddressRefusal | undefined {
  const octets = parseIpv4(address);
  if (octets !== undefined) return refuseIpv4(octets);
  // A zone exists only for link-local addresses.
  const groups = parseIpv6(address);
  if (groups === undefined) return address.includes('%') ? 'link_local' : 'not_an_address';
  return refuseIpv6(groups);
}

/** Is it 127.0.0.0/8 or ::1, in whatever dress? */
export function isLoopbackAddress(address: string): boolean {
  const octets = parseIpv4(address);
  if (octets !== undefined) return octets[0] === 127;
  const groups = parseIpv6(address);
  if (groups === undefined) return false;
  if (groups.slice(0, 7).every((group) => group === 0) && groups[7] === 1) return true;
  return embeddedIpv4(groups)?.[0] === 127;
}
