// Data of an event as lines that can be read: members of members are named by their path, whatever
// is inside. Values stay as they were written; nothing is left out but what is beyond the cap.

export type EvidenceLine = { readonly name: string; readonly value: string };

const linesMax = 100;
const depthMax = 4;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function collect(name: string, value: unknown, depth: number, into: EvidenceLine[]): void {
  if (into.length > linesMax) return;
  const members = isObject(value) ? Object.entries(value) : [];
  if (!isObject(value) || depth >= depthMax || members.length === 0) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    into.push({ name, value: text ?? 'undefined' });
    return;
  }
  for (const [key, member] of members) {
    collect(name === '' ? key : `${name}.${key}`, member, depth + 1, into);
  }
}

/** One line per value, at most 100 and then a line that says so. */
export function evidenceLines(data: Readonly<Record<string, unknown>>): readonly EvidenceLine[] {
  const lines: EvidenceLine[] = [];
  for (const [key, value] of Object.entries(data)) collect(key, value, 1, lines);
  if (lines.length <= linesMax) return lines;
  return [...lines.slice(0, linesMax), { name: '…', value: 'more, in the export' }];
}
