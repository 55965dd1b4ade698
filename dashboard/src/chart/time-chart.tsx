// A chart of what changed over time, for eyes, keyboard and screen reader alike: the drawing, a
// legend with the newest value of each line, a sentence that says the same, a cursor that the arrow
// keys move, and the table behind it. The drawing rests while someone reads it.

import 'uplot/dist/uPlot.min.css';
import { type KeyboardEvent, useCallback, useId, useRef, useState } from 'react';
import { Button } from '../components/button.tsx';
import { noData } from '../format/numbers.ts';
import { formatClock } from '../format/time.ts';
import { ChartTable } from './chart-table.tsx';
import { fiveMinutes, type LineStyle, type PlotShape } from './plot-options.ts';
import styles from './time-chart.module.css';
import type { Columns } from './traffic.ts';
import { usePlot } from './use-plot.ts';

export type TimeChartProps = {
  /** Quantity and unit. */
  readonly title: string;
  /** Must keep its identity between renderings. */
  readonly lines: readonly LineStyle[];
  readonly columns: Columns;
  /** The chart in one sentence. */
  readonly words: string;
  readonly source: string;
  readonly formatValue: (value: number) => string;
  /** Must keep its identity between renderings; default the last five minutes from 0. */
  readonly shape?: PlotShape;
  /** What one point stands for, as the title of the first column; default `Second`. */
  readonly pointTitle?: string;
};

function valueWords(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? noData : format(value);
}

function Legend({ lines, columns, formatValue, index }: Legendary) {
  return (
    <ul className={styles.legend}>
      {lines.map(({ label, token, dash }, line) => (
        <li key={label}>
          <svg width="20" height="8" aria-hidden="true">
            <line
              x1="0"
              x2="20"
              y1="4"
              y2="4"
              stroke={`var(${token})`}
              strokeWidth="2"
              strokeDasharray={dash.join(' ')}
            />
          </svg>
          <span>{label}</span>
          <span className="num">{valueWords(columns.lines[line]?.at(index), formatValue)}</span>
        </li>
      ))}
    </ul>
  );
}

type Legendary = Pick<TimeChartProps, 'lines' | 'columns' | 'formatValue'> & {
  /** Sample whose values are shown; −1 is the newest. */
  readonly index: number;
};

const steps: ReadonlyMap<string, number> = new Map([
  ['ArrowLeft', -1],
  ['ArrowRight', 1],
  ['PageUp', -30],
  ['PageDown', 30],
  ['Home', Number.NEGATIVE_INFINITY],
  ['End', Number.POSITIVE_INFINITY],
]);

export function TimeChart(props: TimeChartProps) {
  const { title, lines, columns, words, source, formatValue } = props;
  const { shape = fiveMinutes, pointTitle = 'Second' } = props;
  const host = useRef<HTMLDivElement>(null);
  const wordsId = useId();
  const [held, setHeld] = useState<Columns>();
  const [cursor, setCursor] = useState<number>();
  const [table, setTable] = useState<Columns>();
  const shown = held ?? columns;
  const last = shown.times.length - 1;
  const at = cursor === undefined ? last : Math.min(cursor, last);
  const onCursor = useCallback((index: number | undefined) => setCursor(index), []);
  const plot = usePlot({
    host,
    columns: shown,
    lines,
    formatValue,
    shape,
    holds: held !== undefined,
    onCursor,
  });

  function hold(): void {
    setHeld((before) => before ?? columns);
  }

  function release(): void {
    setHeld(undefined);
    setCursor(undefined);
  }

  function onKeyDown(event: KeyboardEvent): void {
    const step = steps.get(event.key);
    if (step === undefined || last < 0) return;
    event.preventDefault();
    hold();
    const next = Math.max(0, Math.min(last, at + step));
    setCursor(next);
    plot.moveTo(next);
  }

  const atTime = shown.times[at];
  const clock = atTime === undefined ? noData : formatClock(atTime * 1000);
  const readings = lines.map(
    ({ label }, line) => `${label} ${valueWords(shown.lines[line]?.[at], formatValue)}`,
  );
  return (
    <figure className={styles.figure} aria-label={title} aria-describedby={wordsId}>
      <figcaption className={styles.head}>
        <h2 className={styles.title}>{title}</h2>
        <span className={`num muted ${styles.clock}`}>{cursor === undefined ? 'now' : clock}</span>
        <Legend lines={lines} columns={shown} formatValue={formatValue} index={at} />
      </figcaption>
      <div
        ref={host}
        className={styles.plot}
        role="slider"
        tabIndex={0}
        aria-label={`Cursor of ${title}`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, last)}
        aria-valuenow={Math.max(0, at)}
        aria-valuetext={`${clock}: ${readings.join(', ')}`}
        onPointerEnter={hold}
        onPointerLeave={release}
        onBlur={release}
        onKeyDown={onKeyDown}
      />
      <p id={wordsId} className={styles.words}>
        {words} <span className="muted">{source}</span>
      </p>
      <Button
        kind="quiet"
        aria-expanded={table !== undefined}
        onClick={() => setTable(table === undefined ? columns : undefined)}
      >
        {table === undefined ? 'Show as table' : 'Hide table'}
      </Button>
      {table === undefined ? null : (
        <ChartTable
          title={title}
          columns={table}
          pointTitle={pointTitle}
          lines={lines}
          formatValue={formatValue}
          onRefresh={() => setTable(columns)}
        />
      )}
    </figure>
  );
}
