// The numbers behind a chart, newest first, as they were when the table was opened: rows that
// shifted every second could not be read.

import { Button } from '../components/button.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { noData } from '../format/numbers.ts';
import { formatClock } from '../format/time.ts';
import type { LineStyle } from './plot-options.ts';
import styles from './time-chart.module.css';
import type { Columns } from './traffic.ts';

export type ChartTableProps = {
  readonly title: string;
  /** What one point stands for. */
  readonly pointTitle: string;
  readonly columns: Columns;
  readonly lines: readonly LineStyle[];
  readonly formatValue: (value: number) => string;
  readonly onRefresh: () => void;
};

function tableColumns(props: ChartTableProps): readonly Column<number>[] {
  const { pointTitle, columns, lines, formatValue } = props;
  const values = lines.map(({ label }, line): Column<number> => {
    const cell = (index: number) => {
      const value = columns.lines[line]?.[index] ?? null;
      return value === null ? noData : formatValue(value);
    };
    return { key: label, title: label, numeric: true, cell };
  });
  const time: Column<number> = {
    key: 'time',
    title: pointTitle,
    cell: (index) => formatClock((columns.times[index] ?? Number.NaN) * 1000),
  };
  return [time, ...values];
}

export function ChartTable(props: ChartTableProps) {
  const { title, columns, onRefresh } = props;
  const newestFirst = columns.times.map((_, index) => columns.times.length - 1 - index);
  const newest = columns.times.at(-1);
  return (
    <div className={styles.table}>
      <p className="muted">
        As of {newest === undefined ? noData : formatClock(newest * 1000)}.{' '}
        <Button kind="quiet" onClick={onRefresh}>
          Refresh
        </Button>
      </p>
      <DataTable
        caption={`${title}, newest first`}
        columns={tableColumns(props)}
        rows={newestFirst}
        rowKey={(index) => String(columns.times[index])}
        rowHeightPx={24}
        fillsWindow
      />
    </div>
  );
}
