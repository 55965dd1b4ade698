// The only sight of a new secret. It stays until the person says that it is kept.

import { useEffect, useRef } from 'react';
import type { KeyCreatedWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import { CopyLine } from '../components/copy.tsx';
import noteStyles from '../components/notes.module.css';
import styles from './page.module.css';

export type NewSecretProps = { readonly created: KeyCreatedWire; readonly onDone: () => void };

export function NewSecret({ created, onDone }: NewSecretProps) {
  const place = useRef<HTMLElement>(null);
  useEffect(() => place.current?.focus(), []);
  return (
    <section
      ref={place}
      tabIndex={-1}
      className={noteStyles.note}
      aria-label={`The secret of ${created.name}`}
    >
      <h2 className="wrap-anywhere">The secret of {created.name} is shown only now</h2>
      <CopyLine text={created.secret} label="Copy the secret" />
      <p>Keep it where your client reads it. If it is lost, revoke this key and create another.</p>
      <div className={styles.bar}>
        <Button onClick={onDone}>I have kept it</Button>
      </div>
    </section>
  );
}
