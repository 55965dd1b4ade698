// One uPlot on one element: made when the library has arrived, remade when the theme changes,
// resized with its box, and redrawn with new data unless the pointer is on it.

import { type RefObject, useEffect, useRef, useState } from 'react';
import type uPlot from 'uplot';
import { loadPlot } from './locale-guard.ts';
import { type LineStyle, type PlotShape, plotOptions } from './plot-options.ts';
import type { Columns } from './traffic.ts';

type PlotClass = Awaited<ReturnType<typeof loadPlot>>;

/** Counts the changes of theme, chosen or by the system, because a canvas does not follow them. */
function useThemeChanges(): number {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const count = () => setChanges((before) => before + 1);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const observer = new MutationObserver(count);
    scheme.addEventListener('change', count);
    observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      scheme.removeEventListener('change', count);
      observer.disconnect();
    };
  }, []);
  return changes;
}

function usePlotClass(): PlotClass | undefined {
  const [Plot, setPlot] = useState<PlotClass>();
  useEffect(() => {
    let wanted = true;
    loadPlot()
      .then((loaded) => {
        if (wanted) setPlot(() => loaded);
      })
      // The figure keeps its words and its table when the library cannot be loaded.
      .catch(() => undefined);
    return () => {
      wanted = false;
    };
  }, []);
  return Plot;
}

/** On a logarithmic axis what lies under its floor is drawn on it: 0 has no logarithm. */
function alignedData({ times, lines }: Columns, { log }: PlotShape): uPlot.AlignedData {
  const floor = log?.floor ?? Number.NEGATIVE_INFINITY;
  const drawn = (value: number | null) => (value === null ? null : Math.max(value, floor));
  return [[...times], ...lines.map((line) => line.map(drawn))];
}

export type PlotInput = {
  readonly host: RefObject<HTMLDivElement | null>;
  readonly columns: Columns;
  readonly lines: readonly LineStyle[];
  readonly formatValue: (value: number) => string;
  /** Must keep its identity between renderings. */
  readonly shape: PlotShape;
  /** While true the drawing stays as it is. */
  readonly holds: boolean;
  /** The sample under the pointer or the keyboard cursor; undefined for none. */
  readonly onCursor: (index: number | undefined) => void;
};

export type PlotControl = { readonly moveTo: (index: number) => void };

export function usePlot(input: PlotInput): PlotControl {
  const { host, columns, lines, formatValue, shape, holds, onCursor } = input;
  const Plot = usePlotClass();
  const themeChanges = useThemeChanges();
  const plot = useRef<uPlot>(undefined);
  const newest = useRef(columns);
  newest.current = columns;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of theme makes the plot anew.
  useEffect(() => {
    const element = host.current;
    if (Plot === undefined || element === null) return undefined;
    const size = () => ({ width: element.clientWidth, height: element.clientHeight });
    const options = plotOptions({ host: element, ...size(), lines, formatValue, shape });
    const made = new Plot(
      { ...options, hooks: { setCursor: [(self) => onCursor(self.cursor.idx ?? undefined)] } },
      alignedData(newest.current, shape),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize(size()));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [Plot, host, lines, formatValue, shape, onCursor, themeChanges]);

  useEffect(() => {
    if (!holds) plot.current?.setData(alignedData(columns, shape));
  }, [columns, holds, shape]);

  return {
    moveTo: (index) => {
      const made = plot.current;
      const at = made?.data[0]?.[index];
      if (made === undefined || at === undefined) return;
      made.setCursor({ left: made.valToPos(at, 'x'), top: 0 });
    },
  };
}
