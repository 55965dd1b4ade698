// Examples of configuration, concurrency, events and telemetry (platform specification A.1 to A.4,
// A.15, E.4 and E.5).

import { about, type Example, made, refusal, rows, story } from './example.ts';

const base = {
  name: 'svc',
  port: 8120,
  timeout_ms: 30_000,
  max_retries: 3,
  region: 'us-east-1',
  pool_size: 32,
};

const config: readonly Example[] = rows('config', [
  ['ServiceConfig', ['svc'], base],
  ['default_region', [], 'us-east-1'],
  ['default_pool_size', [], 32],
  ['validate_config', [base], null],
  ['validate_config', [{ ...base, port: 65_535 }], null],
  ['validate_config', [{ ...base, name: '' }], refusal(/name/)],
  ['validate_config', [{ ...base, port: 0 }], refusal(/port is 0/)],
  ['validate_config', [{ ...base, port: 65_536 }], refusal(/port is 65536/)],
  ['validate_config', [{ ...base, timeout_ms: 0 }], refusal(/timeout/i)],
  ['validate_config', [{ ...base, port: 0, timeout_ms: 0 }], refusal(/port.*timeout/i)],
  ['merge_configs', [base, {}], base],
  ['merge_configs', [base, { port: '9000', unknown: '1' }], { ...base, port: 9000 }],
  ['merge_configs', [base, { port: '9000x', timeout_ms: '-5', max_retries: '1.5' }], base],
  ['merge_configs', [base, { port: '65536', timeout_ms: '' }], base],
  ['merge_configs', [base, { region: 'eu-central-1' }], { ...base, region: 'eu-central-1' }],
  ['merge_configs', [base, { max_retries: '0' }], { ...base, max_retries: 0 }],
  ['merge_configs', [base, { pool_size: '64' }], { ...base, pool_size: 64 }],
  ['validate_endpoint', ['https://api.tensorforge.internal'], true],
  ['validate_endpoint', ['http://10.0.0.1:8120'], true],
  ['validate_endpoint', [''], false],
  ['validate_endpoint', ['data:text/plain,http://x'], false],
  ['validate_endpoint', ['ftp://x'], false],
  ['validate_endpoint', ['ws://x'], false],
  ['normalize_env_name', ['PrOd'], 'prod'],
  ['build_connection_string', ['db', 5442, 'tensorforge'], 'postgres://db:5442/tensorforge'],
  ['parse_feature_flags', [' a , b,,a , c '], ['a', 'b', 'c']],
  ['parse_feature_flags', ['  ,  '], []],
  ['is_production', ['Production'], true],
  ['is_production', ['PROD'], true],
  ['is_production', ['preprod'], false],
  ['config_priority', ['prod'], 100],
  ['config_priority', ['STAGING'], 75],
  ['config_priority', ['dev'], 50],
  ['config_priority', ['test'], 25],
  ['config_priority', ['production-2'], 0],
]);

const concurrency: readonly Example[] = [
  ...rows('concurrency', [
    ['barrier_reached', [3, 3], true],
    ['barrier_reached', [2, 3], false],
    [
      'merge_counts',
      [
        { a: 1, b: 2 },
        { b: 5, c: 1 },
      ],
      { a: 1, b: 7, c: 1 },
    ],
    ['partition_by_threshold', [[5, 1, 3, 9], 3], [[1], [5, 3, 9]]],
    ['partition_by_threshold', [[], 3], [[], []]],
    [
      'fan_out_merge',
      [
        [
          [
            ['b', 1],
            ['a', 9],
          ],
          [
            ['a', 2],
            ['c', 0],
          ],
        ],
      ],
      [
        ['a', 9],
        ['a', 2],
        ['b', 1],
        ['c', 0],
      ],
    ],
    ['detect_cycle', [[], 0], false],
    ['detect_cycle', [[[0, 0]], 1], true],
    [
      'detect_cycle',
      [
        [
          [0, 1],
          [1, 2],
          [0, 2],
        ],
        3,
      ],
      false,
    ],
    [
      'detect_cycle',
      [
        [
          [2, 3],
          [3, 4],
          [4, 2],
        ],
        5,
      ],
      true,
    ],
    [
      'detect_cycle',
      [
        [
          [0, 7],
          [7, 0],
        ],
        2,
      ],
      false,
    ],
    ['work_stealing', [[[1], [2, 3], [4, 5]], 0], 3],
    ['work_stealing', [[[1, 2, 3], [], []], 0], null],
    ['work_stealing', [[[1]], 4], null],
    ['parallel_sum', [[[1, 2], [], [3]]], 6],
    ['parallel_sum', [[]], 0],
    ['epoch_advance', [made('AtomicCounter', 5), 3], 8],
    ['epoch_advance', [made('AtomicCounter', 5), 0], 5],
    ['bounded_channel_size', [2, 5, 10], 50],
    ['bounded_channel_size', [2, 5, 0], 0],
    ['add_and_check_threshold', [made('AtomicCounter', 5), 5, 10], true],
    ['compare_and_swap', [made('AtomicCounter', 5), 4, 9], 5],
    ['transfer', [made('SharedRegistry'), 'a', 'b'], false],
  ]),
  story(
    'concurrency',
    'AtomicCounter',
    [0],
    [
      ['decrement', [], -1],
      ['increment', [], 0],
      ['add_and_check_threshold', [4, 5], false],
      ['add_and_check_threshold', [1, 5], true],
      ['compare_and_swap', [5, 8], 5],
      ['compare_and_swap', [5, 9], 8],
      ['get', [], 8],
    ],
  ),
  story(
    'concurrency',
    'SharedRegistry',
    [],
    [
      ['register', ['b', 1], undefined],
      ['register', ['a', 2], undefined],
      ['register', ['a', 3], undefined],
      ['keys', [], ['a', 'b']],
      ['transfer', ['a', 'b'], false],
      ['transfer', ['a', 'a'], false],
      ['transfer', ['x', 'y'], false],
      ['lookup', ['a'], 3],
      ['transfer', ['a', 'c'], true],
      ['lookup', ['a'], null],
      ['remove', ['c'], 3],
      ['remove', ['c'], null],
      ['count', [], 1],
    ],
  ),
];

const at = (timestamp: number, id: string, kind = 'k') => ({ id, timestamp, kind, payload: null });

const events: readonly Example[] = [
  ...rows('events', [
    [
      'sort_events_by_time',
      [[at(3, 'a'), at(1, 'b'), at(1, 'a')]],
      [at(1, 'a'), at(1, 'b'), at(3, 'a')],
    ],
    [
      'dedup_by_id',
      [[at(2000, 'evt-12345', 'completed'), at(1000, 'evt-12345', 'pending')]],
      [at(1000, 'evt-12345', 'pending')],
    ],
    ['dedup_by_id', [[at(5, 'a', 'one'), at(5, 'a', 'two')]], [at(5, 'a', 'one')]],
    [
      'filter_time_window',
      [[at(2001, 'd'), at(1000, 'a'), at(999, 'c'), at(2000, 'b')], 1000, 2000],
      [at(1000, 'a'), at(2000, 'b')],
    ],
    ['filter_time_window', [[at(5, 'a')], 6, 4], []],
    [
      'count_by_kind',
      [[at(1, '1', 'inference'), at(2, '2', 'inference'), at(3, '1', 'inference')]],
      { inference: 3 },
    ],
    ['detect_gaps', [[at(70, 'c'), at(10, 'a'), at(101, 'd'), at(40, 'b')], 30], [[70, 101]]],
    ['detect_gaps', [[at(1, 'a')], 0], []],
    [
      'merge_event_streams',
      [[at(2, 'z')], [at(2, 'a'), at(1, 'b')]],
      [at(1, 'b'), at(2, 'z'), at(2, 'a')],
    ],
    [
      'batch_events',
      [[at(29, 'a'), at(30, 'b'), at(61, 'c')], 30],
      { 0: [at(29, 'a')], 1: [at(30, 'b')], 2: [at(61, 'c')] },
    ],
    ['batch_events', [[at(29, 'a')], 0], {}],
    ['event_rate', [[at(25, 'c'), at(5, 'a'), at(10, 'b')]], about(0.15, 1e-12)],
    ['event_rate', [[at(5, 'a')]], 0],
    ['event_rate', [[at(5, 'a'), at(5, 'b')]], 0],
    ['causal_order', [[at(2, 'b'), at(2, 'a'), at(1, 'c')]], [at(1, 'c'), at(2, 'a'), at(2, 'b')]],
    [
      'merge_and_dedup',
      [[at(9, 'a', 'first')], [at(1, 'a', 'second'), at(3, 'b')]],
      [at(3, 'b'), at(9, 'a', 'first')],
    ],
    [
      'correlate_workflow_events',
      [[100, 10], [at(80, 'a'), at(100, 'b'), at(99, 'c'), at(0, 'd')], 20],
      [[at(80, 'a'), at(99, 'c')], [at(0, 'd')]],
    ],
  ]),
  story(
    'events',
    'EventLog',
    [2],
    [
      ['latest', [], null],
      ['append', [at(1, 'a')], undefined],
      ['append', [at(3, 'b')], undefined],
      ['append', [at(2, 'c')], undefined],
      ['count', [], 2],
      ['get_all', [], [at(3, 'b'), at(2, 'c')]],
      ['latest', [], at(2, 'c')],
      ['clear', [], undefined],
      ['count', [], 0],
    ],
  ),
  story(
    'events',
    'EventLog',
    [0],
    [
      ['append', [at(1, 'a')], undefined],
      ['count', [], 0],
    ],
  ),
];

const sample = (name: string, value: number) => ({ name, value, timestamp: 1 });

const telemetry: readonly Example[] = [
  ...rows('telemetry', [
    ['error_rate', [10_000, 50], 0.005],
    ['error_rate', [0, 0], 0],
    ['error_rate', [100, 0], 0],
    ['error_rate', [10, 20], 1],
    ['latency_bucket', [10], 'fast'],
    ['latency_bucket', [10.5], 'medium'],
    ['latency_bucket', [100], 'slow'],
    ['throughput', [5000, 60_000], about(83.33)],
    ['throughput', [5, 0], 0],
    ['health_score', [0.9, 0.7], about(0.82, 1e-9)],
    ['health_score', [0.99, 0.35], about(0.734, 1e-9)],
    ['health_score', [0.98, 0.3], about(0.708, 1e-9)],
    ['health_score', [0.5, 0.9], about(0.66, 1e-9)],
    ['is_within_threshold', [9, 10, 1], true],
    ['is_within_threshold', [11.01, 10, 1], false],
    ['is_within_threshold', [Number.NaN, 10, 1], false],
    ['aggregate_metrics', [[sample('a', 50), sample('b', 1), sample('a', 70)]], { a: 60, b: 1 }],
    ['uptime_percentage', [86_400, 3600], about(95.83)],
    ['uptime_percentage', [7200, 18], about(99.75, 1e-9)],
    ['uptime_percentage', [0, 0], 0],
    ['uptime_percentage', [10, 20], 0],
    ['should_alert', [0.95, 0.8], true],
    ['should_alert', [0.8, 0.8], false],
    ['alert_priority', [95, 80, 95], 'critical'],
    ['alert_priority', [80, 80, 95], 'warning'],
    ['alert_priority', [79.9, 80, 95], 'ok'],
    ['format_metric', ['latency', 12.345, 'ms'], 'latency=12.35ms'],
    ['format_metric', ['load', 7, ''], 'load=7.00'],
    ['metric_names', [[sample('b', 1), sample('a', 1), sample('b', 2)]], ['a', 'b']],
    ['sli_budget_remaining', [0.999, 0.9995, 30, 10], about(0.000833, 1e-6)],
    ['sli_budget_remaining', [0.999, 0.5, 30, 30], 0],
    ['sli_budget_remaining', [0.999, 1, 0, 10], 0],
    ['sli_budget_remaining', [0.999, 1, 30, 0], 0],
  ]),
  story(
    'telemetry',
    'MetricsCollector',
    [2],
    [
      ['record', [sample('a', 1)], undefined],
      ['record', [sample('a', 2)], undefined],
      ['record', [sample('b', 3)], undefined],
      ['count', [], 2],
      ['get_by_name', ['a'], [sample('a', 2)]],
      ['clear', [], undefined],
      ['count', [], 0],
    ],
  ),
];

export const foundationExamples: readonly Example[] = [
  ...config,
  ...concurrency,
  ...events,
  ...telemetry,
];
