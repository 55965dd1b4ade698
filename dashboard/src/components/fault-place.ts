// The place of a damage in words, so that it can be found with any program.

import type { AuditFaultWire } from '../api/wire.ts';
import { formatCount } from '../format/numbers.ts';

const whereWords: Readonly<Record<AuditFaultWire['where'], string>> = {
  events: 'stream',
  digests: 'seal',
  segments: 'segment',
  snapshots: 'snapshot',
};

/** `stream policy, sequence 12` or `segment t0/00000001.tfd, sequence 4 012, byte 65 536`. */
export function faultPlace({ where, name, sequence, offset }: AuditFaultWire): string {
  const parts = [`${whereWords[where]} ${name}`];
  if (sequence !== null) parts.push(`sequence ${formatCount(sequence)}`);
  if (offset !== null) parts.push(`byte ${formatCount(offset)}`);
  return parts.join(', ');
}
