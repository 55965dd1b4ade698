// A failure where its data would be: what was met, the code, what to do, and the way to try again.

import { failureText, partsOf } from '../api/failure.ts';
import { Button } from './button.tsx';
import { CopyLine } from './copy.tsx';
import styles from './notes.module.css';
import { StatusShape } from './status-mark.tsx';

export type FailureNoteProps = {
  readonly error: unknown;
  readonly onRetry?: (() => void) | undefined;
};

export function FailureNote({ error, onRetry }: FailureNoteProps) {
  const parts = partsOf(error);
  return (
    <div role="alert" className={`${styles.note} ${styles.failure}`}>
      <p className={styles.head}>
        <StatusShape tone="bad" />
        <span className="wrap-anywhere">{parts.message}</span>
      </p>
      {parts.remedy === undefined ? null : <p className="wrap-anywhere">{parts.remedy}</p>}
      {parts.details.length === 0 ? null : (
        <ul className={styles.details}>
          {parts.details.map((line) => (
            <li key={line} className="wrap-anywhere">
              {line}
            </li>
          ))}
        </ul>
      )}
      <div className={styles.row}>
        {onRetry === undefined ? null : <Button onClick={onRetry}>Try again</Button>}
        <CopyFailure text={failureText(parts)} code={parts.code} />
      </div>
    </div>
  );
}

function CopyFailure({ text, code }: { readonly text: string; readonly code: string }) {
  return (
    <details className={styles.code}>
      <summary>
        <code>{code}</code>
      </summary>
      <CopyLine text={text} label="Copy the details of this failure" />
    </details>
  );
}
