// What each mode changes, side by side; the one in force is named in its heading.

import type { ModeEffectsWire, ServingModeWire } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { type Gate, gates, ladderBounds } from './mode-effects.ts';
import pageStyles from './page.module.css';
import styles from './policy-page.module.css';

function columnsOf(
  effects: readonly ModeEffectsWire[],
  mode: ServingModeWire,
): readonly Column<Gate>[] {
  const values = effects.map(
    (one): Column<Gate> => ({
      key: one.mode,
      title: one.mode === mode ? `${one.mode} (now)` : one.mode,
      cell: ({ words }) => words(one),
    }),
  );
  return [
    {
      key: 'gate',
      title: 'Gate',
      cell: ({ name }) => <span className={styles.wraps}>{name}</span>,
    },
    ...values,
  ];
}

export type EffectsTableProps = {
  readonly effects: readonly ModeEffectsWire[];
  readonly mode: ServingModeWire;
};

export function EffectsTable({ effects, mode }: EffectsTableProps) {
  return (
    <section className={pageStyles.section}>
      <h2>What each mode changes</h2>
      <DataTable
        caption="What each mode changes"
        columns={columnsOf(effects, mode)}
        rows={[...gates, ...ladderBounds]}
        rowKey={({ name }) => name}
        rowHeightPx={32}
      />
    </section>
  );
}
