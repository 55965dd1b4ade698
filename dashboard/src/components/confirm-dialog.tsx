// The question before an action on live traffic: the effect in numbers, the way back, and a button
// that names verb and object. Focus starts on the harmless answer; what is final wants a name typed.

import { AlertDialog } from '@base-ui/react/alert-dialog';
import { useId, useRef, useState } from 'react';
import { Button } from './button.tsx';
import { CopyCommand } from './copy.tsx';
import styles from './dialog.module.css';
import { FailureNote } from './failure-note.tsx';

export type Confirmation = {
  /** “Drain vllm-a?” */
  readonly title: string;
  readonly effect: string;
  /** “Drain vllm-a” */
  readonly verb: string;
  /** The name to type first; undefined when a press is enough. */
  readonly typed: string | undefined;
  readonly command: string | undefined;
  readonly act: () => Promise<void>;
};

type ConfirmDialogProps = {
  readonly confirmation: Confirmation;
  readonly onClose: () => void;
};

type Progress =
  | { readonly kind: 'asking' }
  | { readonly kind: 'acting' }
  | { readonly kind: 'failed'; readonly error: unknown };

function TypedName({
  name,
  onChange,
}: {
  readonly name: string;
  readonly onChange: (text: string) => void;
}) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>
        Type <strong className="wrap-anywhere">{name}</strong> to confirm
      </label>
      <input
        id={id}
        className={styles.input}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}

export function ConfirmDialog({ confirmation, onClose }: ConfirmDialogProps) {
  const { title, effect, verb, typed, command, act } = confirmation;
  const [progress, setProgress] = useState<Progress>({ kind: 'asking' });
  const [text, setText] = useState('');
  const cancel = useRef<HTMLButtonElement>(null);
  const acting = progress.kind === 'acting';
  const ready = typed === undefined || text === typed;

  function confirm(): void {
    setProgress({ kind: 'acting' });
    act().then(onClose, (error: unknown) => setProgress({ kind: 'failed', error }));
  }

  return (
    <AlertDialog.Root open onOpenChange={(open) => (open ? undefined : onClose())}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={styles.backdrop} />
        <AlertDialog.Popup className={styles.popup} initialFocus={cancel}>
          <AlertDialog.Title className={styles.title}>{title}</AlertDialog.Title>
          <AlertDialog.Description className="wrap-anywhere">{effect}</AlertDialog.Description>
          {typed === undefined ? null : <TypedName name={typed} onChange={setText} />}
          {progress.kind === 'failed' ? <FailureNote error={progress.error} /> : null}
          <div className={styles.buttons}>
            {command === undefined ? null : <CopyCommand command={command} />}
            <AlertDialog.Close ref={cancel} render={<Button>Cancel</Button>} />
            <Button
              kind="danger"
              refusal={ready ? undefined : 'Type the name first.'}
              disabled={acting}
              onClick={confirm}
            >
              {verb}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
