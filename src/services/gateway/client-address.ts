// Who the client is when a proxy stands in between. Forwarded headers count only from peers that the
// operator trusts; then it is the rightmost hop that is not itself trusted, since everything left of
// it is the client's own word.
//
// Behind a TLS proxy a loopback peer is that proxy, so it is trusted; when it names nobody, the
// client is not known, and `0.0.0.0` stands for that: never loopback, never on a list.

import { BlockList, isIP } from 'node:net';

export const unknownAddress = '0.0.0.0';

const headerName = 'x-forwarded-for';

function plain(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

function addNetwork(list: BlockList, network: string): void {
  const [address = '', length] = network.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (length === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(length), family);
}

export class ClientAddresses {
  readonly #trusted = new BlockList();
  readonly #trustsNobody: boolean;

  constructor(options: {
    readonly trustedProxies: readonly string[];
    readonly behindTlsProxy: boolean;
  }) {
    const loopback = options.behindTlsProxy ? ['127.0.0.0/8', '::1'] : [];
    const networks = [...options.trustedProxies, ...loopback];
    for (const network of networks) addNetwork(this.#trusted, network);
    this.#trustsNobody = networks.length === 0;
  }

  #isTrusted(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  /** A proxy carries many clients, so the limit of connections per address is not for it. */
  isProxy(peer: string): boolean {
    return !this.#trustsNobody && this.#isTrusted(plain(peer));
  }

  /** The client's address: the peer's own unless a trusted proxy names another. */
  of(peer: string, rawHeaders: readonly string[]): string {
    const own = plain(peer);
    if (this.#trustsNobody || !this.#isTrusted(own)) return own;
    const hops: string[] = [];
    for (let i = 0; i < rawHeaders.length; i += 2) {
      if (rawHeaders[i]?.toLowerCase() === headerName)
        hops.push(...(rawHeaders[i + 1] ?? '').split(','));
    }
    for (const hop of hops.reverse()) {
      const address = plain(hop.trim());
      if (isIP(address) === 0) return unknownAddress;
      if (!this.#isTrusted(address)) return address;
    }
    return unknownAddress;
  }
}
