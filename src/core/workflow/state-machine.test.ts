// Goal: a definition is refused as a whole, with each place at fault and the state met there, and a
// machine that was accepted answers by its graph alone. Method: a sound definition with one fault
// put in at a time; random graphs against a closure computed by squaring a matrix of reach.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { StateMachine } from './state-machine.ts';
import type { StateMachineDefinition } from './state-machine-definition.ts';

const sound: StateMachineDefinition = {
  states: ['open', 'busy', 'done', 'dropped'],
  initial: 'open',
  terminal: ['done', 'dropped'],
  transitions: [
    ['open', 'busy'],
    ['busy', 'open'],
    ['busy', 'done'],
    ['open', 'dropped'],
  ],
};

/** The faults of the sound definition with some members exchanged. */
function faultsOf(change: Partial<StateMachineDefinition>): string {
  const made = StateMachine.define({ ...sound, ...change });
  if (made.ok) return 'none';
  assert.equal(made.error.code, 'invalid_state_machine');
  assert.ok(made.error.details !== undefined && made.error.details.length > 0);
  return made.error.message;
}

function machineOf(definition: StateMachineDefinition): StateMachine {
  const made = StateMachine.define(definition);
  assert.ok(made.ok);
  return made.value;
}

/** Graphs on up to seven states in which each state has an earlier one that leads to it. */
const anyDefinition: fc.Arbitrary<StateMachineDefinition> = fc
  .integer({ min: 1, max: 7 })
  .chain((count) =>
    fc.record({
      count: fc.constant(count),
      parents: fc.tuple(...Array.from({ length: count - 1 }, (_, index) => fc.nat(index))),
      more: fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 10 }),
    }),
  )
  .map(({ count, parents, more }) => {
    const edges = [...parents.map((from, index) => [from, index + 1] as const), ...more];
    const named = edges.filter(([a, b]) => a !== b).map(([a, b]) => [`s${a}`, `s${b}`] as const);
    const transitions = [...new Map(named.map((edge) => [edge.join(), edge])).values()];
    const states = Array.from({ length: count }, (_, index) => `s${index}`);
    const terminal = states.filter((state) => !transitions.some(([from]) => from === state));
    return { states, initial: 's0', terminal, transitions };
  });

/** Every pair (from, to) with a path of one step or more. */
function closureOf({ states, transitions }: StateMachineDefinition): ReadonlySet<string> {
  const reach = new Set(transitions.map(([from, to]) => `${from} ${to}`));
  for (const via of states) {
    for (const from of states) {
      for (const to of states) {
        if (reach.has(`${from} ${via}`) && reach.has(`${via} ${to}`)) reach.add(`${from} ${to}`);
      }
    }
  }
  return reach;
}

describe('workflow', () => {
  test('a definition is refused for each kind of fault, naming place and state', () => {
    const { states, terminal, transitions } = sound;
    const refusals: readonly [Partial<StateMachineDefinition>, RegExp][] = [
      [{ states: [] }, /states is "empty", but must be a list of at least one state/],
      [{ states: [...states, 'busy'] }, /states\[4\] is "busy", but must be named once/],
      [{ states: [...states, 'on hold'] }, /states\[4\] is "on hold", but must be a name without/],
      [{ states: [...states, 'a\u0000'] }, /states\[4\] .* without blanks or control characters/],
      [{ states: [...states, ''] }, /states\[4\] is "", but must be a name/],
      [{ initial: 'opened' }, /initial is "opened", but must be one of the states/],
      [{ terminal: [...terminal, 'gone'] }, /terminal\[2\] is "gone", but must be one of/],
      [{ terminal: [...terminal, 'done'] }, /terminal\[2\] is "done", but must be named once/],
      [{ transitions: [...transitions, ['lost', 'done']] }, /transitions\[4\]\.from is "lost"/],
      [{ transitions: [...transitions, ['busy', 'lost']] }, /transitions\[4\]\.to is "lost"/],
      [
        { transitions: [...transitions, ['busy', 'done']] },
        /\[4\] is "busy -> done", .* named once/,
      ],
      [
        { transitions: [...transitions, ['busy', 'busy']] },
        /\[4\]\.to is "busy", .* another state/,
      ],
      [{ transitions: [...transitions, ['done', 'open']] }, /from is "done", .* no terminal state/],
      [{ states: [...states, 'island'] }, /states\[4\] is "island", .* reachable from open/],
      [{ initial: 'done' }, /states\[0\] is "open", but must be reachable from done/],
    ];
    assert.equal(faultsOf({}), 'none');
    for (const [change, words] of refusals) assert.match(faultsOf(change), words);
  });

  test('all faults of a definition are told at once', () => {
    const made = StateMachine.define({ ...sound, initial: 'x', terminal: ['y'] });
    assert.ok(!made.ok);
    assert.deepEqual(made.error.details, [
      { field: 'initial', value: 'x', bound: 'one of the states' },
      { field: 'terminal[0]', value: 'y', bound: 'one of the states' },
    ]);
  });

  test('a machine keeps its own copy of the definition', () => {
    const states = [...sound.states];
    const machine = machineOf({ ...sound, states });
    states.push('later');
    assert.equal(machine.has('later'), false);
    assert.deepEqual(machine.states, sound.states);
    assert.ok(Object.isFrozen(machine.states));
    assert.ok(Object.isFrozen(machine.allowed('open')));
  });

  test('a cycle leads back to where it started, which is not among the reachable', () => {
    const machine = machineOf(sound);
    assert.deepEqual(machine.reachableFrom('open'), ['busy', 'done', 'dropped']);
    assert.deepEqual(machine.shortestPath('busy', 'dropped'), ['busy', 'open', 'dropped']);
    assert.deepEqual(machine.allowed('busy'), ['open', 'done']);
  });

  test('a state of the machine has a path to itself, a foreign one to nothing', () => {
    const machine = machineOf(sound);
    assert.deepEqual(machine.shortestPath('done', 'done'), ['done']);
    assert.equal(machine.shortestPath('done', 'open'), undefined);
    for (const name of ['nowhere', 'constructor', '__proto__', '']) {
      assert.equal(machine.has(name), false);
      assert.equal(machine.shortestPath(name, name), undefined);
      assert.equal(machine.shortestPath('open', name), undefined);
      assert.deepEqual(machine.reachableFrom(name), []);
      assert.deepEqual(machine.allowed(name), []);
      assert.equal(machine.can(name, 'open'), false);
      assert.equal(machine.can('open', name), false);
      assert.equal(machine.isTerminal(name), false);
    }
  });

  holds(
    'reach is the transitive closure, and a shortest path is a path that no other undercuts',
    fc.property(anyDefinition, (definition) => {
      const machine = machineOf(definition);
      const closure = closureOf(definition);
      for (const from of machine.states) {
        const reachable = machine.states.filter(
          (to) => to !== from && closure.has(`${from} ${to}`),
        );
        assert.deepEqual(machine.reachableFrom(from), reachable.sort());
        for (const to of machine.states) {
          const path = machine.shortestPath(from, to);
          assert.equal(path !== undefined, from === to || closure.has(`${from} ${to}`));
          if (path === undefined) continue;
          assert.equal(path[0], from);
          assert.equal(path.at(-1), to);
          assert.equal(new Set(path).size, path.length);
          const steps = path.slice(1).map((state, index) => [path[index] ?? '', state] as const);
          assert.ok(steps.every(([a, b]) => machine.can(a, b)));
          // One step further can never be more than one step longer.
          for (const next of machine.allowed(to)) {
            assert.ok((machine.shortestPath(from, next)?.length ?? 99) <= path.length + 1);
          }
        }
      }
    }),
  );
});
