// What listens on this machine's usual engine ports? Each port is connected to, recognised by the
// shapes of its answers, and probed without any credential. All ports are asked at the same time,
// so a scan lasts as long as its slowest port, at most a few seconds.
//
// Our own ports are never asked: a control plane that discovers itself would route in circles.

import type { BackendType } from '../../base/backend-type.ts';
import type { BackendId } from '../../base/brand.ts';
import type { Model } from '../../core/backends/backend.ts';
import type { ProbeClient } from '../../io/http/probe/probe-client.ts';
import { detectType } from './adapters/detect-type.ts';
import type { ProbeBackend } from './adapters/probe-backend.ts';
import {
  isTrustedOwner,
  type ListeningSocket,
  ownersOf,
  readListeners,
} from './discovery-owner.ts';

export type Heard = {
  readonly port: number;
  readonly answer: 'nothing' | 'not_an_engine' | 'engine';
  /** How long it took to be sure. */
  readonly ms: number;
};

export type FoundEngine = Heard & {
  readonly answer: 'engine';
  /** Canonical base URL. */
  readonly url: string;
  readonly type: BackendType;
  readonly models: readonly Model[];
  /** Undefined where the system does not tell, or when several users share the port. */
  readonly ownerUid: number | undefined;
  /** May it be used as found (R7)? Otherwise it is pending. */
  readonly approved: boolean;
};

export type PortReport = FoundEngine | (Heard & { readonly answer: 'nothing' | 'not_an_engine' });

export type DiscoveryOptions = {
  readonly client: ProbeClient;
  readonly probe: ProbeBackend;
  readonly monotonicMs: () => number;
  readonly ports: readonly number[];
  /** Every port that this installation listens on. */
  readonly ownPorts: readonly number[];
  readonly ownUid: number;
  readonly listeners?: () => Promise<readonly ListeningSocket[]>;
  readonly signal?: AbortSignal;
};

/** exo answers like any other server; only its port is its own. */
const exoPort = 52415;

async function scanPort(
  options: DiscoveryOptions,
  port: number,
  listeners: readonly ListeningSocket[],
): Promise<PortReport> {
  const startedAt = options.monotonicMs();
  const url = `http://127.0.0.1:${port}`;
  const detection = await detectType(options.client, url, options.signal);
  const ms = (): number => options.monotonicMs() - startedAt;
  if (detection.kind !== 'engine') return { port, answer: detection.kind, ms: ms() };
  const type = detection.type === 'generic' && port === exoPort ? 'exo' : detection.type;
  const result = await options.probe(
    {
      id: `scan-${port}` as BackendId,
      url,
      backendType: type,
      apiKeyEnv: undefined,
      discoverySource: 'mdns',
      approved: false,
    },
    options.signal,
  );
  const owners = ownersOf(listeners, port);
  return {
    port,
    answer: 'engine',
    ms: ms(),
    url,
    type,
    models: (result.kind === 'healthy' ? result.models : undefined) ?? [],
    ownerUid: owners.length === 1 ? owners[0] : undefined,
    approved: isTrustedOwner(owners, options.ownUid),
  };
}

/** One report per port asked, in the order of `ports`; own and repeated ports are left out. */
export async function scanLoopback(options: DiscoveryOptions): Promise<readonly PortReport[]> {
  const own = new Set(options.ownPorts);
  const ports = [...new Set(options.ports)].filter((port) => !own.has(port));
  const listeners = await (options.listeners ?? readListeners)();
  return Promise.all(ports.map((port) => scanPort(options, port, listeners)));
}
