// What listens on the usual engine ports of this machine and of the hosts that the configuration names?
// Each is connected to, recognised by the shapes of its answers, and probed without any credential. They
// are asked at the same time, so a scan lasts as long as its slowest, at most a few seconds.
//
// Our own ports are never asked: a control plane that discovers itself would route in circles.

import type { BackendType } from '../../base/backend-type.ts';
import { canonicalBackendUrl } from '../../base/backend-url.ts';
import type { BackendId } from '../../base/brand.ts';
import { isLoopbackAddress } from '../../base/network-address.ts';
import type { Model } from '../../core/backends/backend.ts';
import { isOwnEndpoint } from '../../core/backends/discovered.ts';
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
  readonly host: string;
  readonly port: number;
  /** Canonical base URL that was asked. */
  readonly url: string;
  readonly answer: 'nothing' | 'not_an_engine' | 'engine';
  /** How long it took to be sure. */
  readonly ms: number;
};

export type FoundEngine = Heard & {
  readonly answer: 'engine';
  readonly type: BackendType;
  readonly models: readonly Model[];
  /** Undefined off loopback, where the system does not tell, and when several users share the port. */
  readonly ownerUid: number | undefined;
  /** May it be used as found (R7)? Otherwise it is pending. */
  readonly approved: boolean;
};

export type PortReport = FoundEngine | (Heard & { readonly answer: 'nothing' | 'not_an_engine' });

export type DiscoveryOptions = {
  readonly client: ProbeClient;
  readonly probe: ProbeBackend;
  readonly monotonicMs: () => number;
  /** IP addresses without brackets, or names. */
  readonly hosts: readonly string[];
  /** Asked on each of the hosts. */
  readonly ports: readonly number[];
  /** Every port that this installation listens on. */
  readonly ownPorts: readonly number[];
  readonly ownAddresses: ReadonlySet<string>;
  readonly ownUid: number;
  readonly listeners?: () => Promise<readonly ListeningSocket[]>;
  readonly signal?: AbortSignal;
};

/** exo answers like any other server; only its port is its own. */
const exoPort = 52415;

/** Connections that a scan opens at the same time. */
const askedAtOnce = 64;

type Place = { readonly host: string; readonly port: number; readonly url: string };

/** What is to be asked; an address that is never contacted is left out, and so are we. */
function placesOf(options: DiscoveryOptions): readonly Place[] {
  const places = new Map<string, Place>();
  for (const host of options.hosts) {
    for (const port of options.ports) {
      const text = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
      const url = canonicalBackendUrl(text, []);
      if (!url.ok || isOwnEndpoint(url.value, options.ownPorts, options.ownAddresses)) continue;
      if (!places.has(url.value)) places.set(url.value, { host, port, url: url.value });
    }
  }
  return [...places.values()];
}

function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || isLoopbackAddress(host);
}

async function ask(
  options: DiscoveryOptions,
  place: Place,
  listeners: readonly ListeningSocket[],
): Promise<PortReport> {
  const startedAt = options.monotonicMs();
  const { port, url } = place;
  const detection = await detectType(options.client, url, options.signal);
  const ms = (): number => options.monotonicMs() - startedAt;
  if (detection.kind !== 'engine') return { ...place, answer: detection.kind, ms: ms() };
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
  const owners = isLoopbackHost(place.host) ? ownersOf(listeners, port) : [];
  return {
    ...place,
    answer: 'engine',
    ms: ms(),
    type,
    models: (result.kind === 'healthy' ? result.models : undefined) ?? [],
    ownerUid: owners.length === 1 ? owners[0] : undefined,
    approved: isTrustedOwner(owners, options.ownUid),
  };
}

/**
 * One report for each port of each host, in their order; own, repeated and forbidden ones are left out.
 */
export async function scanHosts(options: DiscoveryOptions): Promise<readonly PortReport[]> {
  const places = [...placesOf(options).entries()];
  const listeners = await (options.listeners ?? readListeners)();
  const reports: (readonly [number, PortReport])[] = [];
  const askNext = async (): Promise<void> => {
    for (let next = places.shift(); next !== undefined; next = places.shift()) {
      reports.push([next[0], await ask(options, next[1], listeners)]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(askedAtOnce, places.length) }, askNext));
  return reports.sort(([a], [b]) => a - b).map(([, report]) => report);
}
