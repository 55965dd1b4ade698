// One transition as it is remembered, and its line in an audit log. The format of the line is
// fixed, byte for byte: downstream analytics parses it (platform specification A.14).
//
//   [1700000000123] queued -> placed (entity: job-7)
//
// Names of states hold no blank (I4 of state-machine.ts), and the id is everything up to the last
// parenthesis, so a line reads back as exactly one record whatever the id is. An id with a line
// break would still look like two lines in a file; whoever writes lines to a file refuses it.

export type TransitionRecord = {
  readonly entityId: string;
  readonly from: string;
  readonly to: string;
  /** Whole units of one clock; milliseconds since 1970 in the product. */
  readonly timestamp: number;
};

export function auditLine(record: TransitionRecord): string {
  return `[${record.timestamp}] ${record.from} -> ${record.to} (entity: ${record.entityId})`;
}

/** The record whose {@link auditLine} is `line`; undefined for any other text. */
export function parseAuditLine(line: string): TransitionRecord | undefined {
  const parts = /^\[(-?\d{1,16})\] (\S+) -> (\S+) \(entity: (.*)\)$/s.exec(line);
  const [, timestamp = '', from = '', to = '', entityId = ''] = parts ?? [];
  const record = { entityId, from, to, timestamp: Number(timestamp) };
  const isExact = parts !== null && Number.isSafeInteger(record.timestamp);
  return isExact && auditLine(record) === line ? record : undefined;
}
