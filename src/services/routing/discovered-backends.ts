// How what was found by itself comes into the registry. Nobody vouched for it: it has the usual priority
// and the lowest tier, and unless it is a trusted listener of this machine it waits for approval, in the
// open zone, so that no policy takes it for a private one (ruling R7).

import { isCloudType } from '../../base/backend-type.ts';
import { isLoopbackAddress } from '../../base/network-address.ts';
import type { Backend } from '../../core/backends/backend.ts';
import type { Candidate } from '../../core/backends/mdns-record.ts';
import type { FoundEngine } from './discovery.ts';
import type { NewBackend } from './fleet.ts';
import { operatorPriority } from './operator.ts';

const foundTier = 1;

/** Metadata that tells an approval by rule from one by a person. */
const approvalKey = 'approval';
const byRule = 'automatic';

type Found = Pick<
  NewBackend,
  'name' | 'url' | 'type' | 'approved' | 'zone' | 'models' | 'metadata'
>;

function factsOf(found: Found): NewBackend {
  const approval = found.approved ? { [approvalKey]: byRule } : {};
  return {
    ...found,
    source: 'mdns',
    priority: operatorPriority,
    tier: foundTier,
    capacity: 0,
    apiKeyEnv: undefined,
    metadata: { ...found.metadata, ...approval },
    draining: false,
    simulated: false,
  };
}

/** A backend that answered a scan; its name is its type, its host unless that is here, and its port. */
export function scannedFacts(report: FoundEngine): NewBackend {
  const { host, port, type, url, approved, models } = report;
  const isHere = host === 'localhost' || isLoopbackAddress(host);
  return factsOf({
    name: isHere ? `${type}-${port}` : `${type}-${host}-${port}`,
    url,
    type,
    approved,
    zone: approved ? undefined : 'open',
    models,
    metadata: { found_by: 'scan' },
  });
}

/** A backend that announced itself. */
export function announcedFacts(candidate: Candidate, approved: boolean): NewBackend {
  const { name, url, type, instance, version } = candidate;
  return factsOf({
    name,
    url,
    type,
    approved,
    zone: 'open',
    models: [],
    metadata: {
      found_by: 'mdns',
      mdns_instance: instance,
      ...(version === undefined ? {} : { version }),
    },
  });
}

/** Was it found by a scan rather than announced? */
export function isScanned(backend: Backend): boolean {
  return backend.discoverySource === 'mdns' && backend.metadata['found_by'] === 'scan';
}

/** Has nobody approved, drained or changed it since it was found? Only then may it be forgotten. */
export function isAsFound(backend: Backend): boolean {
  const { approved, metadata, status, zone } = backend;
  if (backend.discoverySource !== 'mdns' || status === 'draining') return false;
  if (approved && metadata[approvalKey] !== byRule) return false;
  if (backend.priority !== operatorPriority || backend.tier !== foundTier) return false;
  if (backend.capacity !== 0 && metadata['capacity_source'] !== 'probe') return false;
  const isTrusted = approved && isScanned(backend);
  return zone === (isTrusted && !isCloudType(backend.backendType) ? 'restricted' : 'open');
}
