// The header by which a gateway thread tells the control thread who the peer is:
// `{address} {http|https}`. It is stripped from whatever a client sends, and only the control
// thread's private socket believes it. Every rule about loopback uses this address.

export const peerHeader = 'x-tensorforge-peer';

export type Peer = { readonly address: string; readonly isTls: boolean };

export function parsePeer(value: string | undefined): Peer | undefined {
  const match = value === undefined ? null : /^([0-9a-fA-F.:]+) (https?)$/.exec(value);
  if (match === null) return undefined;
  return { address: match[1] as string, isTls: match[2] === 'https' };
}

export function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  return plain === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(plain);
}
