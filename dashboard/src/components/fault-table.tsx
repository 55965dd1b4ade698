// Places where a trail or a log is damaged, each with what should be there and what is.

import type { AuditFaultWire } from '../api/wire.ts';
import { noData, plural } from '../format/numbers.ts';
import { type Column, DataTable } from './data-table.tsx';
import { faultPlace } from './fault-place.ts';

function Code({ text }: { readonly text: string | null }) {
  if (text === null) return noData;
  return (
    <code className="wrap-anywhere" title={text}>
      {text.length > 24 ? `${text.slice(0, 23)}…` : text}
    </code>
  );
}

const columns: readonly Column<AuditFaultWire>[] = [
  { key: 'place', title: 'Where', cell: (fault) => faultPlace(fault) },
  { key: 'reason', title: 'What is wrong', cell: ({ reason }) => reason },
  { key: 'expected', title: 'Expected', cell: ({ expected }) => <Code text={expected} /> },
  { key: 'found', title: 'Found', cell: ({ found }) => <Code text={found} /> },
];

export function FaultTable({ faults }: { readonly faults: readonly AuditFaultWire[] }) {
  return (
    <DataTable
      caption={plural(faults.length, 'damaged place')}
      columns={columns}
      rows={faults}
      rowKey={(fault) => `${faultPlace(fault)} ${fault.reason}`}
      rowHeightPx={32}
    />
  );
}
