// The definition of a state machine, and its judge: the invariants of state-machine.ts, each fault
// with the place in the definition, the state met there, and what it must be.

import type { Violation } from '../../base/fault.ts';

export type StateMachineDefinition = {
  /** In lifecycle order, which breaks ties between them. */
  readonly states: readonly string[];
  readonly initial: string;
  readonly terminal: readonly string[];
  /** The order of those from one state is the order of `allowed`. */
  readonly transitions: readonly (readonly [from: string, to: string])[];
};

/** The states that one step leads to, for every state, in the order of the definition. */
export function followersOf(
  definition: StateMachineDefinition,
): ReadonlyMap<string, readonly string[]> {
  const followers = new Map<string, string[]>(definition.states.map((state) => [state, []]));
  for (const [from, to] of definition.transitions) followers.get(from)?.push(to);
  for (const list of followers.values()) Object.freeze(list);
  return followers;
}

type Tell = (field: string, value: unknown, bound: string) => void;

/** Tells each text that is there a second time. */
function tellRepeated(field: string, texts: readonly string[], tell: Tell): void {
  for (const [index, text] of texts.entries()) {
    if (texts.indexOf(text) !== index) tell(`${field}[${index}]`, text, 'named once');
  }
}

function judgeNames({ states, initial, terminal }: StateMachineDefinition, tell: Tell): void {
  if (states.length === 0) tell('states', 'empty', 'a list of at least one state');
  for (const [index, state] of states.entries()) {
    const isName = /^[^\s\p{Cc}\p{Cs}]+$/u.test(state);
    if (!isName) tell(`states[${index}]`, state, 'a name without blanks or control characters');
  }
  tellRepeated('states', states, tell);
  if (!states.includes(initial)) tell('initial', initial, 'one of the states');
  for (const [index, state] of terminal.entries()) {
    if (!states.includes(state)) tell(`terminal[${index}]`, state, 'one of the states');
  }
  tellRepeated('terminal', terminal, tell);
}

function judgeTransitions(definition: StateMachineDefinition, tell: Tell): void {
  const { states, terminal, transitions } = definition;
  for (const [index, [from, to]] of transitions.entries()) {
    const field = `transitions[${index}]`;
    if (!states.includes(from)) tell(`${field}.from`, from, 'one of the states');
    if (!states.includes(to)) tell(`${field}.to`, to, 'one of the states');
    if (terminal.includes(from))
      tell(`${field}.from`, from, 'no terminal state: nothing leaves it');
    if (from === to) tell(`${field}.to`, to, 'another state than the one it leaves');
  }
  const arrows = transitions.map(([from, to]) => `${from} -> ${to}`);
  tellRepeated('transitions', arrows, tell);
}

function judgeReach(definition: StateMachineDefinition, tell: Tell): void {
  const followers = followersOf(definition);
  const reached = new Set([definition.initial]);
  for (const at of reached) for (const next of followers.get(at) ?? []) reached.add(next);
  for (const [index, state] of definition.states.entries()) {
    const bound = `reachable from ${definition.initial}`;
    if (!reached.has(state)) tell(`states[${index}]`, state, bound);
  }
}

/** Every fault of the definition; reach is judged only where all names fit together. */
export function definitionViolations(definition: StateMachineDefinition): readonly Violation[] {
  const violations: Violation[] = [];
  const tell: Tell = (field, value, bound) => violations.push({ field, value, bound });
  judgeNames(definition, tell);
  judgeTransitions(definition, tell);
  if (violations.length === 0) judgeReach(definition, tell);
  return violations;
}
