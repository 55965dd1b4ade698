// A state machine as data: which states there are, where one starts, which are the end, and which
// steps lead from one to another. A definition is judged as a whole before there is a machine, so
// whoever holds a `StateMachine` may rely on it. Platform specification A.14 and D.2.
//
//   I1  Every state named by `initial`, `terminal` or a transition is one of `states`; names and
//       transitions are there once.
//   I2  Every state is reachable from the initial one.
//   I3  No transition leaves a terminal state, and none leads from a state to itself.
//   I4  Names hold no blank and no control character, so that an audit line is never ambiguous.

import { present } from '../../base/assert.ts';
import { compareText } from '../../base/compare.ts';
import { type Fault, invalid } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import {
  definitionViolations,
  followersOf,
  type StateMachineDefinition,
} from './state-machine-definition.ts';

export class StateMachine {
  readonly states: readonly string[];
  readonly initial: string;
  readonly #terminal: ReadonlySet<string>;
  readonly #followers: ReadonlyMap<string, readonly string[]>;

  private constructor(definition: StateMachineDefinition) {
    this.states = Object.freeze([...definition.states]);
    this.initial = definition.initial;
    this.#terminal = new Set(definition.terminal);
    this.#followers = followersOf(definition);
  }

  /**
   * The machine, or every fault of the definition: which place of it, which state, what it must be.
   */
  static define(
    definition: StateMachineDefinition,
  ): Result<StateMachine, Fault<'invalid_state_machine'>> {
    const violations = definitionViolations(definition);
    if (violations.length === 0) return ok(new StateMachine(definition));
    return err(invalid('invalid_state_machine', 'state machine', violations));
  }

  has(state: string): boolean {
    return this.#followers.has(state);
  }

  /** False for a state that the machine does not have. */
  isTerminal(state: string): boolean {
    return this.#terminal.has(state);
  }

  /** Is there a transition from `from` to `to`? */
  can(from: string, to: string): boolean {
    return this.allowed(from).includes(to);
  }

  /** The states that one step leads to, in the order of the definition. */
  allowed(from: string): readonly string[] {
    return this.#followers.get(from) ?? [];
  }

  /**
   * A path of fewest steps with both ends; `[from]` when they are one; undefined when there is
   * none.
   */
  shortestPath(from: string, to: string): readonly string[] | undefined {
    const before = this.#search(from);
    if (!before.has(to)) return undefined;
    const path: string[] = [];
    for (let at: string | undefined = to; at !== undefined; at = before.get(at)) path.push(at);
    return path.reverse();
  }

  /** Every state that some steps lead to, `from` itself left out, ascending. */
  reachableFrom(from: string): readonly string[] {
    const found = [...this.#search(from).keys()].filter((state) => state !== from);
    return found.sort(compareText);
  }

  /** Breadth first: each state found, with the one before it on a shortest path. */
  #search(from: string): ReadonlyMap<string, string | undefined> {
    const before = new Map<string, string | undefined>();
    if (this.has(from)) before.set(from, undefined);
    // What is added while the keys are visited is visited as well.
    for (const at of before.keys()) {
      for (const next of present(this.#followers.get(at), at)) {
        if (!before.has(next)) before.set(next, at);
      }
    }
    return before;
  }
}
