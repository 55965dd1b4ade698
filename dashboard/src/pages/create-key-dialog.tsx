// The form for a new key: a name, the models it may use, and when it ends.

import { Dialog } from '@base-ui/react/dialog';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { createKey } from '../api/actions.ts';
import { keysQuery } from '../api/queries.ts';
import type { KeyCreatedWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import styles from '../components/dialog.module.css';
import { FailureNote } from '../components/failure-note.tsx';
import { Field } from '../components/field.tsx';
import { checkNewKey } from './new-key.ts';

export type CreateKeyDialogProps = {
  readonly onClose: () => void;
  readonly onCreated: (key: KeyCreatedWire) => void;
};

export function CreateKeyDialog({ onClose, onCreated }: CreateKeyDialogProps) {
  const queryClient = useQueryClient();
  const [faults, setFaults] = useState<Readonly<Record<string, string>>>({});
  const [error, setError] = useState<unknown>();
  const [acting, setActing] = useState(false);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '');
    const checked = checkNewKey({ name: text('name'), models: text('models'), days: text('days') });
    setFaults(checked.faults);
    if (checked.key === undefined) return;
    setActing(true);
    createKey(checked.key).then(
      (created) => {
        onCreated(created);
        void queryClient.invalidateQueries({ queryKey: keysQuery.queryKey });
      },
      (thrown: unknown) => {
        setError(thrown);
        setActing(false);
      },
    );
  }

  return (
    <Dialog.Root open onOpenChange={(open) => (open ? undefined : onClose())}>
      <Dialog.Portal>
        <Dialog.Backdrop className={styles.backdrop} />
        <Dialog.Popup className={styles.popup}>
          <form noValidate className={styles.form} onSubmit={submit}>
            <Dialog.Title className={styles.title}>Create a key</Dialog.Title>
            <Field
              name="name"
              label="Name"
              hint="Who or what uses it, as in ci or ana-laptop."
              fault={faults['name']}
            />
            <Field
              name="models"
              label="Models"
              hint="Parted by commas, * stands for anything, as in chat-*. Empty: every model."
              fault={faults['models']}
            />
            <Field
              name="days"
              label="Days until it expires"
              hint="0: never."
              initial="90"
              fault={faults['days']}
            />
            {error === undefined ? null : <FailureNote error={error} />}
            <div className={styles.buttons}>
              <Dialog.Close render={<Button>Cancel</Button>} />
              <Button kind="primary" type="submit" disabled={acting}>
                Create key
              </Button>
            </div>
          </form>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
