// How a backend came to be known, in a word for lists and in a sentence for those that wait for a
// person to let them in.

import type { BackendViewWire } from '../api/wire.ts';

/** What discovery writes beside a backend that it found. */
const foundBy = 'found_by';

/** `static`, `manual`, `mdns`, or `scan` for one that answered on a port that was asked. */
export function sourceOf({ discovery_source, metadata }: BackendViewWire): string {
  return metadata[foundBy] ?? discovery_source;
}

/** Where it was found, for somebody who has to decide whether to trust it. */
export function foundWords(backend: BackendViewWire): string {
  const source = sourceOf(backend);
  if (source === 'scan') return `Answered at ${backend.url} when its port was asked.`;
  if (source === 'mdns') {
    const instance = backend.metadata['mdns_instance'];
    const as = instance === undefined ? '' : ` as “${instance}”`;
    return `Announced itself on the local network${as} with the address ${backend.url}.`;
  }
  return `Known by ${source} at ${backend.url}.`;
}
