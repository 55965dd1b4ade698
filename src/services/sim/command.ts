// `tensorforge sim`: one simulated server until the process is told to stop.

import type { SimOptions } from './options.ts';
import { startSim } from './sim-server.ts';

export type SimCommand = SimOptions & {
  /** `json` announces the server as one JSON object, `quiet` as its address alone. */
  readonly output?: { readonly json: boolean; readonly quiet: boolean } | undefined;
};

function announcement({ as, models, output }: SimCommand, url: string): string {
  if (output?.json === true)
    return JSON.stringify({ ready: true, simulated: true, as, url, models });
  if (output?.quiet === true) return url;
  return `● sim ${as} ${url} models ${models.join(', ')}  (simulated)`;
}

/** Runs until SIGTERM or SIGINT, then resolves to 0. Throws `config_invalid` as startSim does. */
export async function runSim(options: SimCommand): Promise<number> {
  // Before the announcement: whoever reads it may stop the server at once.
  const told = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
  const sim = await startSim(options);
  process.stdout.write(`${announcement(options, sim.url)}\n`);
  await told;
  await sim.stop();
  return 0;
}
