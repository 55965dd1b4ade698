// Backends and models for the tests of the registry.

import type { BackendType } from '../../src/base/backend-type.ts';
import type { Model } from '../../src/core/backends/backend.ts';
import { type RoutingSettings, usualSettings } from '../../src/core/routing/snapshot.ts';
import type { NewBackend } from '../../src/services/routing/fleet.ts';

export const routing: RoutingSettings = usualSettings;

export function modelOf(id: string, facts: Partial<Model> = {}): Model {
  return {
    id,
    name: id,
    contextLength: 8192,
    supportsVision: false,
    supportsTools: true,
    supportsJsonMode: true,
    maxOutputTokens: undefined,
    ...facts,
  };
}

/** A backend of this name at an address of its own. */
export function newBackend(name: string, facts: Partial<NewBackend> = {}): NewBackend {
  const type: BackendType = 'vllm';
  return {
    name,
    url: `http://${name}.test:8000`,
    type,
    source: 'static',
    priority: 50,
    zone: undefined,
    tier: 1,
    capacity: 0,
    apiKeyEnv: undefined,
    metadata: {},
    approved: true,
    draining: false,
    simulated: false,
    models: [],
    ...facts,
  };
}
