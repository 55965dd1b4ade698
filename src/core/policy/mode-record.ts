// An evaluation of the serving mode as the decision log keeps it, and how it is made again. What comes
// back from a log or a database is checked member by member here, once for both.
//
//   name `mode_evaluated`, version 1
//   input   {settings, state, tick}     output   {state, effects}

import { canonicalJson, type Json } from '../../base/canonical.ts';
import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { BurnReading, ServiceObjective } from './burn-rate.ts';
import { type LadderStep, stepLadder } from './ladder.ts';
import type { LadderSettings } from './ladder-settings.ts';
import type { LadderState, ModePin } from './ladder-state.ts';
import { isServingMode } from './serving-mode.ts';
import type { LadderTick } from './tick-evidence.ts';
import type { TickRuns } from './tick-runs.ts';

export const modeRecordName = 'mode_evaluated';
export const modeRecordVersion = 1;

/** What one evaluation reads. */
export type ModeEvaluation = {
  readonly settings: LadderSettings;
  readonly state: LadderState;
  readonly tick: LadderTick;
};

export type ModeRecord = {
  readonly name: typeof modeRecordName;
  readonly version: number;
  readonly input: ModeEvaluation;
  readonly output: LadderStep;
};

/** The evaluation with what came of it, for the log. */
export function modeRecord(input: ModeEvaluation, output: LadderStep): ModeRecord {
  return { name: modeRecordName, version: modeRecordVersion, input, output };
}

type Check = (value: unknown) => boolean;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shaped<T>(shape: Readonly<Record<keyof T & string, Check>>) {
  const checks = Object.entries<Check>(shape);
  return (value: unknown): value is T =>
    isRecord(value) && checks.every(([name, check]) => check(value[name]));
}

const isNumber: Check = (value) => Number.isFinite(value);
const isCounted: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isText: Check = (value) => typeof value === 'string';
const isFlag: Check = (value) => typeof value === 'boolean';
const isMode: Check = (value) => typeof value === 'string' && isServingMode(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const isPair: Check = (value) =>
  Array.isArray(value) && value.length === 2 && value.every(isCounted);

const isSettings = shaped<LadderSettings>({
  failureShare: isNumber,
  minCooldownMs: isNumber,
  holdMs: isNumber,
  riskThreshold: isNumber,
  graceMs: isNumber,
  slo: shaped<ServiceObjective>({
    objective: isNumber,
    minRequests: isNumber,
    minBad: isNumber,
  }),
});

/** Is it the state of a ladder, with every member in its range? */
export const isLadderState = shaped<LadderState>({
  mode: isMode,
  since: isNumber,
  lastChange: orNull(isNumber),
  cause: isText,
  runs: shaped<TickRuns>({ failureBurst: isCounted, successStreak: isCounted }),
  recent: listOf(isPair),
  calm: shaped<LadderState['calm']>({ outcomes: isCounted, bad: isCounted }),
  suppressed: isCounted,
  noDataSince: orNull(isNumber),
  pin: orNull(
    shaped<ModePin>({
      mode: isMode,
      by: isText,
      reason: isText,
      since: isNumber,
      until: orNull(isNumber),
    }),
  ),
});

const isTick = shaped<LadderTick>({
  at: isNumber,
  uptimeMs: isNumber,
  outcomes: shaped<LadderTick['outcomes']>({
    requests: isCounted,
    failures: isCounted,
    slow: isCounted,
  }),
  probes: shaped<LadderTick['probes']>({ good: isCounted, failed: isCounted }),
  trips: listOf(isText),
  backends: shaped<LadderTick['backends']>({ known: isCounted, routable: isCounted }),
  gateway: isNumber,
  databaseThere: isFlag,
  burn: listOf(
    shaped<BurnReading>({
      name: isText,
      factor: isNumber,
      longMinutes: isNumber,
      longBurn: orNull(isNumber),
      shortBurn: orNull(isNumber),
      firing: isFlag,
      moves: isFlag,
    }),
  ),
});

const isEvaluation = shaped<ModeEvaluation>({
  settings: isSettings,
  state: isLadderState,
  tick: isTick,
});

/** The input of a record of this version; refuses one that lacks a member or breaks its range. */
export function readEvaluation(input: Json): Result<ModeEvaluation, Fault<'record_unreadable'>> {
  const known: unknown = input;
  if (isEvaluation(known)) return ok(known);
  const met = canonicalJson(input).slice(0, 200);
  return err(fault('record_unreadable', `no evaluation of the serving mode: ${met}`));
}

/** Makes a recorded evaluation again, with the production rules (RP7). */
export function evaluateAgain(input: Json): Result<LadderStep, Fault<'record_unreadable'>> {
  const read = readEvaluation(input);
  if (!read.ok) return read;
  const { settings, state, tick } = read.value;
  return ok(stepLadder(settings, state, tick));
}
