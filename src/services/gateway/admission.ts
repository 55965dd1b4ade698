// What the edge hands over, and from a whole body to what a decision needs: is it a request that this key may make of a model
// that somebody lists? What goes upstream is the body byte for byte, but for the name of the model.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { err, ok, type Result } from '../../base/result.ts';
import type { PriorityClass } from '../../core/jobs/priority-class.ts';
import type { AdmissionReading, AdmissionVerdict } from '../../core/policy/admission.ts';
import { isKnownModel, type RouteFeatures } from '../../core/routing/decide.ts';
import { type RoutingSnapshot, resolveModel } from '../../core/routing/snapshot.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type { KeyRecord } from '../../io/credentials/key-table.ts';
import {
  type RequestFeatures,
  type RequestKind,
  withModel,
} from '../../protocol/openai/request-body.ts';
import type { Connection } from './connection.ts';
import { mayUseModel, modelNotFound } from './model-list.ts';

/** What the edge hands over once the head is checked and the key is good. */
export type AdmittedHead = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly clientRequestId: string | undefined;
  /** The client's, only if it is valid. */
  readonly traceparent: string | undefined;
  readonly key: KeyRecord;
  readonly kind: RequestKind;
  /** The path on the engine, from a fixed table. */
  readonly enginePath: string;
  /** Monotonic ms at which the head was complete. */
  readonly receivedMs: number;
  readonly connection: Connection;
  readonly priorityClass: PriorityClass;
};

/** A refused body up to this length is read and dropped, so that the connection can go on. */
const droppedBodyBytes = 65_536;
export type Admitted = {
  /** What the backend is sent. */
  readonly body: Buffer;
  readonly route: RouteFeatures;
};

/** Is the body so short that reading it costs less than a new connection? */
export function isShortBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return length !== undefined && Number(length) <= droppedBodyBytes;
}

/** What the client is told of a verdict; undefined when its request is admitted. */
export function admissionRefusal(
  verdict: AdmissionVerdict,
  reading: AdmissionReading,
  cooldownSeconds: number,
): Refusal | undefined {
  switch (verdict) {
    case 'admitted':
      return undefined;
    case 'key_limit': {
      const words = `${reading.keyInFlightMax} requests of this key are in flight, its limit. Wait for one to finish.`;
      return refusal('rate_limit_exceeded', words);
    }
    case 'mode': {
      const words = `The serving mode is ${reading.mode}: only the most urgent class is admitted.`;
      const retryAfterSeconds = Math.min(Math.max(cooldownSeconds, 1), 60);
      return refusal('mode_restricted', words, { retryAfterSeconds });
    }
    case 'shed': {
      const share = reading.inFlight > reading.inFlightMax ? '' : '80 % of ';
      const words = `The installation takes ${share}${reading.inFlightMax} requests at once in mode ${reading.mode}.`;
      return refusal('overloaded', words);
    }
  }
}

/** Refuses with `model_not_found`, the same for an unknown and for a forbidden model. */
export function admit(
  snapshot: RoutingSnapshot,
  key: KeyRecord,
  body: Buffer,
  features: RequestFeatures,
): Result<Admitted, Refusal> {
  const { model } = features;
  const resolvedModel = resolveModel(snapshot, model);
  if (!isKnownModel(snapshot, resolvedModel) || !mayUseModel(key, model)) {
    return err(modelNotFound(snapshot, key, model));
  }
  return ok({
    body: withModel(body, features, resolvedModel),
    route: {
      model,
      resolvedModel,
      operation: features.kind,
      estimatedTokens: features.estimatedTokens,
      maxOutputTokens: features.maxOutputTokens,
      needsVision: features.needsVision,
      needsTools: features.needsTools,
      needsJsonMode: features.needsJsonMode,
      remoteMedia: features.remoteMedia,
    },
  });
}
