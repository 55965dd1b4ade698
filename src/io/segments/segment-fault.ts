// A place where the decision log is damaged, as data: which file, which record, which byte, what
// was expected there and what was found. The members are those of the wire (`auditFaultSchema`), so
// that a fault reaches the operator as it was found. Nothing that reads segments leaves out
// anything without one of these.

export type DamageReason =
  /** The file ends before the frame, header or seal that has to be there. */
  | 'truncated'
  /** Bytes differ from their checksum: a flipped bit, a hole, an overwritten place. */
  | 'bad_crc'
  /** A checksum that fits over fields that no writer sets. */
  | 'bad_frame'
  /** The content was changed and its checksum repaired; the hash chain tells. */
  | 'bad_hash'
  /** A segment does not continue the one before it. */
  | 'wrong_prev_hash'
  /** Records are missing between two blocks. */
  | 'gap'
  /** A block stands behind one that was written later. */
  | 'reordered'
  | 'missing_segment'
  | 'bad_header'
  | 'unknown_version'
  /** The totals of the seal are not those of the blocks before it. */
  | 'bad_seal'
  /** Bytes behind the seal, where nothing is written any more. */
  | 'after_seal'
  /** A sealed segment is not the one that was sealed, by the anchor kept outside of the log. */
  | 'wrong_anchor'
  /** Something in the folder that the log never puts there. */
  | 'foreign_file'
  /** The note of retention cannot be read, so that removed segments count as missing. */
  | 'bad_note'
  | 'unreadable';

export type Damage = {
  readonly reason: DamageReason;
  readonly expected: string;
  readonly found: string;
};

export type SegmentFault = Damage & {
  readonly kind: 'fault';
  readonly where: 'segments';
  /** Path inside the folder of the log: `t0/00000001.tfd`. */
  readonly name: string;
  /** Of the first record that the damage concerns; null where that is not known. */
  readonly sequence: number | null;
  /** Byte in the file; null for a file that could not be looked at. */
  readonly offset: number | null;
  /** Byte at which reading goes on in the same file; null: with the next segment. */
  readonly resumesAt: number | null;
};

export function damage(reason: DamageReason, expected: string, found: string): Damage {
  return { reason, expected, found };
}

/** A fault that concerns a file as a whole. */
export function wholeFileFault(
  name: string,
  reason: DamageReason,
  expected: string,
  found: string,
): SegmentFault {
  const place = { sequence: null, offset: null, resumesAt: null };
  return { kind: 'fault', where: 'segments', name, reason, expected, found, ...place };
}

/** One line for a person: `t0/00000001.tfd at byte 92, record 17: bad_crc, expected .., found ..`. */
export function faultWords(fault: SegmentFault): string {
  const byte = fault.offset === null ? '' : ` at byte ${fault.offset}`;
  const record = fault.sequence === null ? '' : `, record ${fault.sequence}`;
  const onward = fault.resumesAt === null ? '' : `; reading goes on at byte ${fault.resumesAt}`;
  const what = `${fault.reason}, expected ${fault.expected}, found ${fault.found}`;
  return `${fault.name}${byte}${record}: ${what}${onward}`;
}

/** The code of a system call (`ENOSPC`), or the words of another error. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
