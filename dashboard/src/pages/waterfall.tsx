// Where the time of one request went, on one scale in milliseconds with the total at the end.

import type { DecisionWire } from '../api/wire.ts';
import { formatLatency } from '../format/time.ts';
import styles from './page.module.css';
import { timeParts } from './time-parts.ts';
import waterfallStyles from './waterfall.module.css';

export function Waterfall({ decision }: { readonly decision: DecisionWire }) {
  const parts = timeParts(decision);
  const total = formatLatency(decision.total_ms);
  const words = parts.map(({ name, ms }) => `${name} ${formatLatency(ms)}`).join(', ');
  return (
    <figure className={styles.section} aria-label={`Where the time went: ${words}; total ${total}`}>
      <figcaption>
        <h2>Where the time went</h2>
      </figcaption>
      <svg
        className={waterfallStyles.bar}
        viewBox="0 0 1000 16"
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        {parts.map(({ name, startMs, ms, token }) => (
          <rect
            key={name}
            x={(1000 * startMs) / Math.max(decision.total_ms, 0.001)}
            y="0"
            width={Math.max(1, (1000 * ms) / Math.max(decision.total_ms, 0.001))}
            height="16"
            fill={`var(${token})`}
          />
        ))}
      </svg>
      <ul className={waterfallStyles.legend}>
        {parts.map(({ name, ms, token }) => (
          <li key={name}>
            <svg width="12" height="12" aria-hidden="true">
              <rect width="12" height="12" fill={`var(${token})`} />
            </svg>
            {name} <strong className="num">{formatLatency(ms)}</strong>
          </li>
        ))}
        <li>
          total <strong className="num">{total}</strong>
        </li>
      </ul>
    </figure>
  );
}
