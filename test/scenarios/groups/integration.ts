// Group 13, integration: one strict check of every module, and the flow through all of them, which
// gives equal results when it is run twice and when it is replayed from its recorded events.

import { createHash, createHmac } from 'node:crypto';
import type { AllocatorOrder, Documents, RouteRecord } from '../../support/documents.ts';
import { ascending, equal, exactly, near, that } from '../expectations.ts';
import { type FlowEvent, type FlowStart, flowStart, packed, replayFlow, runFlow } from '../flow.ts';
import { bestByCounting, newestOfEach } from '../oracles.ts';
import { series, shuffled } from '../series.ts';
import type { Group } from './group.ts';

export const integrationGroup: Group = {
  name: 'integration',
  check(documents, i) {
    const start = flowStart(documents, i);
    checkEveryModule(documents, start);
    checkFlow(documents, start);
  },
};

/** More urgent first, then the earlier estimate, then the smaller id. */
function goesFirst(a: AllocatorOrder, b: AllocatorOrder): boolean {
  if (a[1] !== b[1]) return a[1] > b[1];
  return a[2] !== b[2] ? a[2] < b[2] : a[0] < b[0];
}

function checkEveryModule(documents: Documents, start: FlowStart): void {
  const { index: i } = start;
  const { config, concurrency, events, telemetry, allocator, models } = documents;
  equal('config: region', config.default_region(), 'us-east-1');
  equal('concurrency: sums', concurrency.merge_counts({ a: i }, { a: 1 }), { a: i + 1 });
  const timeline = [i + 2, i, i + 1].map((timestamp) => {
    return { id: `e-${timestamp}`, timestamp, kind: 'routed', payload: '' };
  });
  const times = events.sort_events_by_time(timeline).map(({ timestamp }) => timestamp);
  equal('events: ascending', times, [i, i + 1, i + 2]);
  exactly('telemetry: rate', telemetry.error_rate(100 + i, 5) * (100 + i), 5);
  exactly('allocator: cost', allocator.cost_per_unit(2 * (i + 1), i + 1), 2);
  const label = ['unknown', 'info', 'low', 'medium', 'high', 'critical'][start.classes[0]];
  const urgency = 10 * start.classes[0] + Math.max(0, 120 - start.slos[0]);
  equal('models: urgency', start.orders[0]?.[1], urgency);
  equal('models: label', models.severity_label(start.classes[0]), label ?? 'unknown');

  const { policy, queue, resilience, routing, security, statistics, workflow } = documents;
  const escalated = policy.next_policy(start.mode, start.burst);
  equal('policy: one step', escalated, i % 2 === 0 ? 'watch' : 'restricted');
  const boosted = queue.priority_boost({ id: 'job', priority: start.depth }, 3);
  equal('queue: boost', boosted, { id: 'job', priority: start.depth + 3 });
  ascending('resilience: ascending', resilience.replay(start.delivered), (event) => event.sequence);
  const open = start.routes.filter(({ channel }) => !start.blocked.includes(channel));
  const lowest = Math.min(...open.map(({ latency }) => latency));
  equal('routing: lowest', routing.best_route(open)?.latency, lowest);
  equal('security: empty token', security.validate_token_format(''), false);
  const sha256 = createHash('sha256').update(`text-${i}`).digest('hex');
  equal('security: digest', security.digest(`text-${i}`), sha256);
  near('statistics: weighted mean', statistics.weighted_mean([10, 20, 30], [1, 2, 3]), 23.333);
  that('workflow: cancel', workflow.can_cancel('departed'));
}

function outputsOf(events: readonly FlowEvent[]): Record<string, unknown> {
  return Object.fromEntries(events.map(({ kind, output }) => [kind, output]));
}

function checkFlow(documents: Documents, start: FlowStart): void {
  const recorded = runFlow(documents, start);
  const outputs = expectedOutputs(start);
  equal('the flow', outputsOf(recorded), outputs);
  equal('the flow run twice', outputsOf(runFlow(documents, start)), outputs);
  const delivery = packed(recorded);
  const again = shuffled([...delivery, ...delivery.slice(start.index % 5)], series(start.index));
  equal('the flow replayed', outputsOf(replayFlow(documents, again)), outputs);
}

/** What the flow must decide, from the documents' rules written out once more. */
function expectedOutputs(start: FlowStart): Record<string, unknown> {
  const { index: i, slos, classes, orders, depth, delivered } = start;
  const read = orders.map(
    ([id, urgency, eta]): AllocatorOrder => [id, urgency, typeof eta === 'number' ? eta : 0],
  );
  const admit = bestByCounting(read, 2, goesFirst);
  const planned = admit.slice(0, 1);
  const id = planned[0]?.[0];
  const open = start.routes.filter(({ channel }) => !start.blocked.includes(channel));
  const isFaster = (a: RouteRecord, b: RouteRecord): boolean =>
    a.latency < b.latency || (a.latency === b.latency && a.channel < b.channel);
  const factor = slos[0] <= 30 ? 2 : slos[0] <= 60 ? 1.5 : 1;
  return {
    admit,
    validate: null,
    plan: { planned, rejected: read.filter((order) => !planned.includes(order)) },
    route: bestByCounting(open, 1, isFaster)[0],
    transition: {
      moved: true,
      trail: [
        `[${i}] queued -> allocated (entity: ${id})`,
        `[${i + 1}] allocated -> departed (entity: ${id})`,
        `[${i + 2}] departed -> arrived (entity: ${id})`,
      ],
    },
    objective: true,
    mode: i % 2 === 0 ? { mode: 'watch', place: 1 } : { mode: 'restricted', place: 2 },
    // Restricted mode sheds from 80 % of 30 on.
    shed: i % 2 === 1 && depth >= 24,
    replay: newestOfEach(delivered).map(({ id: newest, sequence }) => [newest, sequence]),
    sign: createHmac('sha256', `key-${i % 10}`)
      .update(`deployment-${i}`)
      .digest('hex'),
    cost: 10 * classes[0] * factor,
    address: 'http://routing:8121/health',
  };
}
