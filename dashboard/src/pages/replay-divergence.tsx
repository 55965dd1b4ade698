// The first decision that came out differently, what was recorded beside what came out now, and
// where in the log it stands.

import { Link } from '@tanstack/react-router';
import type { ReplayDivergenceWire } from '../api/wire.ts';
import { formatCount } from '../format/numbers.ts';
import { formatInstant } from '../format/time.ts';
import pageStyles from './page.module.css';
import styles from './replay-page.module.css';

export type ReplayDivergenceProps = {
  readonly divergence: ReplayDivergenceWire;
  readonly count: number;
};

export function ReplayDivergence({ divergence, count }: ReplayDivergenceProps) {
  const { decision_id: id, at, segment, offset, sequence, member, recorded, again } = divergence;
  return (
    <section className={pageStyles.section} aria-label="First divergence">
      <h2 className="wrap-anywhere">First difference: {member}</h2>
      <div className={styles.sides}>
        <div className={styles.side}>
          <h3>Recorded</h3>
          <p className="mono wrap-anywhere" data-testid="recorded">
            {recorded}
          </p>
        </div>
        <div className={styles.side}>
          <h3>Decided again</h3>
          <p className="mono wrap-anywhere" data-testid="again">
            {again}
          </p>
        </div>
      </div>
      <p className="wrap-anywhere">
        Decision{' '}
        <Link to="/requests/$id" params={{ id }} className="mono">
          {id}
        </Link>{' '}
        of {formatInstant(Date.parse(at))}: segment {segment}, sequence {formatCount(sequence)},
        byte {formatCount(offset)}. {formatCount(count)} differ in all.
      </p>
    </section>
  );
}
