// What the pages can do: each function is one call of the control API.

import { callApi } from './client.ts';
import { isAccepted, isAnything, isAuditReport, isKeyCreated, isReplayStarted } from './shapes.ts';
import type { AuditReportWire, KeyCreatedWire, PolicyPinWire, ReplayStartWire } from './wire.ts';

const base = '/api/v1';

export type BackendVerb = 'drain' | 'resume' | 'probe' | 'approve';

export async function signIn(apiKey: string): Promise<void> {
  await callApi(`${base}/session`, isAnything, { method: 'POST', body: { api_key: apiKey } });
}

export async function signOut(): Promise<void> {
  await callApi(`${base}/session`, isAnything, { method: 'DELETE' });
}

export async function actOnBackend(id: string, verb: BackendVerb): Promise<void> {
  const path = `${base}/backends/${encodeURIComponent(id)}/${verb}`;
  await callApi(path, isAnything, { method: 'POST' });
}

export async function removeBackend(id: string): Promise<void> {
  const path = `${base}/backends/${encodeURIComponent(id)}`;
  await callApi(path, isAnything, { method: 'DELETE' });
}

export type ModelOrder = { readonly modelId: string; readonly backendId: string };

/** Returns as soon as the operation is written down; it runs on, and the fleet shows its progress. */
export async function loadModel(order: ModelOrder & { readonly download: boolean }): Promise<void> {
  await callApi(`${base}/operations`, isAnything, {
    method: 'POST',
    body: {
      operation_type: 'load',
      model_id: order.modelId,
      backend_id: order.backendId,
      download: order.download,
    },
  });
}

/** Returns whether the model has left the memory already, or still waits for its requests to end. */
export async function unloadModel(
  order: ModelOrder & { readonly drain: boolean },
): Promise<'done' | 'waits'> {
  const { status } = await callApi(`${base}/operations`, isAccepted, {
    method: 'POST',
    timeoutMs: 600_000,
    body: {
      operation_type: 'unload',
      model_id: order.modelId,
      backend_id: order.backendId,
      drain: order.drain,
    },
  });
  return status === 'completed' ? 'done' : 'waits';
}

export async function migrateModel(order: ModelOrder & { readonly to: string }): Promise<void> {
  await callApi(`${base}/operations`, isAnything, {
    method: 'POST',
    body: {
      operation_type: 'migrate',
      model_id: order.modelId,
      source_backend_id: order.backendId,
      target_backend_id: order.to,
    },
  });
}

export type NewKey = {
  readonly name: string;
  readonly models: readonly string[];
  /** Days; 0 never expires. */
  readonly expiresInDays: number;
};

export function createKey(key: NewKey): Promise<KeyCreatedWire> {
  return callApi(`${base}/keys`, isKeyCreated, {
    method: 'POST',
    body: { name: key.name, models: key.models, expires_in_days: key.expiresInDays },
  });
}

export async function revokeKey(id: string): Promise<void> {
  const path = `${base}/keys/${encodeURIComponent(id)}`;
  await callApi(path, isAnything, { method: 'DELETE' });
}

export async function pinMode(pin: PolicyPinWire): Promise<void> {
  await callApi(`${base}/policy/pin`, isAnything, { method: 'PUT', body: pin });
}

export async function unpinMode(reason: string): Promise<void> {
  const path = `${base}/policy/pin?reason=${encodeURIComponent(reason)}`;
  await callApi(path, isAnything, { method: 'DELETE' });
}

/** Reads the whole trail on the server, so it is given as long as the reader waits. */
export function verifyAudit(): Promise<AuditReportWire> {
  return callApi(`${base}/audit/verify`, isAuditReport, { method: 'POST', timeoutMs: 600_000 });
}

/** Returns the id under which the report is found while it runs and after. */
export async function startReplay(start: ReplayStartWire): Promise<string> {
  const { id } = await callApi(`${base}/replays`, isReplayStarted, { method: 'POST', body: start });
  return id;
}
