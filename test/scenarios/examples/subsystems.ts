// Examples of the model registry, the GPU memory pool and training checkpoints (platform
// specification C.1 to C.3, A.15).

import { about, type Example, refusal, rows, story } from './example.ts';

const most = Number.MAX_VALUE;
const version = (major: number, minor: number, patch: number) => ({ major, minor, patch });
const widest = 4_294_967_295;

const metadata = (model_id: string, state: string, numbers = version(1, 0, 0)) => ({
  model_id,
  name: model_id,
  version: numbers,
  framework: 'onnx',
  input_shape: [1, 8],
  output_shape: [1],
  size_bytes: 5_000_000_001,
  checksum: 'c0ffee',
  registered_at: 7,
  state,
  tags: {},
});

const validation = (
  accuracy_score: number,
  latency_p99_ms: number,
  errors: readonly string[] = [],
  model_id = 'm',
) => ({
  model_id,
  version: version(1, 0, 0),
  passed: true,
  latency_p50_ms: 1,
  latency_p99_ms,
  accuracy_score,
  errors,
});

const states = [
  'Registered',
  'Validating',
  'Staging',
  'Canary',
  'Production',
  'Deprecated',
  'Archived',
];
const edges = [
  'Registered Validating',
  'Validating Staging',
  'Validating Registered',
  'Staging Canary',
  'Staging Registered',
  'Canary Production',
  'Canary Staging',
  'Production Deprecated',
  'Deprecated Archived',
];

const registry: readonly Example[] = [
  ...rows('registry', [
    ['compare_versions', [version(1, 10, 0), version(1, 9, 9)], 1],
    ['compare_versions', [version(0, 0, 0), version(widest, 0, 0)], -1],
    ['compare_versions', [version(1, 2, 3), version(1, 2, 3)], 0],
    ['parse_version', ['1.20.3'], version(1, 20, 3)],
    ['parse_version', ['0.0.4294967295'], version(0, 0, widest)],
    ...[
      '',
      '1.2',
      '1.2.3.4',
      '+1.2.3',
      '-1.2.3',
      '1. 2.3',
      'v1.2.3',
      '1.02.3',
      '0.0.4294967296',
    ].map((text) => ['parse_version', [text], null] as const),
    ['format_version', [version(1, 20, 3)], '1.20.3'],
    ...states.flatMap((from) =>
      states.map(
        (to) => ['can_transition_state', [from, to], edges.includes(`${from} ${to}`)] as const,
      ),
    ),
    ['shape_compatibility', [[1, 8], [1], [1, 8], [1]], 1],
    ['shape_compatibility', [[1, 8], [1], [1, 9], [1]], 0.75],
    ['shape_compatibility', [[1, 8, 4], [1], [1, 8], [1]], about(5 / 6, 1e-12)],
    ['shape_compatibility', [[], [], [], []], 1],
    ['shape_compatibility', [[], [1], [2], [1]], 0.5],
    ['meets_sla', [validation(0.9, 100), 100, 0.9], true],
    ['meets_sla', [validation(0.9, 101), 100, 0.9], false],
    ['meets_sla', [validation(0.89, 100), 100, 0.9], false],
    ['meets_sla', [validation(Number.NaN, 100), 100, 0.9], false],
    [
      'select_best_model',
      [
        [
          [metadata('a', 'Production'), validation(0.8, 9)],
          [metadata('b', 'Canary'), validation(0.9, 99)],
          [metadata('c', 'Staging'), validation(1, 1)],
        ],
      ],
      'b',
    ],
    [
      'select_best_model',
      [
        [
          [metadata('a', 'Production'), validation(0.9, 9)],
          [metadata('b', 'Canary'), validation(0.9, 8)],
        ],
      ],
      'b',
    ],
    [
      'select_best_model',
      [
        [
          [metadata('a', 'Production'), validation(Number.NaN, 1)],
          [metadata('b', 'Canary'), validation(0.1, 8)],
        ],
      ],
      'b',
    ],
    ['select_best_model', [[[metadata('a', 'Archived'), validation(1, 1)]]], null],
    ['select_best_model', [[]], null],
    ['rollback_priority', [validation(0.9, 100), validation(0.9, 100)], 0],
    ['rollback_priority', [validation(0.8, 150, ['e']), validation(0.9, 100)], about(45, 1e-9)],
    ['rollback_priority', [validation(0.99, 200), validation(0.9, 100)], about(50, 1e-9)],
    ['rollback_priority', [validation(0.9, 10), validation(0.9, 0)], 50],
  ]),
  story(
    'registry',
    'ModelRegistry',
    [],
    [
      ['get_latest', ['a'], null],
      ['register', [metadata('a', 'Registered', version(1, 9, 9))], null],
      ['register', [metadata('a', 'Registered', version(1, 10, 0))], null],
      ['register', [metadata('a', 'Registered', version(1, 9, 9))], refusal(/1\.9\.9.*a/)],
      ['register', [metadata('b', 'Registered')], null],
      ['get_latest', ['a'], metadata('a', 'Registered', version(1, 10, 0))],
      [
        'list_versions',
        ['a'],
        [
          metadata('a', 'Registered', version(1, 9, 9)),
          metadata('a', 'Registered', version(1, 10, 0)),
        ],
      ],
      ['transition_state', ['b', version(1, 0, 0), 'Staging'], refusal(/b/)],
      ['transition_state', ['b', version(2, 0, 0), 'Validating'], refusal(/2\.0\.0/)],
      ['transition_state', ['x', version(1, 0, 0), 'Validating'], refusal(/x/)],
      ['transition_state', ['b', version(1, 0, 0), 'Validating'], null],
      ['get', ['b', version(1, 0, 0)], metadata('b', 'Validating')],
      ['find_by_state', ['Validating'], [metadata('b', 'Validating')]],
      ['record_validation', [validation(0.5, 9, [], 'b')], null],
      ['record_validation', [validation(0.6, 9, [], 'b')], null],
      ['get_validation', ['b', version(1, 0, 0)], validation(0.6, 9, [], 'b')],
      ['get_validation', ['a', version(1, 9, 9)], null],
      ['model_count', [], 2],
      ['version_count', [], 3],
    ],
  ),
];

const gib = 1024 ** 3;
const block = (
  block_id: number,
  offset: number,
  size: number,
  status = 'Free',
  last_accessed = 0,
) => ({
  block_id,
  offset,
  size,
  status,
  tensor_id: null,
  allocated_at: 0,
  last_accessed,
});
const device = (total_memory: number) => ({
  device_id: 'gpu-01',
  total_memory,
  memory_clock_mhz: 1593,
  compute_capability: [9, 0],
});
const request = (tensor_id: string, size: number, alignment = 1, pinned = false) => ({
  tensor_id,
  size,
  alignment,
  pinned,
  priority: 1,
});

const gpuMemory: readonly Example[] = rows('gpu_memory', [
  ['align_up', [5_000_000_001, 4096], 5_000_003_584],
  ['align_up', [10, 0], 10],
  ['align_up', [10, 1], 10],
  ['align_up', [0, 256], 0],
  ['align_up', [256, 256], 256],
  ['align_up', [10, 7], 14],
  ['is_power_of_two', [0], false],
  ['is_power_of_two', [1], true],
  ['is_power_of_two', [6], false],
  ['is_power_of_two', [2 ** 40], true],
  ['is_power_of_two', [2 ** 40 + 1], false],
  ['fragmentation_ratio', [[block(1, 0, 64), block(2, 100, 192), block(3, 400, 256)]], 0.5],
  ['fragmentation_ratio', [[block(1, 0, 64, 'Allocated')]], 0],
  ['fragmentation_ratio', [[block(1, 0, 64)]], 0],
  ['best_fit_block', [[block(1, 0, 512), block(2, 600, 128), block(3, 900, 128)], 100, 1], 2],
  ['best_fit_block', [[block(1, 10, 128), block(2, 200, 300)], 128, 64], 2],
  ['best_fit_block', [[block(1, 0, 64)], 65, 1], null],
  ['best_fit_block', [[block(1, 0, 64)], 0, 1], null],
  [
    'eviction_candidates',
    [
      [
        block(1, 0, 8, 'Cached', 5),
        block(2, 8, 8, 'Pinned', 1),
        block(3, 16, 8, 'Cached', 2),
        block(4, 24, 8, 'Allocated', 0),
      ],
    ],
    [3, 1],
  ],
  ['memory_pressure', [gib, 4 * gib], 0.25],
  ['memory_pressure', [5, 4], 1],
  ['memory_pressure', [0, 0], 1],
  ['should_defragment', [{ fragmentation_ratio: 0.5, largest_free_block: 9 }, 0.4, 10], true],
  ['should_defragment', [{ fragmentation_ratio: 0.5, largest_free_block: 9 }, 0.5, 10], false],
  ['should_defragment', [{ fragmentation_ratio: 0.5, largest_free_block: 10 }, 0.4, 10], false],
  ['estimate_oom_seconds', [100, 20], 5],
  ['estimate_oom_seconds', [100, 0], most],
  ['estimate_oom_seconds', [0, 20], 0],
  ['optimal_pool_size', [10_000, 1.15, 4096], 12_288],
  ['optimal_pool_size', [10_000, 1, 0], 10_000],
]);

const allocated = (block_id: number, offset: number, actual_size: number) => ({
  success: true,
  block_id,
  offset,
  actual_size,
  error: null,
});
const granted = (
  block_id: number,
  offset: number,
  size: number,
  status: string,
  tensor: string,
) => ({
  ...block(block_id, offset, size, status, 1),
  allocated_at: 1,
  tensor_id: tensor,
});

const pool: Example = story(
  'gpu_memory',
  'GpuMemoryPool',
  [device(1024)],
  [
    ['allocate', [request('a', 100, 64), 1], allocated(2, 0, 128)],
    ['allocate', [request('b', 256, 256, true), 1], allocated(4, 256, 256)],
    ['get_block', [2], granted(2, 0, 128, 'Allocated', 'a')],
    ['blocks_for_tensor', ['b'], [granted(4, 256, 256, 'Pinned', 'b')]],
    ['mark_cached', [4], refusal(/pinned/)],
    ['mark_cached', [2], null],
    ['touch', [2, 9], null],
    ['pin', [2], null],
    ['unpin', [2], null],
    ['mark_cached', [2], null],
    ['evict', [0], 0],
    ['evict', [1000], 128],
    ['get_block', [4], granted(4, 256, 256, 'Pinned', 'b')],
    ['defragment', [], 0],
    ['unpin', [4], null],
    ['unpin', [4], refusal(/allocated/)],
    ['defragment', [], 1],
    ['get_block', [4], granted(4, 0, 256, 'Allocated', 'b')],
    ['free', [4], null],
    ['free', [4], refusal(/free/)],
    [
      'stats',
      [],
      {
        total_bytes: 1024,
        allocated_bytes: 0,
        free_bytes: 1024,
        pinned_bytes: 0,
        cached_bytes: 0,
        fragmentation_ratio: 0,
        largest_free_block: 1024,
        block_count: 1,
        allocation_count: 0,
      },
    ],
  ],
);

const checkpoint = (
  checkpoint_id: string,
  step: number,
  parent_id: string | null = null,
  state = 'Complete',
) => ({
  checkpoint_id,
  training_run_id: 'run',
  epoch: 1,
  step,
  type: parent_id === null ? 'Full' : 'Incremental',
  state,
  size_bytes: 100 * step,
  created_at: step,
  parent_id,
  metrics: {},
  storage_path: `/c/${checkpoint_id}`,
});

const chain = [checkpoint('c', 3, 'b'), checkpoint('a', 1), checkpoint('b', 2, 'a')];
const circle = [checkpoint('x', 1, 'y'), checkpoint('y', 2, 'x')];
const orphan = [checkpoint('o', 2, 'gone')];
const policy = {
  max_checkpoints_per_run: 5,
  max_age_seconds: 60,
  keep_best_n: 1,
  metric_key: 'loss',
  metric_ascending: true,
};
const criteria = { training_run_id: 'run', require_complete: true, prefer_full: true };

const checkpoints: readonly Example[] = rows('checkpoint', [
  ['chain_length', [chain, 'c'], 3],
  ['chain_length', [chain, 'a'], 1],
  ['chain_length', [chain, 'x'], 0],
  ['chain_length', [circle, 'x'], 2],
  ['find_chain_root', [chain, 'c'], 'a'],
  ['find_chain_root', [orphan, 'o'], null],
  ['find_chain_root', [circle, 'x'], null],
  ['restoration_chain', [chain, 'c'], ['a', 'b', 'c']],
  ['restoration_chain', [orphan, 'o'], []],
  ['restoration_chain', [circle, 'y'], []],
  ['chain_size', [chain, 'c'], 600],
  ['chain_size', [chain, 'x'], 0],
  ['is_gc_eligible', [checkpoint('a', 1), policy, 5, 62, false], true],
  ['is_gc_eligible', [checkpoint('a', 1), policy, 5, 62, true], false],
  ['is_gc_eligible', [checkpoint('a', 1), policy, 1, 62, false], false],
  ['is_gc_eligible', [checkpoint('a', 1), policy, 5, 61, false], false],
  ['is_gc_eligible', [checkpoint('a', 1, null, 'Creating'), policy, 5, 62, false], false],
  ['selection_score', [checkpoint('a', 1), criteria], 6.5],
  ['selection_score', [checkpoint('b', 3, 'a'), criteria], 4.5],
  ['selection_score', [checkpoint('b', 3, null, 'Corrupted'), criteria], -1],
  ['selection_score', [checkpoint('b', 3), { ...criteria, max_step: 2 }], -1],
  [
    'estimate_restore_time',
    [
      [
        { ...checkpoint('a', 1), size_bytes: 700 },
        { ...checkpoint('b', 2), size_bytes: 301 },
      ],
      40,
      7,
      50,
    ],
    75,
  ],
  ['estimate_restore_time', [[], 40, 7, 50], 40],
  ['estimate_restore_time', [[checkpoint('a', 1)], 40, 7, 0], most],
  ['validate_checkpoint', [checkpoint('a', 1), []], null],
  ['validate_checkpoint', [{ ...checkpoint('a', 1), storage_path: '' }, []], refusal(/a/)],
  ['validate_checkpoint', [checkpoint('b', 1, 'a'), [checkpoint('a', 1)]], refusal(/step/)],
  ['validate_checkpoint', [checkpoint('b', 2, 'gone'), []], refusal(/parent/)],
]);

const asked = (step: number, type: string, loss: number) => ({
  training_run_id: 'run',
  epoch: 1,
  step,
  type,
  metrics: { loss },
});
const saved = (
  id: number,
  step: number,
  loss: number,
  facts: Readonly<Record<string, unknown>> = {},
) => ({
  checkpoint_id: `ckpt-${id}`,
  training_run_id: 'run',
  epoch: 1,
  step,
  type: 'Full',
  state: 'Complete',
  size_bytes: 10,
  created_at: step,
  parent_id: null,
  metrics: { loss },
  storage_path: `/c/${id}`,
  ...facts,
});
const creating = { state: 'Creating', size_bytes: 0, storage_path: '' };
const delta = { type: 'Incremental', parent_id: 'ckpt-1' };

const manager: Example = story(
  'checkpoint',
  'CheckpointManager',
  [policy],
  [
    ['create', [asked(10, 'Incremental', 0.9), 10], saved(1, 10, 0.9, creating)],
    ['complete', ['ckpt-1', 10, ''], refusal(/path/i)],
    ['complete', ['ckpt-1', 10, '/c/1'], saved(1, 10, 0.9)],
    ['complete', ['ckpt-1', 10, '/c/1'], refusal(/ckpt-1/)],
    ['create', [asked(20, 'Incremental', 0.5), 20], saved(2, 20, 0.5, { ...creating, ...delta })],
    ['find_restore_point', [criteria], saved(1, 10, 0.9)],
    ['complete', ['ckpt-2', 10, '/c/2'], saved(2, 20, 0.5, delta)],
    ['delete', ['ckpt-1'], refusal(/ckpt-1/)],
    ['get_latest', ['run'], saved(2, 20, 0.5, delta)],
    ['list_for_run', ['run'], [saved(1, 10, 0.9), saved(2, 20, 0.5, delta)]],
    ['find_by_metric', ['run', 'loss', 0.9, true], [saved(2, 20, 0.5, delta)]],
    ['find_by_metric', ['run', 'loss', 0.1, false], [saved(1, 10, 0.9), saved(2, 20, 0.5, delta)]],
    ['gc', [10_000], []],
    ['mark_corrupted', ['ckpt-2'], saved(2, 20, 0.5, { ...delta, state: 'Corrupted' })],
    ['find_restore_point', [criteria], saved(1, 10, 0.9)],
    ['should_checkpoint', ['run', 10], false],
    ['should_checkpoint', ['run', 11], true],
    ['total_count', [], 2],
    ['total_size', [], 20],
    ['delete', ['ckpt-2'], saved(2, 20, 0.5, { ...delta, state: 'Deleted' })],
    ['get', ['ckpt-2'], saved(2, 20, 0.5, { ...delta, state: 'Deleted' })],
    ['get', ['ckpt-9'], null],
    ['list_for_run', ['run'], [saved(1, 10, 0.9)]],
    ['total_size', [], 10],
  ],
);

export const subsystemExamples: readonly Example[] = [
  ...registry,
  ...gpuMemory,
  pool,
  ...checkpoints,
  manager,
];
