// Thresholds that a replay cannot try. The outcomes of an evaluation were counted with the recorded
// objective, and an evaluation came when the recorded tick said so; a candidate that names those would
// be judged on figures that are not its own. They are refused rather than silently left out.

import type { ConfigurationFault } from '../../config/fault.ts';
import type { PolicyBundle } from '../../config/policy-bundle.ts';
import { replayableOptions } from '../../core/replay/ladder-replay.ts';

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** One fault for each named threshold that recorded evaluations cannot be made again with. */
export function unreplayableFaults({ policy }: PolicyBundle): readonly ConfigurationFault[] {
  const known: readonly string[] = replayableOptions;
  return Object.entries(policy)
    .filter(([name]) => !known.includes(name))
    .map(([name, value]) => ({
      path: `policy.${snakeCase(name)}`,
      value: String(value),
      expected: `one of ${replayableOptions.map(snakeCase).join(', ')}: recorded evaluations were counted with the others; tensorforge simulate tries them`,
      source: 'file',
    }));
}
