// One kind of answer about a candidate, under the word that says how far it can be trusted.

import type { ReactNode } from 'react';
import styles from './replay-page.module.css';

export type TierProps = {
  readonly word: 'CERTAIN' | 'ESTIMATED' | 'SIMULATED';
  readonly means: string;
  readonly children: ReactNode;
};

export function Tier({ word, means, children }: TierProps) {
  return (
    <section className={styles.tier} aria-label={word}>
      <h2 className={styles.head}>
        <span className={styles.word}>{word}</span> {means}
      </h2>
      {children}
    </section>
  );
}
