// A part of a whole as a bar. The numbers always stand beside it, so it is drawn for the eye only.

import styles from './meter.module.css';

export type MeterProps = {
  readonly part: number;
  /** Above 0. */
  readonly whole: number;
  readonly widthPx: number;
};

export function Meter({ part, whole, widthPx }: MeterProps) {
  const share = Math.min(1, Math.max(0, part / whole));
  return (
    <svg className={styles.meter} width={widthPx} height="8" aria-hidden="true">
      <rect x="0.5" y="0.5" width={widthPx - 1} height="7" />
      <rect x="1" y="1" width={(widthPx - 2) * share} height="6" />
    </svg>
  );
}
