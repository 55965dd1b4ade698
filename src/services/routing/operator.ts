// What an operator does to the fleet: each act is checked, written to the database with its event,
// and only then done. If the write fails, nothing has changed.

import type { z } from 'zod';
import type { OwnListener } from '../../base/backend-url.ts';
import type { BackendId } from '../../base/brand.ts';
import type { Backend } from '../../core/backends/backend.ts';
import { canonicalBaseUrl } from '../../core/backends/url.ts';
import { permittedKeyEnv } from '../../core/backends/url-credential.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { BackendChange } from '../../io/postgres/backend-store.ts';
import type { backendAddSchema, backendEditSchema } from '../../protocol/control/schemas.ts';
import type { Detection } from './adapters/detect-type.ts';
import type { Fleet, NewBackend } from './fleet.ts';

/** Where backends are kept. Each call is one transaction with its event. */
export interface FleetStore {
  save(backend: Backend, draining: boolean, kind: BackendChange, actor: string): Promise<void>;
  remove(id: BackendId, actor: string): Promise<void>;
}

export type OperatorPorts = {
  readonly fleet: Fleet;
  readonly store: FleetStore;
  readonly ownListeners: () => readonly OwnListener[];
  readonly detect: (url: string) => Promise<Detection>;
  readonly probeNow: (id: BackendId) => Promise<unknown>;
  /** Makes the health checker look at the registry now. */
  readonly sync: () => void;
};

export const operatorPriority = 50;

export class FleetOperator {
  readonly #ports: OperatorPorts;

  constructor(ports: OperatorPorts) {
    this.#ports = ports;
  }

  /** The id of the new backend. Throws `unsafe_url`, `duplicate_backend`, `bad_gateway`. */
  async add(request: z.infer<typeof backendAddSchema>, actor: string): Promise<BackendId> {
    const { fleet, store, sync, probeNow } = this.#ports;
    const url = canonicalBaseUrl(request.url, 'operator', this.#ports.ownListeners());
    if (!url.ok) throw TensorForgeError.of(url.error);
    const twin = fleet.byUrl(url.value);
    if (twin?.discoverySource === 'mdns') {
      await this.remove(twin.id, actor);
    } else if (twin !== undefined) {
      const words = `backend already exists: ${twin.id} has the address ${twin.url}. Nothing was changed.`;
      throw new TensorForgeError('duplicate_backend', words);
    }
    if (request.api_key_env !== undefined) {
      const permitted = permittedKeyEnv(request.api_key_env, url.value, 'manual');
      if (!permitted.ok) throw TensorForgeError.of(permitted.error);
    }
    const type = request.type ?? (await this.#detectType(url.value));
    const name = request.name ?? new URL(url.value).host;
    const id = fleet.idFor(name, url.value);
    const facts: NewBackend = {
      name,
      url: url.value,
      type,
      source: 'manual',
      priority: request.priority ?? operatorPriority,
      zone: request.zone,
      tier: request.tier ?? 1,
      capacity: request.capacity ?? 0,
      apiKeyEnv: request.api_key_env,
      metadata: {},
      approved: true,
      draining: false,
      simulated: false,
      models: [],
    };
    const backend = fleet.compose(id, facts);
    await store.save(backend, false, 'backend_added', actor);
    fleet.insert(backend);
    sync();
    await probeNow(id);
    return id;
  }

  async #detectType(url: string): Promise<Backend['backendType']> {
    const detection = await this.#ports.detect(url);
    if (detection.kind === 'engine') return detection.type;
    const words =
      detection.kind === 'nothing'
        ? `${url} does not answer, so its type cannot be recognised. Start it, or name the type.`
        : `${url} answers, but like no engine that is known. Name the type to add it all the same.`;
    throw new TensorForgeError('bad_gateway', words, { param: 'type' });
  }

  async remove(id: string, actor: string): Promise<void> {
    const backend = this.#ports.fleet.require(id);
    await this.#ports.store.remove(backend.id, actor);
    this.#ports.fleet.remove(id);
    this.#ports.sync();
  }

  async drain(id: string, actor: string): Promise<void> {
    const backend = this.#ports.fleet.require(id);
    if (backend.status === 'draining') return;
    await this.#ports.store.save(backend, true, 'backend_drained', actor);
    this.#ports.fleet.setDraining(id, true);
  }

  async resume(id: string, actor: string): Promise<void> {
    const backend = this.#ports.fleet.require(id);
    if (backend.status !== 'draining') return;
    await this.#ports.store.save(backend, false, 'backend_resumed', actor);
    this.#ports.fleet.setDraining(id, false);
    this.#ports.sync();
    await this.#ports.probeNow(backend.id);
  }

  /** Approval gives zone `open`; `restricted` is a second, explicit step. */
  async approve(id: string, actor: string): Promise<void> {
    const backend = this.#ports.fleet.require(id);
    if (backend.approved) return;
    const approved = { ...backend, approved: true, zone: 'open' } as const;
    await this.#ports.store.save(
      approved,
      backend.status === 'draining',
      'backend_approved',
      actor,
    );
    this.#ports.fleet.approve(id, 'open');
    this.#ports.sync();
    await this.#ports.probeNow(backend.id);
  }

  async edit(id: string, change: z.infer<typeof backendEditSchema>, actor: string): Promise<void> {
    const backend = this.#ports.fleet.require(id);
    const facts = {
      priority: change.priority ?? backend.priority,
      zone: change.zone ?? backend.zone,
      tier: change.tier ?? backend.tier,
      capacity: change.capacity ?? backend.capacity,
    };
    const draining = backend.status === 'draining';
    await this.#ports.store.save({ ...backend, ...facts }, draining, 'backend_changed', actor);
    this.#ports.fleet.edit(id, facts);
  }

  async probe(id: BackendId): Promise<void> {
    await this.#ports.probeNow(id);
  }
}
