// What a replay is asked for, on the wire and from the command line, checked once for both.

import { existsSync } from 'node:fs';
import { parseRfc3339 } from '../../base/time.ts';
import { bundleRefusal, type PolicyBundle, readPolicyBundle } from '../../config/policy-bundle.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { type ReplayReportWire, replayStartSchema } from '../../protocol/control/trust-schemas.ts';
import { unreplayableFaults } from './candidate-policy.ts';
import type { ReplayOptions } from './replay-folder.ts';
import { replayFolder } from './replay-here.ts';
import { parseDecisionRef } from './request-time.ts';

/**
 * The options of a body as of POST /api/v1/replays.
 * @throws TensorForgeError invalid_request, or policy_invalid with every fault of the candidate.
 */
export function replayOptionsOf(body: unknown): ReplayOptions {
  const { from, to, request_id: id, policy } = replayStartSchema.parse(body);
  const fromMs = from === undefined ? undefined : timeOf('from', from);
  const toMs = to === undefined ? undefined : timeOf('to', to);
  if (fromMs !== undefined && toMs !== undefined && fromMs > toMs) {
    const words = `from is ${from}, but must not be after to, ${to}.`;
    throw new TensorForgeError('invalid_request', words, { param: 'from' });
  }
  const requestId = id === undefined ? undefined : parseDecisionRef(id)?.requestId;
  if (id !== undefined && requestId === undefined) {
    const words = `request_id is ${id}, but must be a request id: a UUID of version 7.`;
    throw new TensorForgeError('invalid_request', words, { param: 'request_id' });
  }
  const bundle = policy === undefined ? undefined : bundleOf(policy);
  return { fromMs, toMs, requestId, bundle };
}

function timeOf(name: string, text: string): number {
  const at = parseRfc3339(text);
  if (at !== undefined) return at;
  throw new TensorForgeError('invalid_request', `${name} is ${text}, which is no time.`);
}

function bundleOf(policy: unknown): PolicyBundle {
  const bundle = readPolicyBundle(JSON.stringify(policy), 'policy');
  const faults = bundle.ok ? unreplayableFaults(bundle.value) : bundle.error;
  if (bundle.ok && faults.length === 0) return bundle.value;
  throw TensorForgeError.of(bundleRefusal(faults));
}

/**
 * Replays a folder (an absolute path) in this process, for the command line without a server. Refuses
 * as the API does.
 * @throws TensorForgeError not_found for a folder that is not there.
 */
export function replayAsked(
  folder: string,
  asked: unknown,
  onProgress: (report: ReplayReportWire) => void,
): ReplayReportWire {
  if (!existsSync(folder)) {
    const words = `There is no folder ${folder}; a log is the folder “decisions” of a data directory.`;
    throw new TensorForgeError('not_found', words);
  }
  return replayFolder({ id: 'local', folder, options: replayOptionsOf(asked) }, onProgress);
}
