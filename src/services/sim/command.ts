// `tensorforge sim`: one simulated server until the process is told to stop.

import type { SimOptions } from './options.ts';
import { startSim } from './sim-server.ts';

/** Runs until SIGTERM or SIGINT, then resolves to 0. Throws `config_invalid` as startSim does. */
export async function runSim(options: SimOptions): Promise<number> {
  const sim = await startSim(options);
  const models = options.models.join(', ');
  process.stdout.write(`● sim ${options.as} ${sim.url} models ${models}  (simulated)\n`);
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
  await sim.stop();
  return 0;
}
