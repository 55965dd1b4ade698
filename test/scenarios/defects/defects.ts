// All defects to plant.

import { analysisDefects } from './analysis.ts';
import { controlDefects } from './control.ts';
import type { Defect } from './defect.ts';
import { foundationsDefects } from './foundations.ts';
import { historyDefects } from './history.ts';
import { placementDefects } from './placement.ts';
import { subsystemsDefects } from './subsystems.ts';

export const defects: readonly Defect[] = [
  ...placementDefects,
  ...historyDefects,
  ...controlDefects,
  ...foundationsDefects,
  ...analysisDefects,
  ...subsystemsDefects,
];
