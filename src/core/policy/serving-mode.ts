// The serving mode: how much the installation dares while things go wrong. Four modes in a row,
// each stricter than the one before, and the rules that move from one to the next. Rows of the
// platform specification A.8; what a mode refuses is in mode-gates.ts.
//
//   normal <──> watch <──> restricted <──> halted        a burst moves right, a calm streak left
//
// One step at a time, and never around an end (RP1). Text that names no mode moves as `normal`
// does, but has no facts of its own.

const servingModes = ['normal', 'watch', 'restricted', 'halted'] as const;
export type ServingMode = (typeof servingModes)[number];

/**
 * Failures in a row from which on a mode escalates. In the product the unit is evaluation ticks
 * that were bad, so that two failed requests do not walk a busy fleet to `halted`.
 */
export const burstThreshold = 2;

type ModeFacts = {
  readonly description: string;
  readonly maxRetries: number;
  readonly cooldownMultiplier: number;
  /** Successes in a row after which the mode may be left downwards; none leads below `normal`. */
  readonly calmStreak: number | undefined;
};

const facts: Readonly<Record<ServingMode, ModeFacts>> = {
  normal: {
    description: 'Standard operations',
    maxRetries: 3,
    cooldownMultiplier: 1,
    calmStreak: undefined,
  },
  watch: {
    description: 'Elevated monitoring',
    maxRetries: 2,
    cooldownMultiplier: 2,
    calmStreak: 5,
  },
  restricted: {
    description: 'Limited operations',
    maxRetries: 1,
    cooldownMultiplier: 4,
    calmStreak: 7,
  },
  halted: {
    description: 'All operations suspended',
    maxRetries: 0,
    cooldownMultiplier: 8,
    calmStreak: 10,
  },
};

function factsOf(mode: string): ModeFacts | undefined {
  return isServingMode(mode) ? facts[mode] : undefined;
}

/** The mode `steps` to the right of `mode`, held within the row. */
function moved(mode: string, steps: 0 | 1 | -1): ServingMode {
  const from = isServingMode(mode) ? mode : 'normal';
  return servingModes[servingModes.indexOf(from) + steps] ?? from;
}

export function isServingMode(text: string): text is ServingMode {
  return servingModes.some((mode) => mode === text);
}

/** All modes, the mildest first. */
export function modes(): readonly ServingMode[] {
  return servingModes;
}

/** 0 for `normal` to 3 for `halted`; undefined for text that names no mode. */
export function modeIndex(mode: string): number | undefined {
  return isServingMode(mode) ? servingModes.indexOf(mode) : undefined;
}

/** Strictness as a weight: 1 for `normal` to 4 for `halted`, 0 for text that names no mode. */
export function modeWeight(mode: string): number {
  return isServingMode(mode) ? servingModes.indexOf(mode) + 1 : 0;
}

/** One step stricter for a burst of at least {@link burstThreshold}; `halted` stays. */
export function escalate(mode: string, failureBurst: number): ServingMode {
  return moved(mode, failureBurst >= burstThreshold ? 1 : 0);
}

/** One step milder; `normal` stays. */
export function deescalate(mode: string): ServingMode {
  return moved(mode, -1);
}

/** Good ticks in a row that a step down takes; undefined in `normal` and for an unknown mode. */
export function calmStreak(mode: string): number | undefined {
  return factsOf(mode)?.calmStreak;
}

/** Is the streak long enough to step down? From 5 in `watch`, 7 in `restricted`, 10 in `halted`. */
export function mayDeescalate(successStreak: number, mode: string): boolean {
  const needed = calmStreak(mode);
  return needed !== undefined && successStreak >= needed;
}

type ModeMetadata = Pick<ModeFacts, 'description' | 'maxRetries'>;

/** What people are told about a mode; undefined for text that names none. */
export function modeMetadata(mode: string): ModeMetadata | undefined {
  const known = factsOf(mode);
  return known && { description: known.description, maxRetries: known.maxRetries };
}

/** Retries after a first attempt: 3, 2, 1, 0; 1 for text that names no mode. */
export function maxRetries(mode: string): number {
  return factsOf(mode)?.maxRetries ?? 1;
}

/**
 * What the cooldown between two escalations is multiplied by: 1, 2, 4, 8; 1 for an unknown mode.
 */
export function cooldownMultiplier(mode: string): number {
  return factsOf(mode)?.cooldownMultiplier ?? 1;
}
