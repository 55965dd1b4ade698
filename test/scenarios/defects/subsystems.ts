// Defects of the model registry, the GPU memory pool and training checkpoints.

import { documents } from '../../support/documents.ts';
import { type Defect, planted } from './defect.ts';

export const subsystemsDefects: readonly Defect[] = [
  planted(
    'versions compare as text',
    'registry',
    'compare_versions',
    () => (a, b) => {
      const { format_version } = documents.registry;
      return format_version(a) < format_version(b)
        ? -1
        : format_version(a) > format_version(b)
          ? 1
          : 0;
    },
    'examples',
  ),
  planted(
    'a part of 33 bits is a version',
    'registry',
    'parse_version',
    () => (text) => {
      const [major = 0, minor = 0, patch = 0] = text.split('.').map(Number);
      return /^(?:(?:0|[1-9]\d*)(?:\.|$)){3}$/.test(text) ? { major, minor, patch } : null;
    },
    'examples',
  ),
  planted(
    'a version may skip its canary',
    'registry',
    'can_transition_state',
    (sound) => (from, to) => {
      return sound(from, to) || (from === 'Staging' && to === 'Production');
    },
    'examples',
  ),
  planted(
    'an unserved model is the best',
    'registry',
    'select_best_model',
    (sound) => (list) => {
      return sound(list.map(([model, result]) => [{ ...model, state: 'Production' }, result]));
    },
    'examples',
  ),
  planted(
    'an improvement cancels a fault',
    'registry',
    'rollback_priority',
    (sound) => (now, before) => {
      return sound(now, before) - 100 * Math.max(0, now.accuracy_score - before.accuracy_score);
    },
    'examples',
  ),
  planted(
    'sizes are cut to 32 bits',
    'gpu_memory',
    'align_up',
    () => (size, alignment) => {
      return alignment < 2 ? size : (size + alignment - 1) & ~(alignment - 1);
    },
    'examples',
  ),
  planted(
    'the first block that fits',
    'gpu_memory',
    'best_fit_block',
    (sound) => (blocks, size, alignment) => {
      const fitting = blocks.filter((block) => sound([block], size, alignment) !== null);
      return fitting[0]?.block_id ?? null;
    },
    'examples',
  ),
  planted(
    'pinned blocks are evicted',
    'gpu_memory',
    'eviction_candidates',
    (sound) => (blocks) => {
      return sound(
        blocks.map((block) => (block.status === 'Pinned' ? { ...block, status: 'Cached' } : block)),
      );
    },
    'examples',
  ),
  planted(
    'a chain counts its steps',
    'checkpoint',
    'chain_length',
    (sound) => (all, id) => {
      return Math.max(0, sound(all, id) - 1);
    },
    'examples',
  ),
  planted(
    'a chain is applied newest first',
    'checkpoint',
    'restoration_chain',
    (sound) => (all, id) => {
      return sound(all, id).toReversed();
    },
    'examples',
  ),
  planted(
    'age is inclusive',
    'checkpoint',
    'is_gc_eligible',
    (sound) => (one, policy, latest, now, best) => {
      return sound(one, policy, latest, now + 1, best);
    },
    'examples',
  ),
];
