// The gates between a request and this backend, in the order in which they are asked, with what each
// read and, where one is closed, what opens it.

import type { GateWire } from '../api/wire.ts';
import { CopyLine } from '../components/copy.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { narrowQuery, useMedia } from '../components/use-media.ts';
import { useNow } from '../components/use-now.ts';
import { noData } from '../format/numbers.ts';
import { gateMarks } from '../status/status.ts';
import { Since } from './fleet-cells.tsx';
import pageStyles from './page.module.css';

function Remedy({ gate: { name, remedy } }: { readonly gate: GateWire }) {
  if (remedy === null) return noData;
  if (!remedy.startsWith('tensorforge ')) {
    return <span className={pageStyles.prose}>{remedy}</span>;
  }
  return <CopyLine text={remedy} label={`Copy the command that opens the gate ${name}`} />;
}

function columnsAt(now: number): readonly Column<GateWire>[] {
  return [
    { key: 'name', title: 'Gate', cell: ({ name }) => name },
    { key: 'state', title: 'State', cell: ({ state }) => <StatusMark {...gateMarks[state]} /> },
    {
      key: 'words',
      title: 'What it read',
      cell: ({ words }) => <span className={pageStyles.prose}>{words}</span>,
    },
    {
      key: 'since',
      title: 'Since',
      cell: ({ since }) => (since === null ? noData : <Since at={since} now={now} />),
    },
    { key: 'remedy', title: 'What opens it', cell: (gate) => <Remedy gate={gate} /> },
  ];
}

function narrowColumns(now: number): readonly Column<GateWire>[] {
  return [
    {
      key: 'name',
      title: 'Gate',
      cell: ({ name, state, since }) => (
        <span className={`${pageStyles.card} ${pageStyles.first}`}>
          {name}
          <StatusMark {...gateMarks[state]} />
          {since === null ? null : <Since at={since} now={now} />}
        </span>
      ),
    },
    {
      key: 'words',
      title: 'What it read',
      cell: (gate) => (
        <span className={pageStyles.card}>
          <span className="wrap-anywhere">{gate.words}</span>
          {gate.remedy === null ? null : <Remedy gate={gate} />}
        </span>
      ),
    },
  ];
}

export function GatesList({ gates }: { readonly gates: readonly GateWire[] }) {
  const now = useNow();
  const isNarrow = useMedia(narrowQuery);
  return (
    <DataTable
      caption="Gates in the order in which they are asked"
      columns={isNarrow ? narrowColumns(now) : columnsAt(now)}
      rows={gates}
      rowKey={({ name }) => name}
      rowHeightPx={32}
    />
  );
}
