// Addresses as numbers, so that comparing them cannot be fooled by spelling: `10.0.0.1` and
// `::ffff:a00:1` are one address, and `10.0.0.10` does not start with `10.0.0.1`.
//
// An address is eight 16-bit groups; IPv4 lives in the mapped range ::ffff:0:0/96.

export type IpGroups = readonly number[];

function ipv4Groups(text: string): readonly [number, number] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes: number[] = [];
  for (const part of parts) {
    // No leading zeros: some readers take them as octal.
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(part)) return undefined;
    const byte = Number(part);
    if (byte > 255) return undefined;
    bytes.push(byte);
  }
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  return [a * 256 + b, c * 256 + d];
}

/** The groups of one side of `::`; a dotted IPv4 tail counts as two. */
function groupsOf(side: string): number[] | undefined {
  if (side === '') return [];
  const groups: number[] = [];
  const parts = side.split(':');
  for (const [at, part] of parts.entries()) {
    if (at === parts.length - 1 && part.includes('.')) {
      const tail = ipv4Groups(part);
      if (tail === undefined) return undefined;
      groups.push(...tail);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

function ipv6Groups(text: string): IpGroups | undefined {
  const sides = text.split('::');
  if (sides.length > 2) return undefined;
  const head = groupsOf(sides[0] ?? '');
  const tail = groupsOf(sides[1] ?? '');
  if (head === undefined || tail === undefined) return undefined;
  if (sides.length === 1) return head.length === 8 ? head : undefined;
  // `::` stands for at least one group, and an IPv4 tail only at the very end.
  if ((sides[0] ?? '').includes('.')) return undefined;
  const gap = 8 - head.length - tail.length;
  return gap < 1 ? undefined : [...head, ...new Array<number>(gap).fill(0), ...tail];
}

/** Reads IPv4 or IPv6 text, a `%zone` ignored; undefined for anything else. */
export function parseIp(text: string): IpGroups | undefined {
  if (text.includes(':')) return ipv6Groups(text.replace(/%[A-Za-z0-9._-]+$/, ''));
  const v4 = ipv4Groups(text);
  return v4 === undefined ? undefined : [0, 0, 0, 0, 0, 0xffff, ...v4];
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
