// The question before an operation on a model: which model, where to, and what that does to the
// requests, in numbers. It is sent to the server, which checks the GPU memory and writes it down first.

import { Dialog } from '@base-ui/react/dialog';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useId, useRef, useState } from 'react';
import { loadModel, migrateModel, unloadModel } from '../api/actions.ts';
import { backendsQuery, operationsQuery } from '../api/queries.ts';
import type { BackendViewWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import { CopyCommand } from '../components/copy.tsx';
import dialogStyles from '../components/dialog.module.css';
import { FailureNote } from '../components/failure-note.tsx';
import { useNotice } from '../components/notice.tsx';
import { SelectField } from '../components/select-field.tsx';
import {
  emptyForm,
  type FormChoices,
  formCommand,
  formEffect,
  formRefusal,
  formVerb,
  kindWords,
  modelChoices,
  type OperationForm,
  type OperationKind,
  targetChoices,
} from './operation-form.ts';

type Fleet = readonly BackendViewWire[];

export type OperationDialogProps = {
  readonly kind: OperationKind;
  readonly backend: BackendViewWire;
  readonly fleet: Fleet;
  /** The model, where the person has chosen it already. */
  readonly modelId?: string;
  readonly onClose: () => void;
};

/** Sends it and returns what to say then, after the name of the model. */
async function send(form: OperationForm): Promise<string> {
  const { kind, backend, targetId, download, drain } = form;
  const order = { modelId: form.modelId.trim(), backendId: backend.id };
  switch (kind) {
    case 'load':
      await loadModel({ ...order, download });
      return 'is being loaded; the backend shows how far it is.';
    case 'unload':
      return (await unloadModel({ ...order, drain })) === 'done'
        ? 'is unloaded.'
        : 'takes no requests there any more and is unloaded when the running ones have ended.';
    case 'migrate':
      await migrateModel({ ...order, to: targetId });
      return 'is being migrated; both backends show how far it is.';
  }
}

const prepositions: Readonly<Record<OperationKind, string>> = {
  load: 'on',
  unload: 'from',
  migrate: 'from',
};

type ModelFieldProps = {
  readonly form: OperationForm;
  readonly fleet: Fleet;
  readonly onChange: (modelId: string) => void;
};

/** A load may name a model that nobody offers yet, so that one can be typed. */
function ModelField({ form, fleet, onChange }: ModelFieldProps) {
  const id = useId();
  const choices = modelChoices(form.kind, form.backend, fleet);
  if (form.kind !== 'load') {
    const value = form.modelId === '' ? undefined : form.modelId;
    return (
      <SelectField
        label="Model"
        all="Choose…"
        values={choices}
        value={value}
        onChange={(chosen) => onChange(chosen ?? '')}
      />
    );
  }
  return (
    <div className={dialogStyles.field}>
      <label htmlFor={id}>Model</label>
      <input
        id={id}
        className={dialogStyles.input}
        list={`${id}-known`}
        value={form.modelId}
        autoComplete="off"
        spellCheck={false}
        onChange={({ target }) => onChange(target.value)}
      />
      <datalist id={`${id}-known`}>
        {choices.map((choice) => (
          <option key={choice} value={choice} />
        ))}
      </datalist>
    </div>
  );
}

type SwitchProps = {
  readonly words: string;
  readonly on: boolean;
  readonly onChange: (on: boolean) => void;
};

function Switch({ words, on, onChange }: SwitchProps) {
  return (
    <label className={dialogStyles.choice}>
      <input type="checkbox" checked={on} onChange={({ target }) => onChange(target.checked)} />
      {words}
    </label>
  );
}

type FieldsProps = {
  readonly form: OperationForm;
  readonly fleet: Fleet;
  readonly change: (more: Partial<FormChoices>) => void;
};

function Fields({ form, fleet, change }: FieldsProps) {
  const targets = targetChoices(form.backend, fleet).map(({ id }) => id);
  return (
    <>
      <ModelField form={form} fleet={fleet} onChange={(modelId) => change({ modelId })} />
      {form.kind === 'load' ? (
        <Switch
          words="Fetch the weights first if they are not there"
          on={form.download}
          onChange={(download) => change({ download })}
        />
      ) : null}
      {form.kind === 'unload' ? (
        <Switch
          words="Wait for the requests that run"
          on={form.drain}
          onChange={(drain) => change({ drain })}
        />
      ) : null}
      {form.kind === 'migrate' ? (
        <SelectField
          label="To"
          all="Choose…"
          values={targets}
          value={form.targetId === '' ? undefined : form.targetId}
          onChange={(targetId) => change({ targetId: targetId ?? '' })}
        />
      ) : null}
    </>
  );
}

export function OperationDialog({ kind, backend, fleet, modelId, onClose }: OperationDialogProps) {
  const queryClient = useQueryClient();
  const { say } = useNotice();
  const cancel = useRef<HTMLButtonElement>(null);
  const [chosen, setChosen] = useState<FormChoices>({ ...emptyForm, modelId: modelId ?? '' });
  const [error, setError] = useState<unknown>();
  const [acting, setActing] = useState(false);
  const form: OperationForm = { ...chosen, kind, backend };
  const refusal = formRefusal(form);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (refusal !== undefined || acting) return;
    setActing(true);
    send(form).then(
      (words) => {
        say({ tone: 'ok', words: `${form.modelId} ${words}` });
        void queryClient.invalidateQueries({ queryKey: backendsQuery.queryKey });
        void queryClient.invalidateQueries({ queryKey: operationsQuery(backend.id).queryKey });
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
            <Dialog.Title className={dialogStyles.title}>
              {`${kindWords[kind]} a model ${prepositions[kind]} ${backend.name}`}
            </Dialog.Title>
            <Fields
              form={form}
              fleet={fleet}
              change={(more) => setChosen((before) => ({ ...before, ...more }))}
            />
            <p className="wrap-anywhere" data-testid="effect">
              {refusal === undefined ? formEffect(form, fleet) : refusal}
            </p>
            {error === undefined ? null : <FailureNote error={error} />}
            <div className={dialogStyles.buttons}>
              {refusal === undefined ? <CopyCommand command={formCommand(form)} /> : null}
              <Dialog.Close ref={cancel} render={<Button>Cancel</Button>} />
              <Button kind="primary" type="submit" refusal={refusal} disabled={acting}>
                <span className={dialogStyles.verb}>{formVerb(form)}</span>
              </Button>
            </div>
          </form>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
