// Group 5, jobs and manifests: documented samples, the urgency formula, its growth with elapsed
// time, and the table of size classes.

import { equal, exactly, near, that } from '../expectations.ts';
import { cycled, type Group, turn } from './group.ts';

/** Megabytes and the class the documents give them: both sides of every edge. */
const sizes = [
  [0, 'light'],
  [10_000, 'light'],
  [10_001, 'medium'],
  [50_000, 'medium'],
  [50_001, 'heavy'],
  [100_000, 'heavy'],
  [100_001, 'super-heavy'],
] as const;

const labels = ['unknown', 'info', 'low', 'medium', 'high', 'critical', 'unknown'];
const sampled = ['light', 'medium', 'heavy', 'heavy', 'super-heavy'];

export const modelsGroup: Group = {
  name: 'models',
  check({ models }, i) {
    equal('labels of the classes', [0, 1, 2, 3, 4, 5, 6].map(models.severity_label), labels);

    equal('the upper edge is heavy', models.weight_class(100_000), 'heavy');
    const [size, expected] = cycled(sizes, turn(i));
    equal('size class at its edges', models.weight_class(size), expected);
    equal('size class sampled', models.weight_class(1 + 30_000 * (i % 5)), cycled(sampled, i));
    const manifest = {
      vessel_id: `d-${i}`,
      name: 'm',
      cargo_tons: size,
      containers: 4,
      hazmat: false,
    };
    equal('large as the class says', models.is_heavy(manifest), size > 50_000);

    const shards = 100 + (i % 400);
    const workers = models.estimated_crew(shards);
    that('a hundred shards to a worker', workers * 100 >= shards && (workers - 1) * 100 < shards);

    const base = 100 + (i % 50);
    exactly('the surcharge', models.hazmat_surcharge(base, true), base * 2.5);
    equal('without isolation', models.hazmat_surcharge(base, false), base);

    const work = 60 + (i % 40);
    exactly('minutes to completion', models.eta_minutes(work, 10), work * 6);
    equal('no rate, no end', models.eta_minutes(work, 0), Number.MAX_VALUE);
    near('availability in series', models.effective_sla(0.999, 0.999), 0.998001, 1e-12);

    const urgent = 10 + (i % 10);
    that('urgency has grown', models.time_adjusted_urgency(urgent, 55, 60) > urgent);
    const growth = [-5, 0, 15, 30, 60, 61].map((elapsed) =>
      models.time_adjusted_urgency(urgent, elapsed, 60),
    );
    const factors = [1, 1, 1.25, 1.5, 2, 2];
    for (const [at, value] of growth.entries()) {
      exactly('urgency by elapsed time', value, urgent * (factors[at] ?? 0));
    }

    const [severity, sla_minutes] = [1 + (i % 5), 20 + (i % 80)];
    const order = models.DispatchOrder(`job-${i}`, severity, sla_minutes);
    that('urgency is not negative', order.urgency_score() >= 0);
    equal('urgency formula', models.urgency_score(order), severity * 10 + (120 - sla_minutes));
    const late = models.DispatchOrder('late', severity, 500 + i);
    equal('a far deadline adds nothing', late.urgency_score(), severity * 10);
    that('positive is more urgent', models.order_priority_compare(order, late) > 0);
    that('and the other way round', models.order_priority_compare(late, order) < 0);

    const created = models.create_batch_orders([`a-${i}`, `b-${i}`], i % 9, (i % 3) - 1);
    const kept = { severity: Math.min(5, Math.max(1, i % 9)), sla_minutes: 1 };
    equal(
      'what is created is clamped',
      created.map((job) => [job.id, job.severity, job.sla_minutes]),
      [
        [`a-${i}`, kept.severity, kept.sla_minutes],
        [`b-${i}`, kept.severity, kept.sla_minutes],
      ],
    );
    for (const job of created) equal('and valid', models.validate_dispatch_order(job), null);
  },
};
