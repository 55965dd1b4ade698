// Defects of configuration and concurrency.

import { type Defect, planted } from './defect.ts';

export const foundationsDefects: readonly Defect[] = [
  planted(
    'C1: true for an acyclic graph',
    'concurrency',
    'detect_cycle',
    (sound) => (edges, nodes) => {
      return !sound(edges, nodes);
    },
  ),
  planted(
    'an edge to itself is no cycle',
    'concurrency',
    'detect_cycle',
    (sound) => (edges, nodes) => {
      return sound(
        edges.filter(([from, to]) => from !== to),
        nodes,
      );
    },
  ),
  planted('edges to nowhere count', 'concurrency', 'detect_cycle', (sound) => (edges, nodes) => {
    return sound(edges, nodes + 1);
  }),
  planted('counts merge to the larger', 'concurrency', 'merge_counts', () => (a, b) => {
    const [one, other] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
    const keys = [...new Set([...one.keys(), ...other.keys()])];
    return Object.fromEntries(
      keys.map((key) => [key, Math.max(one.get(key) ?? 0, other.get(key) ?? 0)]),
    );
  }),
  planted(
    'the threshold is in the lower part',
    'concurrency',
    'partition_by_threshold',
    (sound) => {
      return (values, threshold) => sound(values, threshold + 1);
    },
  ),
  planted('a barrier is strict', 'concurrency', 'barrier_reached', () => (count, threshold) => {
    return count > threshold;
  }),
  planted(
    'an increment answers the old value',
    'concurrency',
    'AtomicCounter',
    (sound) => (initial) => {
      const counter = sound(initial);
      const { increment } = counter;
      return Object.assign(counter, { increment: () => increment() - 1 });
    },
  ),
  planted(
    'a swap answers the value after it',
    'concurrency',
    'AtomicCounter',
    (sound) => (initial) => {
      const counter = sound(initial);
      const { compare_and_swap: swap, get } = counter;
      const compare_and_swap = (expected: number, next: number) => {
        swap(expected, next);
        return get();
      };
      return Object.assign(counter, { compare_and_swap });
    },
  ),
  planted(
    'a transfer removes before it looks',
    'concurrency',
    'SharedRegistry',
    (sound) => () => {
      const shared = sound();
      const transfer = (from: string, to: string) => {
        const value = shared.remove(from);
        if (value === null || shared.lookup(to) !== null) return false;
        shared.register(to, value);
        return true;
      };
      return { ...shared, transfer };
    },
    'examples',
  ),
  planted('an address may hold a scheme anywhere', 'config', 'validate_endpoint', () => (url) => {
    return /https?:\/\//.test(url);
  }),
  planted('bad text overrides', 'config', 'merge_configs', (sound) => (base, overrides) => {
    const merged = sound(base, overrides);
    return { ...merged, max_retries: Number.NaN };
  }),
  planted(
    'blanks stay around a flag',
    'config',
    'parse_feature_flags',
    () => (text) => text.split(','),
  ),
  planted('a port of 0 is valid', 'config', 'validate_config', (sound) => (config) => {
    return sound({ ...config, port: config.port || 1 });
  }),
];
