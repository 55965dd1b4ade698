// One job on its way through the whole platform, as a list of recorded decisions (RD9): admit,
// validate, plan, route, transition, judge the objective, shed, move the mode, replay, sign, cost and
// address. Each decision is a function of its recorded input, so a recording can be decided again.
//
//   I1  Sequences are 1, 2, 3, ... in the order of the decisions.
//   I2  The output of an event is what its kind decides on its input, today and in any year.

import type { Json } from '../../src/base/canonical.ts';
import type { AllocatorOrder, Documents, ReplayEvent, RouteRecord } from '../support/documents.ts';
import { cycled } from './groups/group.ts';

type Inputs = {
  readonly admit: { readonly orders: readonly AllocatorOrder[]; readonly capacity: number };
  readonly validate: { readonly orders: readonly AllocatorOrder[] };
  readonly plan: { readonly orders: readonly AllocatorOrder[]; readonly capacity: number };
  readonly route: { readonly routes: readonly RouteRecord[]; readonly blocked: readonly string[] };
  readonly transition: { readonly id: string; readonly at: number };
  readonly objective: { readonly actual: number; readonly most: number };
  readonly mode: { readonly mode: string; readonly burst: number };
  readonly shed: { readonly depth: number; readonly hardLimit: number; readonly place: number };
  readonly replay: { readonly events: readonly ReplayEvent[] };
  readonly sign: { readonly payload: string; readonly key: string };
  readonly cost: { readonly priorityClass: number; readonly slo: number; readonly rate: number };
  readonly address: { readonly service: string };
};

type Outputs = {
  readonly admit: readonly AllocatorOrder[];
  readonly validate: null;
  readonly plan: {
    readonly planned: readonly AllocatorOrder[];
    readonly rejected: readonly AllocatorOrder[];
  };
  readonly route: RouteRecord | null;
  readonly transition: { readonly moved: boolean; readonly trail: readonly string[] };
  readonly objective: boolean;
  readonly mode: { readonly mode: string; readonly place: number };
  readonly shed: boolean;
  readonly replay: readonly (readonly [id: string, sequence: number])[];
  readonly sign: string;
  readonly cost: number;
  readonly address: string | null;
};

type Kind = keyof Inputs;
type Decisions = { readonly [K in Kind]: (documents: Documents, input: Inputs[K]) => Outputs[K] };

const decisions: Decisions = {
  admit: ({ allocator }, { orders, capacity }) => allocator.allocate_orders(orders, capacity),
  validate: ({ allocator }, { orders }) => allocator.validate_batch(orders),
  plan: ({ allocator }, { orders, capacity }) => allocator.dispatch_batch(orders, capacity),
  route: ({ routing }, { routes, blocked }) => routing.choose_route(routes, blocked),
  transition: ({ workflow }, { id, at }) => {
    const engine = workflow.WorkflowEngine();
    engine.register(id);
    const steps = ['allocated', 'departed', 'arrived'];
    const moves = steps.map((to, step) => [id, to, at + step] as const);
    const [moved] = workflow.batch_transition_atomic(engine, moves);
    return { moved, trail: engine.audit_log() };
  },
  objective: ({ policy }, { actual, most }) => policy.check_sla_compliance(actual, most),
  mode: ({ policy }, { mode, burst }) => {
    const next = policy.next_policy(mode, burst);
    return { mode: next, place: policy.policy_index(next) ?? 0 };
  },
  // From restricted mode on the queue is in an emergency.
  shed: ({ queue }, { depth, hardLimit, place }) => queue.should_shed(depth, hardLimit, place >= 2),
  replay: ({ resilience }, { events }) =>
    resilience.replay(events).map(({ id, sequence }) => [id, sequence]),
  sign: ({ security }, { payload, key }) => security.sign_manifest(payload, key),
  cost: ({ allocator }, { priorityClass, slo, rate }) =>
    allocator.estimate_cost(priorityClass, slo, rate),
  address: ({ contracts }, { service }) => contracts.get_service_url(service),
};

type EventOf<K extends Kind> = {
  readonly sequence: number;
  readonly id: string;
  readonly kind: K;
  readonly input: Inputs[K];
  readonly output: Json;
};
export type FlowEvent = { readonly [K in Kind]: EventOf<K> }[Kind];

/** What the recorded decision would be today. */
export function decideAgain<K extends Kind>(documents: Documents, event: EventOf<K>): Json {
  return decisions[event.kind](documents, event.input);
}

/** What a flow starts from; all of it follows from an index. */
export type FlowStart = {
  readonly index: number;
  readonly classes: readonly [number, number];
  readonly slos: readonly [number, number];
  readonly orders: readonly AllocatorOrder[];
  readonly routes: readonly RouteRecord[];
  readonly blocked: readonly string[];
  readonly mode: string;
  readonly burst: number;
  readonly depth: number;
  readonly delivered: readonly ReplayEvent[];
};

/** Estimates of two candidates are texts that are no numbers; they are read as 0. */
export function flowStart(documents: Documents, i: number): FlowStart {
  const classes = [1 + (i % 7), 1 + ((3 * i) % 7)] as const;
  const slos = [20 + (i % 90), 20 + ((2 * i) % 90)] as const;
  const urgency = (at: 0 | 1): number =>
    documents.models.urgency_score({
      id: `job-${at}`,
      severity: classes[at],
      sla_minutes: slos[at],
    });
  const sequence = 1 + (i % 10);
  return {
    index: i,
    classes,
    slos,
    orders: [
      [`job-${i}-a`, urgency(0), 'soon'],
      [`job-${i}-b`, urgency(1), '1O minutes'],
      [`job-${i}-c`, 2 + (i % 50), 40 + (i % 30)],
    ],
    routes: [
      { channel: 'alpha', latency: 2 + (i % 9) },
      { channel: 'beta', latency: i % 3 },
      { channel: 'gamma', latency: 4 + (i % 4) },
    ],
    blocked: i % 5 === 0 ? ['beta'] : [],
    mode: cycled(['normal', 'watch'], i),
    burst: 2 + (i % 2),
    depth: 1 + (i % 30),
    delivered: [
      { id: `k-${i % 17}`, sequence },
      { id: `z-${i % 13}`, sequence: sequence + 5 },
      { id: `k-${i % 17}`, sequence: sequence + 5 },
    ],
  };
}

/** The recorded decisions of one flow, in order. */
export function runFlow(documents: Documents, start: FlowStart): readonly FlowEvent[] {
  const events: FlowEvent[] = [];
  const decide = <K extends Kind>(kind: K, input: Inputs[K]): Outputs[K] => {
    const output = decisions[kind](documents, input);
    const sequence = events.length + 1;
    const event: EventOf<K> = { sequence, id: `${start.index}.${sequence}`, kind, input, output };
    // The union over all kinds, which the type system does not follow through K.
    events.push(event as FlowEvent);
    return output;
  };
  const { orders } = start;
  decide('admit', { orders, capacity: 2 });
  decide('validate', { orders });
  const { planned } = decide('plan', { orders, capacity: 1 });
  decide('route', { routes: start.routes, blocked: start.blocked });
  for (const [id] of planned) decide('transition', { id, at: start.index });
  decide('objective', { actual: 30 + (start.index % 20), most: 60 });
  const { place } = decide('mode', { mode: start.mode, burst: start.burst });
  decide('shed', { depth: start.depth, hardLimit: 30, place });
  decide('replay', { events: start.delivered });
  decide('sign', { payload: `deployment-${start.index}`, key: `key-${start.index % 10}` });
  decide('cost', { priorityClass: start.classes[0], slo: start.slos[0], rate: 10 });
  decide('address', { service: 'routing' });
  return events;
}

/** A recording as it travels: the keep rule of replay needs an id and a sequence, the rest is text. */
export function packed(events: readonly FlowEvent[]): readonly ReplayEvent[] {
  return events.map((event) => ({
    id: event.id,
    sequence: event.sequence,
    payload: JSON.stringify(event),
  }));
}

/** The recording as one node holds it after any delivery of it: replayed and decided again. */
export function replayFlow(
  documents: Documents,
  delivered: readonly ReplayEvent[],
): readonly FlowEvent[] {
  return documents.resilience.replay(delivered).map(({ payload }) => {
    const event: FlowEvent = JSON.parse(String(payload));
    return { ...event, output: decideAgain(documents, event) };
  });
}
