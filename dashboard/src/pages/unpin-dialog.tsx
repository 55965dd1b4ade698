// The question before a pin is lifted: what the ladder's own mode changes at once, and why.

import { Dialog } from '@base-ui/react/dialog';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { unpinMode } from '../api/actions.ts';
import { policyQuery } from '../api/queries.ts';
import { Button } from '../components/button.tsx';
import { CopyCommand } from '../components/copy.tsx';
import dialogStyles from '../components/dialog.module.css';
import { FailureNote } from '../components/failure-note.tsx';
import { TextField } from '../components/field.tsx';
import { useNotice } from '../components/notice.tsx';
import { ModeChange } from './mode-change.tsx';
import type { PinDialogProps } from './pin-dialog.tsx';
import { reasonFault, unpinCommand } from './pin-form.ts';

export function UnpinDialog({ policy, onClose }: PinDialogProps) {
  const queryClient = useQueryClient();
  const { say } = useNotice();
  const cancel = useRef<HTMLButtonElement>(null);
  const [reason, setReason] = useState('');
  const [error, setError] = useState<unknown>();
  const [acting, setActing] = useState(false);
  const fault = reasonFault(reason);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (fault !== undefined || acting) return;
    setActing(true);
    unpinMode(reason.trim()).then(
      () => {
        say({ tone: 'ok', words: `The pin is lifted; the ladder holds ${policy.ladder_mode}.` });
        void queryClient.invalidateQueries({ queryKey: policyQuery.queryKey });
        onClose();
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
        <Dialog.Backdrop className={dialogStyles.backdrop} />
        <Dialog.Popup className={dialogStyles.popup} initialFocus={cancel}>
          <form noValidate className={dialogStyles.form} onSubmit={submit}>
            <Dialog.Title className={dialogStyles.title}>Lift the pin?</Dialog.Title>
            <p>
              The ladder takes over with {policy.ladder_mode}. To have the pin back, set it again.
            </p>
            <ModeChange effects={policy.effects} from={policy.mode} to={policy.ladder_mode} />
            <TextField
              label="Reason"
              hint="Written to the audit trail with your name."
              fault={reason === '' ? undefined : fault}
              value={reason}
              onChange={setReason}
            />
            {error === undefined ? null : <FailureNote error={error} />}
            <div className={dialogStyles.buttons}>
              <CopyCommand command={unpinCommand(reason)} />
              <Dialog.Close ref={cancel} render={<Button>Cancel</Button>} />
              <Button
                kind="primary"
                type="submit"
                refusal={fault === undefined ? undefined : 'Give a reason first.'}
                disabled={acting}
              >
                Lift the pin
              </Button>
            </div>
          </form>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
