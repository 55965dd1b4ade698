// Group 12, workflow: documented samples, the whole table of edges, and what can be reached by
// following it.

import { equal, exactly, near, refuses, that } from '../expectations.ts';
import { closure } from '../oracles.ts';
import { cycled, type Group, turn } from './group.ts';

const states = ['queued', 'allocated', 'departed', 'arrived', 'cancelled'] as const;
const edges: readonly (readonly [string, string])[] = [
  ['queued', 'allocated'],
  ['queued', 'cancelled'],
  ['allocated', 'departed'],
  ['allocated', 'cancelled'],
  ['departed', 'arrived'],
];
/** All 25, with the name of the statement about each. */
const pairs = states.flatMap((from) =>
  states.map((to) => {
    const isEdge = edges.some(([a, b]) => a === from && b === to);
    return [`${from} to ${to}`, from, to, isEdge] as const;
  }),
);
const lifecycle = ['queued', 'allocated', 'departed', 'arrived'];

export const workflowGroup: Group = {
  name: 'workflow',
  check({ workflow }, i) {
    const [before, after] = i % 2 === 0 ? ['queued', 'allocated'] : ['allocated', 'departed'];
    that('a documented edge', workflow.can_transition(before, after));
    equal('nothing leaves the end', workflow.can_transition('arrived', 'queued'), false);
    equal('a path', workflow.shortest_path('queued', 'arrived'), lifecycle);
    that('terminal', workflow.is_terminal_state(cycled(['arrived', 'cancelled'], turn(i))));
    that('may be cancelled', workflow.can_cancel(cycled(['queued', 'allocated', 'departed'], i)));
    equal('an end may not', workflow.can_cancel(cycled(['arrived', 'cancelled'], turn(i))), false);
    that('may resume', workflow.can_resume(cycled(['queued', 'allocated', 'departed'], i)));
    const average = 10 + (i % 5);
    equal('three transitions left', workflow.estimated_completion('queued', average), 3 * average);
    const [entered, now] = [100 + (i % 100), 500 + (i % 200)];
    equal('age', workflow.state_age_seconds(entered, now), now - entered);
    equal('age is signed', workflow.state_age_seconds(now, entered), entered - now);
    equal('stale is strict', workflow.is_stale(entered, now, now - entered), false);
    that('stale', workflow.is_stale(entered, now, now - entered - 1));
    that('the lifecycle is a path', workflow.valid_path(lifecycle));
    equal('the first pair counts', workflow.valid_path(['arrived', ...lifecycle]), false);
    equal('its reverse is none', workflow.valid_path(lifecycle.toReversed()), false);
    const completed = 360 + (i % 100);
    near('throughput per hour', workflow.entity_throughput(completed, 3600), completed);
    exactly(
      'in half the time twice as much',
      workflow.entity_throughput(completed, 1800),
      2 * completed,
    );

    for (const [pair, from, to, isEdge] of pairs) {
      equal(pair, workflow.can_transition(from, to), isEdge);
    }
    const from = cycled(states, i);
    equal('what is reached', workflow.reachable_from(from), closure(edges, from));
    equal(
      'what is allowed',
      workflow.allowed_transitions(from),
      edges.filter(([a]) => a === from).map(([, b]) => b),
    );

    const time = 1 + (i % 10);
    const records = [
      { entity_id: 'a', from: 'queued', to: 'allocated', timestamp: time },
      { entity_id: 'b', from: 'queued', to: 'cancelled', timestamp: time + 1 },
      { entity_id: 'a', from: 'allocated', to: 'departed', timestamp: time + 2 },
    ];
    equal('the last record of each', workflow.compact_history(records), records.slice(1));
    equal('time in a state', workflow.time_in_state(records, 'allocated'), 2);
    equal('never left', workflow.time_in_state(records, 'departed'), null);

    checkEngine(workflow, i);
  },
};

type Workflow = Parameters<Group['check']>[0]['workflow'];

function checkEngine(workflow: Workflow, i: number): void {
  const engine = workflow.WorkflowEngine();
  const [one, two] = [`job-${i}`, `job-${i}-b`];
  equal('two registered', workflow.batch_register(engine, [one, two]), 2);
  equal('known ones are not registered again', workflow.batch_register(engine, [one]), 0);
  const refused = workflow.batch_transition_atomic(engine, [
    [one, 'allocated', 5],
    [two, 'arrived', 6],
  ]);
  equal('not all may', refused[0], false);
  equal('so none moves', [engine.get_state(one), engine.history()], ['queued', []]);
  const moved = workflow.batch_transition_atomic(engine, [
    [one, 'allocated', 5],
    [one, 'departed', 6],
    [two, 'cancelled', 6],
  ]);
  equal('all move', moved[0], true);
  equal(
    'a target that is not allowed',
    workflow.validate_and_transition(engine, one, 'arrived', 7, ['cancelled']).success,
    false,
  );
  that(
    'one that is',
    workflow.validate_and_transition(engine, one, 'arrived', 7, ['arrived']).success,
  );
  equal('the trail', engine.audit_log(), [
    `[5] queued -> allocated (entity: ${one})`,
    `[6] allocated -> departed (entity: ${one})`,
    `[6] queued -> cancelled (entity: ${two})`,
    `[7] departed -> arrived (entity: ${one})`,
  ]);
  equal('nothing is active', engine.active_count(), 0);
  const stranger = engine.transition('stranger', 'allocated', 8);
  equal('a stranger does not move', [stranger.success, stranger.from], [false, '']);
  refuses('nor is a known id registered', () => engine.register(one));
}
