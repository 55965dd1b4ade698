// The state of one backend over the last 24 hours. Each state has a height of its own, so that the
// ribbon reads without its colours; the arrow keys and the pointer go from stretch to stretch.

import { type KeyboardEvent, type PointerEvent, useId, useState } from 'react';
import type { StatusSpanWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { useNow } from '../components/use-now.ts';
import { formatInstant, formatSpan } from '../format/time.ts';
import type { Tone } from '../status/status.ts';
import styles from './backend-page.module.css';
import pageStyles from './page.module.css';
import { partWords, type RibbonPart, ribbonMs, ribbonParts, ribbonSummary } from './ribbon.ts';

const width = 1000;
const height = 32;
/** A short outage must be seen at all. */
const partWidthMin = 3;

const heights: Readonly<Record<Tone, number>> = {
  ok: 10,
  off: 15,
  waiting: 15,
  active: 20,
  attention: 24,
  bad: 32,
};

const hourMs = 3_600_000;
const hoursMarked = [6, 12, 18];

function Bars({ parts, nowMs, at }: BarsProps) {
  const xOf = (ms: number) => (width * (ms - (nowMs - ribbonMs))) / ribbonMs;
  return (
    <svg
      className={styles.ribbon}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {hoursMarked.map((hours) => {
        const x = xOf(nowMs - hours * hourMs);
        return <line key={hours} x1={x} x2={x} y1="0" y2={height} className={styles.tick} />;
      })}
      {parts.map((part, index) => {
        const x = Math.min(xOf(part.fromMs), width - partWidthMin);
        const high = heights[part.mark.tone];
        return (
          <rect
            key={part.fromMs}
            className={styles[part.mark.tone]}
            data-held={index === at ? '' : undefined}
            x={x}
            y={height - high}
            width={Math.max(partWidthMin, xOf(part.toMs) - x)}
            height={high}
          />
        );
      })}
    </svg>
  );
}

type BarsProps = {
  readonly parts: readonly RibbonPart[];
  readonly nowMs: number;
  /** The stretch whose words are shown. */
  readonly at: number;
};

const columns: readonly Column<RibbonPart>[] = [
  { key: 'from', title: 'From', cell: ({ fromMs }) => formatInstant(fromMs) },
  {
    key: 'long',
    title: 'For',
    numeric: true,
    cell: ({ fromMs, toMs, lasts }) => `${formatSpan(toMs - fromMs)}${lasts ? ', lasts' : ''}`,
  },
  { key: 'state', title: 'State', cell: ({ mark }) => <StatusMark {...mark} /> },
  {
    key: 'cause',
    title: 'Cause',
    cell: ({ words }) => <span className={pageStyles.prose}>{words}</span>,
  },
];

function Table({ parts }: { readonly parts: readonly RibbonPart[] }) {
  return (
    <DataTable
      caption="States of the last 24 h, newest first"
      columns={columns}
      rows={[...parts].reverse()}
      rowKey={({ fromMs }) => String(fromMs)}
      rowHeightPx={32}
      fillsWindow
    />
  );
}

const steps: ReadonlyMap<string, number> = new Map([
  ['ArrowLeft', -1],
  ['ArrowRight', 1],
  ['Home', Number.NEGATIVE_INFINITY],
  ['End', Number.POSITIVE_INFINITY],
]);

/** Which stretch lies under the pointer; undefined where nothing is known. */
function partUnder(event: PointerEvent<HTMLElement>, parts: readonly RibbonPart[], nowMs: number) {
  const box = event.currentTarget.getBoundingClientRect();
  const atMs = nowMs - ribbonMs + ((event.clientX - box.left) / box.width) * ribbonMs;
  const index = parts.findIndex(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs);
  return index === -1 ? undefined : index;
}

export function StatusRibbon({ history }: { readonly history: readonly StatusSpanWire[] }) {
  const nowMs = useNow();
  const summaryId = useId();
  const [chosen, setChosen] = useState<number>();
  const [table, setTable] = useState(false);
  const parts = ribbonParts(history, nowMs);
  const last = parts.length - 1;
  const at = Math.min(chosen ?? last, last);
  const part = parts[at];
  const words = part === undefined ? '' : partWords(part);

  function onKeyDown(event: KeyboardEvent): void {
    const step = steps.get(event.key);
    if (step === undefined || last < 0) return;
    event.preventDefault();
    setChosen(Math.max(0, Math.min(last, at + step)));
  }

  return (
    <figure className={pageStyles.section} aria-labelledby={`${summaryId}-title`}>
      <figcaption>
        <h2 id={`${summaryId}-title`}>State, last 24 h</h2>
      </figcaption>
      <div
        className={styles.slider}
        role="slider"
        tabIndex={0}
        aria-label="Stretches of one state"
        aria-describedby={summaryId}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, last)}
        aria-valuenow={Math.max(0, at)}
        aria-valuetext={words === '' ? 'nothing is known' : words}
        onKeyDown={onKeyDown}
        onPointerMove={(event) => setChosen(partUnder(event, parts, nowMs))}
        onPointerLeave={() => setChosen(undefined)}
        onBlur={() => setChosen(undefined)}
      >
        <Bars parts={parts} nowMs={nowMs} at={chosen === undefined ? -1 : at} />
      </div>
      <p className={styles.scale} aria-hidden="true">
        <span>24 h ago</span>
        <span>now</span>
      </p>
      <p className="wrap-anywhere" data-testid="ribbon-words">
        {words}
      </p>
      <p id={summaryId} className="muted">
        {ribbonSummary(parts)}
      </p>
      {parts.length === 0 ? null : (
        <span>
          <Button kind="quiet" aria-expanded={table} onClick={() => setTable(!table)}>
            {table ? 'Hide table' : 'Show as table'}
          </Button>
        </span>
      )}
      {table ? <Table parts={parts} /> : null}
    </figure>
  );
}
