// The policies that a simulation compares: what the product does where nothing is configured, and
// candidate files, each laid over that. A candidate is read by the production loader
// (config/policy-bundle.ts), so that what holds here holds in `tensorforge.yaml`.

import { basename } from 'node:path';
import { ok, type Result } from '../../base/result.ts';
import type { ConfigurationFault } from '../../config/fault.ts';
import { examineConfiguration } from '../../config/load.ts';
import type { Configuration } from '../../config/options.ts';
import { readPolicyBundle } from '../../config/policy-bundle.ts';

export type Candidate = {
  /** The name of its file without the ending, or `defaults`. */
  readonly name: string;
  readonly routing: Configuration['routing'];
  readonly policy: Configuration['policy'];
};

/** What the product does where nothing is configured. */
export function defaultCandidate(): Candidate {
  const { config } = examineConfiguration({ env: {}, flags: {} });
  return { name: 'defaults', routing: config.routing, policy: config.policy };
}

/** Reads the text of a candidate; `file` is its path, for its name and the words of faults. */
export function parseCandidate(
  text: string,
  file: string,
): Result<Candidate, readonly ConfigurationFault[]> {
  const bundle = readPolicyBundle(text, file);
  if (!bundle.ok) return bundle;
  const defaults = defaultCandidate();
  return ok({
    name: basename(file).replace(/\.(?:ya?ml|json)$/i, ''),
    routing: { ...defaults.routing, ...bundle.value.routing },
    policy: { ...defaults.policy, ...bundle.value.policy },
  });
}
