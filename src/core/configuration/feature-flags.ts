// Feature flags: names of behaviours that are switched on, written as one text (specification A.1).

import { commaList } from '../../base/text-list.ts';

/** `fast-path, tracing` -> the flags, in order, each once; an empty text has none. */
export function parseFeatureFlags(text: string): readonly string[] {
  return commaList(text);
}
