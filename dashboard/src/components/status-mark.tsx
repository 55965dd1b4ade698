// A state as shape and words. The shape repeats the tone for those who do not see its colour.

import { type Shape, shapeOfTone, type Tone } from '../status/status.ts';
import styles from './status-mark.module.css';

function ShapePath({ shape }: { readonly shape: Shape }) {
  switch (shape) {
    case 'disc':
      return <circle cx="6" cy="6" r="5" fill="currentColor" />;
    case 'half':
      return (
        <>
          <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" strokeWidth="1.5" />
          <path d="M6 1.75a4.25 4.25 0 0 1 0 8.5z" fill="currentColor" />
        </>
      );
    case 'ring':
      return <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" strokeWidth="1.5" />;
    case 'triangle':
      return <path d="M6 1 11.5 11H.5z" fill="currentColor" />;
    case 'square':
      return <path d="M1.5 1.5h9v9h-9z" fill="currentColor" />;
    case 'diamond':
      return (
        <path d="M6 1.2 10.8 6 6 10.8 1.2 6z" fill="none" stroke="currentColor" strokeWidth="1.5" />
      );
  }
}

export function StatusShape({ tone }: { readonly tone: Tone }) {
  return (
    <svg className={styles[tone]} width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      <ShapePath shape={shapeOfTone[tone]} />
    </svg>
  );
}

export function StatusMark({ tone, words }: { readonly tone: Tone; readonly words: string }) {
  return (
    <span className={styles.mark}>
      <StatusShape tone={tone} />
      <span className={styles[tone]} title={words}>
        {words}
      </span>
    </span>
  );
}
