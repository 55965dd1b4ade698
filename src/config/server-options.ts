// The options of the listener: where it listens, and what it takes from a client before it refuses.
// The caps are the secure defaults of the security specification, section 3: each a named option.

import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { choice, filePath, host, integer, isHost, switched, textList } from './option.ts';

const kib = 1024;
const mib = 1024 * kib;

/** `10.0.0.0/8`, `::1`: an address, or a network with its prefix length. */
function isNetwork(text: string): boolean {
  const [address = '', length, ...surplus] = text.split('/');
  const version = isIP(address);
  if (version === 0 || surplus.length > 0) return false;
  if (length === undefined) return true;
  return /^\d{1,3}$/.test(length) && Number(length) <= (version === 4 ? 32 : 128);
}

/** `example.org` or `example.org:8443`. */
function isHostWithPort(text: string): boolean {
  return isHost(text.replace(/:\d{1,5}$/, '')) || /^\[[0-9a-f:]+\](:\d{1,5})?$/i.test(text);
}

export const serverOptions = {
  host: host({
    fallback: '127.0.0.1',
    flag: '--host',
    variables: ['TENSORFORGE_HOST'],
    words:
      'Address to listen on. Off loopback it needs TLS (server.tls_cert and server.tls_key) or server.behind_tls_proxy.',
  }),
  port: integer({
    fallback: 8120,
    min: 0,
    max: 65535,
    flag: '--port',
    variables: ['TENSORFORGE_PORT'],
    words: 'Port to listen on; 0 takes any free one.',
  }),
  threads: integer({
    // Only Linux lets several threads share one port.
    fallback: () => (process.platform === 'linux' ? availableParallelism() : 1),
    fallbackWords: 'number of cores',
    min: 1,
    max: 256,
    flag: '--threads',
    words: 'Gateway threads.',
  }),
  requestTimeoutSeconds: integer({
    fallback: 300,
    min: 1,
    max: 86_400,
    unit: 's',
    words: 'One deadline for a whole inference request, all its attempts included.',
  }),
  maxConcurrentRequests: integer({
    fallback: 1000,
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    words: 'Inference requests in flight at once over all threads; beyond it, 503.',
  }),
  allowedHosts: textList({
    fallback: [],
    of: 'host names',
    isGood: isHostWithPort,
    words:
      'Host names answered beside the loopback names and the bound address; others get 421 (DNS rebinding).',
  }),
  trustedProxies: textList({
    fallback: [],
    of: 'addresses or networks (CIDR)',
    isGood: isNetwork,
    words: 'Peers whose x-forwarded-for is believed; from everybody else it is dropped.',
  }),
  tlsCert: filePath({
    flag: '--tls-cert',
    words: 'PEM file with the certificate chain; read again on SIGHUP. Needs server.tls_key.',
  }),
  tlsKey: filePath({
    flag: '--tls-key',
    words: 'PEM file with the private key, mode 0600; read again on SIGHUP. Needs server.tls_cert.',
  }),
  tlsMinVersion: choice({
    of: ['1.2', '1.3'],
    fallback: '1.2',
    words: 'Lowest version of TLS that is accepted.',
  }),
  behindTlsProxy: switched({
    fallback: false,
    flag: '--behind-tls-proxy',
    words: 'A proxy in front terminates TLS, so listening off loopback in clear text is meant.',
  }),
  drainSeconds: integer({
    fallback: 30,
    min: 0,
    max: 3600,
    unit: 's',
    flag: '--drain-seconds',
    words: 'How long running requests may go on after SIGTERM before they are cut.',
  }),
  connections: integer({
    fallback: 1024,
    min: 1,
    max: 1_000_000,
    words: 'Client connections in all.',
  }),
  connectionsPerAddress: integer({
    fallback: 256,
    min: 1,
    max: 1_000_000,
    words: 'Client connections of one address; the next one is closed unread.',
  }),
  connectionsReservedPercent: integer({
    fallback: 25,
    min: 0,
    max: 90,
    unit: '%',
    words: 'Share of the connections kept for clients that have shown a valid credential.',
  }),
  pipelinedRequests: integer({
    fallback: 16,
    min: 1,
    max: 1000,
    words:
      'Requests of one connection read ahead: one in service, the rest wait, then reading stops.',
  }),
  headBytes: integer({
    fallback: 16 * kib,
    min: kib,
    max: 64 * kib,
    unit: 'bytes',
    words: 'Request head; beyond it, 431.',
  }),
  headLines: integer({ fallback: 100, min: 10, max: 1000, words: 'Header lines; beyond it, 431.' }),
  targetBytes: integer({
    fallback: 8 * kib,
    min: 256,
    max: 64 * kib,
    unit: 'bytes',
    words: 'Request target; beyond it, 414.',
  }),
  bodyBytes: integer({
    fallback: 10 * mib,
    min: kib,
    max: 512 * mib,
    unit: 'bytes',
    words: 'Body of an inference request; beyond it, 413.',
  }),
  controlBodyBytes: integer({
    fallback: mib,
    min: kib,
    max: 64 * mib,
    unit: 'bytes',
    words: 'Body of a control API request; beyond it, 413.',
  }),
  bodyChunks: integer({
    fallback: 65_536,
    min: 16,
    max: 10_000_000,
    words: 'Chunks of a chunked body; beyond it, 413.',
  }),
  jsonDepth: integer({
    fallback: 64,
    min: 4,
    max: 1000,
    words: 'Nesting of a JSON body; beyond it, 400.',
  }),
  jsonContainers: integer({
    fallback: 100_000,
    min: 100,
    max: 10_000_000,
    words: 'Objects and arrays in a JSON body; beyond it, 400.',
  }),
  jsonMembers: integer({
    fallback: 200_000,
    min: 100,
    max: 10_000_000,
    words: 'Object members in a JSON body; beyond it, 400.',
  }),
  headTimeoutSeconds: integer({
    fallback: 10,
    min: 1,
    max: 600,
    unit: 's',
    words: 'Time a client has for the request head; beyond it, 408.',
  }),
  bodyTimeoutSeconds: integer({
    fallback: 60,
    min: 1,
    max: 3600,
    unit: 's',
    words: 'Time a client has for the request body; beyond it, 408.',
  }),
  bodyMinBytesPerSecond: integer({
    fallback: kib,
    min: 0,
    max: mib,
    unit: 'bytes/s',
    words:
      'Slowest body that is waited for once server.body_grace_seconds are over; below it, 408.',
  }),
  bodyGraceSeconds: integer({
    fallback: 5,
    min: 0,
    max: 600,
    unit: 's',
    words: 'Time before the speed of a body counts.',
  }),
  keepAliveSeconds: integer({
    fallback: 65,
    min: 1,
    max: 3600,
    unit: 's',
    words: 'Idle time after which a kept client connection is closed.',
  }),
  slowReaderSeconds: integer({
    fallback: 30,
    min: 1,
    max: 3600,
    unit: 's',
    words: 'Time a client may leave an answer unread before its request is aborted.',
  }),
  connectionCheckSeconds: integer({
    fallback: 1,
    min: 1,
    max: 60,
    unit: 's',
    words: 'How often the time-outs of client connections are looked at.',
  }),
} as const;
