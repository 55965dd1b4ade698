// Every process of our own user may join a port that is shared with `reusePort`, and would then be
// handed connections with their credentials (ruling R8). So the listeners of the port are compared
// with the sockets of this process, at start and every few seconds; a stranger stops the serving.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const listenState = '0A';

/** Inodes of the sockets that listen on `port`, from the text of /proc/net/tcp or tcp6. */
export function listenerInodes(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes: string[] = [];
  for (const line of table.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [, local = '', , state] = fields;
    const inode = fields[9];
    if (state === listenState && local.endsWith(`:${wanted}`) && inode !== undefined) {
      inodes.push(inode);
    }
  }
  return inodes;
}

function readTable(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function ownInodes(): Set<string> {
  const inodes = new Set<string>();
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      const match = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${name}`));
      if (match?.[1] !== undefined) inodes.add(match[1]);
    } catch {
      // The descriptor was closed between listing and reading.
    }
  }
  return inodes;
}

/**
 * How many sockets listen on the port that are not of this process; 0 where the system does not
 * tell. Sockets on another address than ours cannot share our connections unless they are wildcards.
 */
export function strangersOn(port: number): number {
  if (process.platform !== 'linux') return 0;
  const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'].map(readTable);
  const listening = tables.flatMap((table) => listenerInodes(table, port));
  if (listening.length === 0) return 0;
  const own = ownInodes();
  return listening.filter((inode) => !own.has(inode)).length;
}
