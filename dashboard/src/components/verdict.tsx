// The first line of a page: the sentence that the server computed, with the shape of the worst state.

import type { Tone } from '../status/status.ts';
import { StatusShape } from './status-mark.tsx';
import styles from './verdict.module.css';

export function Verdict({ tone, words }: { readonly tone: Tone; readonly words: string }) {
  return (
    <p className={`${styles.verdict} ${styles[tone]} wrap-anywhere`} data-testid="verdict">
      <StatusShape tone={tone} />
      <span>{words}</span>
    </p>
  );
}
