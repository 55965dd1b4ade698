// What a person asks of the registry after the kill: why does that engine take no requests?

import { type BackendExplainWire, backendExplainSchema } from '../../protocol/control/schemas.ts';
import { type ControlPlane, callControl } from './control-plane.ts';

/** What the demo tells of it. */
export type FleetLook = {
  readonly engine: string;
  readonly routable: boolean;
  /** One sentence, as the command line and the dashboard say it. */
  readonly verdict: string;
  readonly probes: string;
  /** Gates that are closed. */
  readonly closed: readonly string[];
};

function lookOf(wire: BackendExplainWire): FleetLook {
  return {
    engine: wire.backend.id,
    routable: wire.backend.routable,
    verdict: wire.verdict,
    probes: wire.probe_words,
    closed: wire.gates.filter(({ state }) => state === 'closed').map(({ name }) => name),
  };
}

/** Failed probes that make a healthy backend unhealthy, and one to be sure. */
const probesMax = 4;

/**
 * Asks until the registry has seen it: in a short demo traffic alone may not have failed often enough.
 * Throws `internal_error` when the control plane does not answer.
 */
export async function explainKilled(plane: ControlPlane, engine: string): Promise<FleetLook> {
  const path = `/api/v1/backends/${engine}`;
  const look = async (): Promise<FleetLook> =>
    lookOf(backendExplainSchema.parse(await callControl(plane, `${path}/explain`)));
  let seen = await look();
  for (let probe = 0; seen.routable && probe < probesMax; probe++) {
    await callControl(plane, `${path}/probe`, {});
    seen = await look();
  }
  return seen;
}
