// What stands where nothing is: what would be here, and how to get it.

import type { ReactNode } from 'react';
import styles from './notes.module.css';

export type EmptyNoteProps = { readonly words: string; readonly children?: ReactNode };

export function EmptyNote({ words, children }: EmptyNoteProps) {
  return (
    <div className={styles.note}>
      <p className="wrap-anywhere">{words}</p>
      {children}
    </div>
  );
}
