// What was spent over time, a bar for each day or hour; the sentence and the table say the same.

import { type Column, DataTable } from '../components/data-table.tsx';
import pageStyles from './page.module.css';
import { type Bars, barName, barsWords } from './usage-figures.ts';
import styles from './usage-page.module.css';

type Step = 'hour' | 'day';
type Point = Bars['points'][number];

const heightUnits = 100;
const widthUnits = 10;

function Drawing({ points }: { readonly points: readonly Point[] }) {
  const most = Math.max(...points.map(({ value }) => value), Number.MIN_VALUE);
  return (
    <svg
      className={styles.bars}
      viewBox={`0 0 ${Math.max(1, points.length) * widthUnits} ${heightUnits}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {points.map(({ at, value }, index) => {
        const height = (heightUnits * value) / most;
        return (
          <rect
            key={at}
            x={index * widthUnits + 1}
            y={heightUnits - height}
            width={widthUnits - 2}
            height={height}
            fill="var(--s1)"
          />
        );
      })}
    </svg>
  );
}

export function UsageBars({ bars, step }: { readonly bars: Bars; readonly step: Step }) {
  const { title, points, format } = bars;
  const columns: readonly Column<Point>[] = [
    { key: 'at', title: step === 'day' ? 'Day' : 'Day, hour', cell: ({ at }) => barName(at, step) },
    { key: 'value', title, numeric: true, cell: ({ value }) => format(value) },
  ];
  const [first, last] = [points[0], points.at(-1)];
  return (
    <section className={pageStyles.section} aria-label={title}>
      <h2>{title}</h2>
      <Drawing points={points} />
      <p className={`num muted ${styles.ends}`}>
        <span>{first === undefined ? '' : barName(first.at, step)}</span>
        <span>{last === undefined ? '' : barName(last.at, step)}</span>
      </p>
      <p>{barsWords(bars, step)}</p>
      <details>
        <summary>As a table</summary>
        <DataTable
          caption={`${title}, newest first`}
          columns={columns}
          rows={points.toReversed()}
          rowKey={({ at }) => at}
          rowHeightPx={24}
        />
      </details>
    </section>
  );
}
