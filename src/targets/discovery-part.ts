// Discovery, wired: scans and announcements as the configuration wants them.

import { hostname } from 'node:os';
import type { OwnListener } from '../base/backend-url.ts';
import type { BackendId } from '../base/brand.ts';
import { isLoopbackAddress, refuseAddress } from '../base/network-address.ts';
import type { Configuration } from '../config/options.ts';
import { isOwnEndpoint } from '../core/backends/discovered.ts';
import type { ProbeClient } from '../io/http/probe/probe-client.ts';
import type { Logger } from '../io/log/logger.ts';
import { openMdnsSocket } from '../io/mdns/mdns-socket.ts';
import { readOutwardAddresses } from '../io/mdns/own-addresses.ts';
import type { ProbeBackend } from '../services/routing/adapters/probe-backend.ts';
import { type PortReport, scanHosts } from '../services/routing/discovery.ts';
import { DiscoveryLoop } from '../services/routing/discovery-loop.ts';
import type { Fleet } from '../services/routing/fleet.ts';
import { MdnsAnnouncer } from '../services/routing/mdns-announcer.ts';
import { MdnsBrowser } from '../services/routing/mdns-browser.ts';
import { MdnsListener } from '../services/routing/mdns-listener.ts';
import { type Clock, monotonicMs } from './clock.ts';

export type DiscoveryPartOptions = {
  readonly config: Configuration;
  readonly fleet: Fleet;
  readonly client: ProbeClient;
  readonly probe: ProbeBackend;
  readonly clock: Clock;
  readonly log: Logger;
  readonly ownListeners: () => readonly OwnListener[];
  readonly ownAddresses: () => ReadonlySet<string>;
  readonly sync: () => void;
  readonly probeNow: (id: BackendId) => Promise<unknown>;
};

export type DiscoveryPart = {
  /** Resolves with what the first scan heard; nothing when discovery is off. */
  start(): Promise<readonly PortReport[]>;
  stop(): Promise<void>;
};

/** Where others reach this gateway; nowhere when it listens on loopback alone. */
function outwardAddresses(config: Configuration): readonly string[] {
  const { host } = config.server;
  if (host === 'localhost' || isLoopbackAddress(host)) return [];
  const { interface: named } = config.discovery.mdns;
  const fault = refuseAddress(host);
  if (fault === 'unspecified') return named.length > 0 ? named : readOutwardAddresses();
  return fault === undefined ? [host] : [];
}

function announcerOf(options: DiscoveryPartOptions): MdnsAnnouncer | undefined {
  const { config } = options;
  const [listener] = options.ownListeners();
  if (!config.discovery.mdns.announce || listener === undefined) return undefined;
  if (outwardAddresses(config).length === 0) return undefined;
  return new MdnsAnnouncer({
    hostName: hostname(),
    port: listener.port,
    tls: config.server.tlsCert !== undefined,
    addresses: () => outwardAddresses(config),
  });
}

function listenerOf(options: DiscoveryPartOptions): MdnsListener | undefined {
  const { mdns } = options.config.discovery;
  if (!mdns.enabled) return undefined;
  return new MdnsListener({
    open: (hear) => openMdnsSocket({ ...hear, interfaces: mdns.interface }),
    clock: options.clock,
    browser: new MdnsBrowser(mdns.services),
    announcer: announcerOf(options),
    ownAddresses: options.ownAddresses,
  });
}

function loopOf(options: DiscoveryPartOptions): DiscoveryLoop {
  const { config, fleet, client, probe, clock, log, sync, probeNow, ownAddresses } = options;
  const { discovery } = config;
  const ownPorts = (): number[] => options.ownListeners().map(({ port }) => port);
  return new DiscoveryLoop({
    fleet,
    clock,
    scan: (signal) =>
      scanHosts({
        client,
        probe,
        monotonicMs,
        hosts: discovery.hosts,
        ports: discovery.ports,
        ownPorts: ownPorts(),
        ownAddresses: ownAddresses(),
        ownUid: process.getuid?.() ?? 0,
        signal,
      }),
    mdns: listenerOf(options),
    isOwn: (url) => isOwnEndpoint(url, ownPorts(), ownAddresses()),
    settings: {
      intervalMs: discovery.intervalSeconds * 1000,
      graceMs: discovery.graceSeconds * 1000,
      autoApprove: discovery.mdns.autoApprove,
    },
    sync,
    probeNow,
    log,
  });
}

export function discoveryPart(options: DiscoveryPartOptions): DiscoveryPart {
  let loop: DiscoveryLoop | undefined;
  return {
    async start() {
      if (!options.config.discovery.enabled) return [];
      loop = loopOf(options);
      return loop.start();
    },
    async stop() {
      await loop?.stop();
    },
  };
}
