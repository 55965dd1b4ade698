// A real table, keyed by row, that scrolls inside its own box: sticky header, sticky first column,
// numbers to the right. From 200 rows on only those in sight are rendered, and the counts that a
// screen reader needs are said by attributes.

import { useVirtualizer } from '@tanstack/react-virtual';
import { type MouseEvent, type ReactNode, type Ref, useImperativeHandle, useRef } from 'react';
import styles from './data-table.module.css';

export type Column<Row> = {
  readonly key: string;
  readonly title: string;
  /** What stands in the head instead of the title, such as a link of the same name. */
  readonly head?: ReactNode;
  readonly numeric?: boolean;
  /** Its share of the width, px. With one for every column, new rows never shift the columns. */
  readonly widthPx?: number;
  readonly cell: (row: Row) => ReactNode;
};

export type DataTableProps<Row> = {
  readonly caption: string;
  /** The first column names the row. */
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly rowHeightPx: number;
  readonly selectedKey?: string | undefined;
  /** The box takes the height of the window and scrolls; otherwise it is as high as its rows. */
  readonly fillsWindow?: boolean;
  /** A click anywhere in the row; the link in its first cell does the same by keyboard. */
  readonly onOpen?: (row: Row) => void;
  readonly onScrolled?: (isAtTop: boolean) => void;
  readonly ref?: Ref<DataTableHandle>;
};

export type DataTableHandle = { readonly toTop: () => void };

const virtualFrom = 200;

type Slice = { readonly index: number; readonly start: number };

function useSlice(count: number, rowHeightPx: number, box: () => HTMLElement | null) {
  const virtual = useVirtualizer({
    count,
    getScrollElement: box,
    estimateSize: () => rowHeightPx,
    overscan: 12,
    enabled: count >= virtualFrom,
  });
  if (count < virtualFrom) {
    const all: Slice[] = Array.from({ length: count }, (_, index) => ({ index, start: 0 }));
    return { slice: all, beforePx: 0, afterPx: 0, isVirtual: false };
  }
  const slice: readonly Slice[] = virtual.getVirtualItems();
  const first = slice[0];
  const last = slice.at(-1);
  const afterPx = last === undefined ? 0 : (count - 1 - last.index) * rowHeightPx;
  return { slice, beforePx: first?.start ?? 0, afterPx, isVirtual: true };
}

function Gap({ heightPx, columns }: { readonly heightPx: number; readonly columns: number }) {
  if (heightPx <= 0) return null;
  return (
    <tbody aria-hidden="true">
      <tr>
        <td className={styles.gap} colSpan={columns} style={{ height: heightPx }} />
      </tr>
    </tbody>
  );
}

function Cells<Row>({
  row,
  columns,
}: {
  readonly row: Row;
  readonly columns: readonly Column<Row>[];
}) {
  return columns.map(({ key, numeric, cell }, index) => {
    const className = numeric === true ? styles.number : undefined;
    if (index > 0) {
      return (
        <td key={key} className={className}>
          {cell(row)}
        </td>
      );
    }
    return (
      <th key={key} scope="row" className={className}>
        {cell(row)}
      </th>
    );
  });
}

/** The sum of the widths when every column has one. */
function fixedWidthPx<Row>(columns: readonly Column<Row>[]): number | undefined {
  let sum = 0;
  for (const { widthPx } of columns) {
    if (widthPx === undefined) return undefined;
    sum += widthPx;
  }
  return sum;
}

/** Leaves alone the clicks that links and buttons answer, and those that end a selection of text. */
function openRow<Row>(event: MouseEvent<HTMLElement>, row: Row, open: (row: Row) => void): void {
  const target = event.target;
  if (target instanceof Element && target.closest('a, button') !== null) return;
  if (getSelection()?.isCollapsed === false) return;
  open(row);
}

export function DataTable<Row>(props: DataTableProps<Row>) {
  const {
    caption,
    columns,
    rows,
    rowKey,
    rowHeightPx,
    selectedKey,
    fillsWindow,
    onOpen,
    onScrolled,
    ref,
  } = props;
  const box = useRef<HTMLElement>(null);
  useImperativeHandle(ref, () => ({ toTop: () => box.current?.scrollTo({ top: 0 }) }), []);
  const { slice, beforePx, afterPx, isVirtual } = useSlice(
    rows.length,
    rowHeightPx,
    () => box.current,
  );
  const fixedPx = fixedWidthPx(columns);
  return (
    <section
      ref={box}
      className={fillsWindow === true ? `${styles.box} ${styles.fills}` : styles.box}
      // A box that scrolls must be reachable by keyboard.
      // biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard cannot scroll the box.
      tabIndex={0}
      aria-label={caption}
      onScroll={(event) => onScrolled?.(event.currentTarget.scrollTop <= 0)}
    >
      <table
        className={fixedPx === undefined ? styles.table : `${styles.table} ${styles.fixed}`}
        style={{ minWidth: fixedPx }}
        aria-rowcount={isVirtual ? rows.length + 1 : undefined}
      >
        <caption className="hidden-text">{caption}</caption>
        <colgroup>
          {columns.map(({ key, widthPx }) => (
            <col key={key} style={{ width: widthPx }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={isVirtual ? 1 : undefined}>
            {columns.map(({ key, title, head, numeric }) => (
              <th key={key} scope="col" className={numeric === true ? styles.number : undefined}>
                {head ?? title}
              </th>
            ))}
          </tr>
        </thead>
        <Gap heightPx={beforePx} columns={columns.length} />
        <tbody>
          {slice.map(({ index }) => {
            const row = rows[index];
            if (row === undefined) return null;
            const key = rowKey(row);
            return (
              <tr
                key={key}
                onClick={onOpen === undefined ? undefined : (event) => openRow(event, row, onOpen)}
                data-key={key}
                data-selected={key === selectedKey ? '' : undefined}
                data-opens={onOpen === undefined ? undefined : ''}
                aria-rowindex={isVirtual ? index + 2 : undefined}
                style={{ height: rowHeightPx }}
              >
                <Cells row={row} columns={columns} />
              </tr>
            );
          })}
        </tbody>
        <Gap heightPx={afterPx} columns={columns.length} />
      </table>
    </section>
  );
}
