// The form of a pin: mode, reason, expiry, and what it changes compared with now.

import { Dialog } from '@base-ui/react/dialog';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { pinMode } from '../api/actions.ts';
import { policyQuery } from '../api/queries.ts';
import type { PolicyViewWire, ServingModeWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import { ChoiceField } from '../components/choice-field.tsx';
import { CopyCommand } from '../components/copy.tsx';
import dialogStyles from '../components/dialog.module.css';
import { FailureNote } from '../components/failure-note.tsx';
import { TextField } from '../components/field.tsx';
import { useNotice } from '../components/notice.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { modeMarks } from '../status/status.ts';
import { ModeChange } from './mode-change.tsx';
import {
  expiryWords,
  type PinExpiry,
  pinCommand,
  pinExpiries,
  pinOf,
  reasonFault,
} from './pin-form.ts';

export type PinDialogProps = { readonly policy: PolicyViewWire; readonly onClose: () => void };

const finalMode: ServingModeWire = 'halted';

/** Why the pin cannot be set yet; undefined when it can. */
function refusalOf(mode: ServingModeWire, reason: string, typed: string): string | undefined {
  if (reasonFault(reason) !== undefined) return 'Give a reason first.';
  if (mode === finalMode && typed !== finalMode) return `Type ${finalMode} first.`;
  return undefined;
}

export function PinDialog({ policy, onClose }: PinDialogProps) {
  const queryClient = useQueryClient();
  const { say } = useNotice();
  const cancel = useRef<HTMLButtonElement>(null);
  const [mode, setMode] = useState<ServingModeWire>(policy.mode);
  const [expiry, setExpiry] = useState<PinExpiry>('2h');
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const [error, setError] = useState<unknown>();
  const [acting, setActing] = useState(false);
  const refusal = refusalOf(mode, reason, typed);
  const form = { mode, expiry, reason };

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (refusal !== undefined || acting) return;
    setActing(true);
    pinMode(pinOf(form)).then(
      () => {
        say({ tone: 'ok', words: `The mode is pinned to ${mode}, ${expiryWords[expiry]}.` });
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
            <Dialog.Title className={dialogStyles.title}>Pin the serving mode</Dialog.Title>
            <p>The ladder goes on judging underneath and takes over again when the pin ends.</p>
            <ChoiceField
              legend="Mode"
              choices={policy.effects.map((one) => ({
                value: one.mode,
                words: <StatusMark {...modeMarks[one.mode]} />,
              }))}
              value={mode}
              onChange={setMode}
            />
            <ModeChange effects={policy.effects} from={policy.mode} to={mode} />
            <ChoiceField
              legend="For how long"
              choices={pinExpiries.map((value) => ({ value, words: expiryWords[value] }))}
              value={expiry}
              onChange={setExpiry}
            />
            <TextField
              label="Reason"
              hint="Written to the audit trail with your name."
              fault={reason === '' ? undefined : reasonFault(reason)}
              value={reason}
              onChange={setReason}
            />
            {mode === finalMode ? (
              <TextField
                label={`Type ${finalMode} to confirm`}
                hint="Only class 5, critical, is admitted; every other request gets 503."
                fault={undefined}
                value={typed}
                onChange={setTyped}
              />
            ) : null}
            {error === undefined ? null : <FailureNote error={error} />}
            <div className={dialogStyles.buttons}>
              <CopyCommand command={pinCommand(form)} />
              <Dialog.Close ref={cancel} render={<Button>Cancel</Button>} />
              <Button
                kind={mode === finalMode ? 'danger' : 'primary'}
                type="submit"
                refusal={refusal}
                disabled={acting}
              >
                Pin {mode}
              </Button>
            </div>
          </form>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
