// What is left of the error budget, as a share and as time.

import type { PolicyViewWire } from '../api/wire.ts';
import { formatShare } from '../format/numbers.ts';
import { budgetWords, missedWords } from './error-budget.ts';
import pageStyles from './page.module.css';
import styles from './policy-page.module.css';

/** The bar beside the number; a budget that is not known has none. */
function Meter({ left }: { readonly left: number }) {
  const width = 1000 * Math.max(0, Math.min(1, left));
  return (
    <svg
      className={styles.meter}
      viewBox="0 0 1000 12"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <rect width={width} height="12" fill="var(--s1)" />
    </svg>
  );
}

export function BudgetPanel({ policy: { slo } }: { readonly policy: PolicyViewWire }) {
  return (
    <section className={styles.panel} aria-label="Error budget">
      <h2>Error budget</h2>
      {slo.budget_left === null ? null : <Meter left={slo.budget_left} />}
      <dl className={pageStyles.facts}>
        <dt>Left</dt>
        <dd className="num" data-testid="budget">
          {budgetWords(slo)}
        </dd>
        <dt>Objective</dt>
        <dd>
          {slo.words}, for {formatShare(slo.objective, 1)} of requests in {slo.period_days} days
        </dd>
        <dt>Missed</dt>
        <dd>{missedWords(slo)}</dd>
      </dl>
    </section>
  );
}
