// One list, four readers: a person at a terminal (fitted columns), a program in a pipe (tabs, header
// with units, nothing cut), `--json` (the answer of the API as it is) and `--quiet` (ids).

import type { Context } from '../context.ts';
import { cutTo, escapeControl } from './text.ts';

export type Column<Row> = {
  /** Heading on a terminal; empty for shapes. */
  readonly title: string;
  /** Heading in a pipe, with the unit: `first_byte_ms`. Absent: not in a pipe. */
  readonly name?: string;
  readonly shown: (row: Row) => string;
  /** Value in a pipe; without it `shown`. */
  readonly raw?: (row: Row) => string | number | boolean | null;
  /** Too much for a terminal. */
  readonly pipeOnly?: boolean;
  readonly alignRight?: boolean;
  /** Holds a shape of ours: its colour is not escaped. */
  readonly isShape?: boolean;
  /** May be cut when the terminal is narrow. Ids never are. */
  readonly mayCut?: boolean;
  /** Left out, the rightmost first, where the terminal is too narrow for all columns. */
  readonly isSpare?: boolean;
};

export type Listing<Row> = {
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly id: (row: Row) => string;
  /** What `--json` prints. */
  readonly json: unknown;
  /** Line below the table on a terminal. */
  readonly summary?: string;
  /** Instead of an empty table: what would be here, and how to get it. */
  readonly empty: string;
};

/** Printed width; escape sequences of our own colours take none. */
function width(text: string): number {
  return [...text.replace(/\u001b\[\d+m/g, '')].length;
}

const narrowest = 8;

/** Column widths that fit into `available`, cutting the widest of those that may be cut. */
export function fitWidths(
  wanted: readonly number[],
  mayCut: readonly boolean[],
  available: number,
): number[] {
  const widths = [...wanted];
  const total = (): number => widths.reduce((sum, each) => sum + each + 2, -2);
  while (total() > available) {
    let widest = -1;
    for (const [index, each] of widths.entries()) {
      const isWider = widest < 0 || each > (widths[widest] ?? 0);
      if (mayCut[index] && each > narrowest && isWider) widest = index;
    }
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function fitted(text: string, size: number, alignRight: boolean): string {
  const over = width(text) - size;
  if (over > 0) return cutTo(text, size);
  const padding = ' '.repeat(-over);
  return alignRight ? padding + text : text + padding;
}

/** What has its place on a terminal of this width, cut where it may be and bare where it must be. */
function terminalTable<Row>(listing: Listing<Row>, available: number): string[] {
  let columns = listing.columns.filter((column) => column.pipeOnly !== true);
  for (;;) {
    const { lines, size } = layOut(listing, columns, available);
    const spare = columns.findLastIndex((column) => column.isSpare === true);
    if (size <= available || spare < 0) return lines;
    columns = columns.toSpliced(spare, 1);
  }
}

function layOut<Row>(
  listing: Listing<Row>,
  columns: readonly Column<Row>[],
  available: number,
): { readonly lines: string[]; readonly size: number } {
  const cells = listing.rows.map((row) =>
    columns.map((column) =>
      column.isShape === true ? column.shown(row) : escapeControl(column.shown(row)),
    ),
  );
  const titles = columns.map((column) => column.title);
  const wanted = titles.map((title, index) =>
    Math.max(width(title), ...cells.map((row) => width(row[index] ?? ''))),
  );
  const mayCut = columns.map((column) => column.mayCut === true);
  const widths = fitWidths(wanted, mayCut, available);
  const lines = [titles, ...cells].map((row) =>
    row
      .map((text, index) => fitted(text, widths[index] ?? 0, columns[index]?.alignRight === true))
      .join('  ')
      .trimEnd(),
  );
  return { lines, size: widths.reduce((sum, each) => sum + each + 2, -2) };
}

function pipeTable<Row>(listing: Listing<Row>): string[] {
  const columns = listing.columns.filter((column) => column.name !== undefined);
  const rows = listing.rows.map((row) =>
    columns.map((column) => {
      const value = column.raw === undefined ? column.shown(row) : column.raw(row);
      return escapeControl(value === null ? '' : String(value)).replaceAll('\t', ' ');
    }),
  );
  return [columns.map((column) => column.name ?? ''), ...rows].map((row) => row.join('\t'));
}

/** Prints the list in the way this reader wants it. */
export function printListing<Row>(context: Context, listing: Listing<Row>): void {
  if (context.json) {
    context.out(JSON.stringify(listing.json));
  } else if (context.quiet) {
    for (const row of listing.rows) context.out(escapeControl(listing.id(row)));
  } else if (!context.isTerminal) {
    for (const line of pipeTable(listing)) context.out(line);
  } else if (listing.rows.length === 0) {
    context.out(listing.empty);
  } else {
    for (const line of terminalTable(listing, context.columns)) context.out(line);
    if (listing.summary !== undefined) context.out(escapeControl(listing.summary));
  }
}
