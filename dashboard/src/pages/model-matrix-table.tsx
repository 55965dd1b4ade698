// The second view of Fleet: which model is on which backend, in what state and with how much context.
// It scrolls inside its box, the models staying in sight.

import { Link } from '@tanstack/react-router';
import type { BackendViewWire } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { StatusMark, StatusShape } from '../components/status-mark.tsx';
import { narrowQuery, useMedia } from '../components/use-media.ts';
import { formatCount, noData, plural } from '../format/numbers.ts';
import { type CellState, cellMarks, type MatrixRow, modelMatrix } from './model-matrix.ts';
import styles from './page.module.css';

/** More columns than this nobody compares, and each costs a cell in every row. */
const columnsMax = 50;

type Backend = BackendViewWire;

function Cell({ row, backend }: { readonly row: MatrixRow; readonly backend: Backend }) {
  const cell = row.cells.get(backend.id);
  if (cell === undefined) {
    return (
      <>
        <span className="muted" aria-hidden="true">
          {noData}
        </span>
        <span className="hidden-text">not there</span>
      </>
    );
  }
  const { tone, words } = cellMarks[cell.state];
  const context = `${formatCount(cell.contextLength)} tokens of context`;
  return (
    <span title={`${row.modelId} on ${backend.name}: ${words}, ${context}`}>
      <StatusShape tone={tone} /> <span className="hidden-text">{words}, context</span>
      {formatCount(cell.contextLength)}
    </span>
  );
}

function backendColumn(backend: Backend): Column<MatrixRow> {
  return {
    key: backend.id,
    title: backend.name,
    widthPx: 116,
    head: (
      <Link
        to="/fleet/$id"
        params={{ id: backend.id }}
        className={styles.name}
        title={`${backend.name}: ${backend.status_words}`}
      >
        {backend.name}
      </Link>
    ),
    cell: (row) => <Cell row={row} backend={backend} />,
  };
}

function columnsOf(backends: readonly Backend[], isNarrow: boolean): readonly Column<MatrixRow>[] {
  return [
    {
      key: 'model',
      title: 'Model',
      widthPx: isNarrow ? 132 : 240,
      cell: ({ modelId }) => (
        <span className="mono" title={modelId}>
          {modelId}
        </span>
      ),
    },
    {
      key: 'serving',
      title: 'Served by',
      widthPx: 84,
      numeric: true,
      cell: ({ serving, holders }) => `${formatCount(serving)} of ${formatCount(holders)}`,
    },
    ...backends.map(backendColumn),
  ];
}

const legend: readonly CellState[] = ['loaded', 'offered', 'available', 'loading', 'unloading'];

function Legend() {
  return (
    <p className={styles.bar}>
      {legend.map((state) => (
        <StatusMark key={state} {...cellMarks[state]} />
      ))}
      <span className="muted">{noData} not there · numbers: context in tokens</span>
    </p>
  );
}

export type ModelMatrixTableProps = {
  /** The columns, in order. */
  readonly backends: readonly Backend[];
  /** Every backend, for the counts. */
  readonly fleet: readonly Backend[];
};

export function ModelMatrixTable({ backends, fleet }: ModelMatrixTableProps) {
  const isNarrow = useMedia(narrowQuery);
  const shown = backends.slice(0, columnsMax);
  const rows = modelMatrix(shown, fleet);
  if (rows.length === 0) {
    return (
      <EmptyNote words="None of these backends offers a model. A model appears here as soon as a probe finds it." />
    );
  }
  return (
    <div className={styles.section}>
      {backends.length > shown.length ? (
        <p role="status">
          {`${shown.length} of ${plural(backends.length, 'backend')} shown, by name. Filter to see others.`}
        </p>
      ) : null}
      <DataTable
        caption={`${plural(rows.length, 'model')} on ${plural(shown.length, 'backend')}`}
        columns={columnsOf(shown, isNarrow)}
        rows={rows}
        rowKey={({ modelId }) => modelId}
        rowHeightPx={32}
        fillsWindow={rows.length > 20}
      />
      <Legend />
    </div>
  );
}
