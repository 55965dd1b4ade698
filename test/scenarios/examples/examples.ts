// All examples, in the order in which they are counted and chosen.

import { analysisExamples } from './analysis.ts';
import { controlExamples } from './control.ts';
import type { Example } from './example.ts';
import { foundationExamples } from './foundations.ts';
import { placementExamples } from './placement.ts';
import { subsystemExamples } from './subsystems.ts';

export const examples: readonly Example[] = [
  ...foundationExamples,
  ...placementExamples,
  ...controlExamples,
  ...analysisExamples,
  ...subsystemExamples,
];
