// The shape of what is coming, shown only when it takes longer than a blink; after 5 s it says what
// is awaited.

import { useEffect, useState } from 'react';
import styles from './notes.module.css';

const showAfterMs = 150;
const sayAfterMs = 5000;

type Phase = 'blank' | 'shape' | 'words';

export type LoadingProps = {
  /** What is awaited, as in “Waiting for the list of backends”. */
  readonly what: string;
  readonly heightPx: number;
};

export function Loading({ what, heightPx }: LoadingProps) {
  const [phase, setPhase] = useState<Phase>('blank');
  useEffect(() => {
    const shape = setTimeout(() => setPhase('shape'), showAfterMs);
    const words = setTimeout(() => setPhase('words'), sayAfterMs);
    return () => {
      clearTimeout(shape);
      clearTimeout(words);
    };
  }, []);
  return (
    <div aria-busy="true">
      <div
        className={phase === 'blank' ? undefined : styles.skeleton}
        style={{ height: heightPx }}
      />
      <p role="status" className="muted">
        {phase === 'words' ? `Waiting for ${what}.` : ''}
      </p>
    </div>
  );
}
