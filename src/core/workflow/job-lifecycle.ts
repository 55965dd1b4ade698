// The life of an inference job, and what may be said of a state in it. Rows of the platform
// specification A.14.
//
//   queued ──> placed ──> running ──> completed
//     │          │
//     └──────────┴──> cancelled
//
// Running does not lead to cancelled: a cancellation then is a request, which fulfilment honours as
// an early completion (conflict C9). Text that names no state is answered, not refused.

import { assert } from '../../base/assert.ts';
import { StateMachine } from './state-machine.ts';

const jobStates = ['queued', 'placed', 'running', 'completed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

const defined = StateMachine.define({
  states: jobStates,
  initial: 'queued',
  terminal: ['completed', 'cancelled'],
  transitions: [
    ['queued', 'placed'],
    ['queued', 'cancelled'],
    ['placed', 'running'],
    ['placed', 'cancelled'],
    ['running', 'completed'],
  ] satisfies (readonly [JobState, JobState])[],
});
assert(defined.ok, 'the lifecycle of jobs is a state machine');

export const jobLifecycle: StateMachine = defined.value;

/** Is there an edge from `from` to `to`? False for unknown text; no state leads to itself. */
export function canTransition(from: string, to: string): boolean {
  return jobLifecycle.can(from, to);
}

export function isTerminalState(state: string): boolean {
  return jobLifecycle.isTerminal(state);
}

export function isValidState(state: string): state is JobState {
  return jobLifecycle.has(state);
}

/** The states one step away, in the order of the diagram; none for a terminal or unknown state. */
export function allowedTransitions(state: string): readonly string[] {
  return jobLifecycle.allowed(state);
}

/**
 * A path of fewest steps with both ends; `[from]` when they are one; undefined when there is none.
 */
export function shortestPath(from: string, to: string): readonly string[] | undefined {
  return jobLifecycle.shortestPath(from, to);
}

/** Every state that some steps lead to, `state` itself left out, ascending. */
export function reachableFrom(state: string): readonly string[] {
  return jobLifecycle.reachableFrom(state);
}

/** Is every adjacent pair, from the first on, an edge? True for fewer than two states. */
export function isValidPath(states: readonly string[]): boolean {
  return states.every((to, index) => index === 0 || canTransition(states[index - 1] ?? '', to));
}

/** Is it a state before the end? */
export function isUnderWay(state: string): boolean {
  return isValidState(state) && !isTerminalState(state);
}

/** May work in this state be taken up again? Whatever has not ended. */
export function canResume(state: string): boolean {
  return isUnderWay(state);
}

/** May a cancellation be requested? At any time before the end, also while the job runs (C9). */
export function canRequestCancel(state: string): boolean {
  return isUnderWay(state);
}

/**
 * The time to completion when each step takes `averagePerTransition`, in its unit; 0 when there is
 * no path to completed.
 */
export function estimatedCompletion(state: string, averagePerTransition: number): number {
  const path = shortestPath(state, 'completed');
  return path === undefined ? 0 : (path.length - 1) * averagePerTransition;
}
