// How old what you see is. The words change every second, so they are not announced; the change of
// state is, by the one polite live region of the page.

import { describeFreshness, type Freshness } from '../live/freshness.ts';
import { useHeldCount, useLiveState } from '../live/live-context.tsx';
import styles from './page-frame.module.css';
import { StatusShape } from './status-mark.tsx';
import { useNow } from './use-now.ts';

export function useFreshness(): Freshness {
  const { connection, dataAt } = useLiveState();
  const held = useHeldCount();
  const now = useNow();
  // Data may be newer than the last tick of the clock.
  return describeFreshness({ connection, dataAt, held, now: Math.max(now, dataAt ?? 0) });
}

export function FreshnessChip({ freshness }: { readonly freshness: Freshness }) {
  return (
    <span className={styles.chip} data-testid="freshness" title={freshness.words}>
      <StatusShape tone={freshness.tone} />
      <span className={`num ${styles.chipWords}`}>{freshness.words}</span>
    </span>
  );
}
