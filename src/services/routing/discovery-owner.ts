// Whose is a listening socket on this machine? Linux tells in /proc/net/tcp and tcp6. A listener of
// our own user, of root or of a system account may be used as found; any other waits for approval,
// since any local user could listen on a well-known port first (ruling R7).

import { readFile } from 'node:fs/promises';

export type ListeningSocket = {
  /** Hex, as the kernel prints it. */
  readonly addressHex: string;
  readonly port: number;
  readonly uid: number;
};

const listenState = '0A';
const systemUidMax = 999;

// 127.0.0.0/8 and 0.0.0.0 in the kernel's little-endian words; ::, ::1 and mapped 127.0.0.0/8.
const reachesLoopback = /^(?:[0-9A-F]{6}7F|0{8}|0{32}|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F)$/;

/** The listening sockets of a `/proc/net/tcp` or `tcp6`; lines of another shape are skipped. */
export function parseListeners(text: string): readonly ListeningSocket[] {
  return text.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , uid = ''] = line.trim().split(/\s+/);
    const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(local);
    const [, addressHex, portHex] = match ?? [];
    if (addressHex === undefined || portHex === undefined) return [];
    if (state !== listenState || !/^[0-9]+$/.test(uid)) return [];
    return [{ addressHex, port: Number.parseInt(portHex, 16), uid: Number(uid) }];
  });
}

/** The users whose listeners a connection to loopback at `port` may reach. */
export function ownersOf(listeners: readonly ListeningSocket[], port: number): readonly number[] {
  const uids = listeners
    .filter((socket) => socket.port === port && reachesLoopback.test(socket.addressHex))
    .map(({ uid }) => uid);
  return [...new Set(uids)];
}

/** Ours, root's or a system account's; nobody is trusted whose user is not known. */
export function isTrustedOwner(owners: readonly number[], ownUid: number): boolean {
  return owners.length > 0 && owners.every((uid) => uid === ownUid || uid <= systemUidMax);
}

/** Reads both tables; a machine without them has no known owners. */
export async function readListeners(): Promise<readonly ListeningSocket[]> {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map(async (path) => {
    try {
      return parseListeners(await readFile(path, 'ascii'));
    } catch {
      // Not Linux, or IPv6 is off: no owner is known, so what is found waits for approval.
      return [];
    }
  });
  return (await Promise.all(tables)).flat();
}
