// What can be done with one backend. Probe, resume and approve act at once; what touches live traffic
// first says what it would do, and removing the only holder of a model wants its name typed.

import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { actOnBackend, type BackendVerb, removeBackend } from '../api/actions.ts';
import { backendExplainQuery, backendsQuery } from '../api/queries.ts';
import { useRefusal } from '../api/use-refusal.ts';
import type { BackendViewWire } from '../api/wire.ts';
import { Button, type ButtonKind } from '../components/button.tsx';
import { type Confirmation, ConfirmDialog } from '../components/confirm-dialog.tsx';
import { CopyCommand } from '../components/copy.tsx';
import { useNotice } from '../components/notice.tsx';
import { drainWords, removalNeedsName, removeWords } from './backend-effects.ts';
import styles from './backend-pane.module.css';
import { OperationDialog } from './operation-dialog.tsx';
import type { OperationKind } from './operation-form.ts';

type ActionName = 'approve' | 'probe' | 'drain' | 'models' | 'remove' | 'copy';

export type BackendActionsProps = {
  readonly backend: BackendViewWire;
  readonly fleet: readonly BackendViewWire[];
  /** The only ones to show; default all. */
  readonly only?: readonly ActionName[];
};

const doneWords: Readonly<Record<BackendVerb, (name: string) => string>> = {
  probe: (name) => `${name} was probed.`,
  resume: (name) => `${name} takes new requests again as soon as a probe succeeds.`,
  approve: (name) => `${name} is approved: it takes requests as soon as a probe succeeds.`,
  drain: (name) => `${name} is draining: new requests avoid it.`,
};

function drainConfirmation(
  { backend, fleet }: BackendActionsProps,
  act: () => Promise<void>,
): Confirmation {
  return {
    title: `Drain ${backend.name}?`,
    effect: drainWords(backend, fleet),
    verb: `Drain ${backend.name}`,
    typed: undefined,
    command: `tensorforge backends drain ${backend.id}`,
    act,
  };
}

function removeConfirmation(
  { backend, fleet }: BackendActionsProps,
  act: () => Promise<void>,
): Confirmation {
  return {
    title: `Remove ${backend.name}?`,
    effect: removeWords(backend, fleet),
    verb: `Remove ${backend.name}`,
    typed: removalNeedsName(backend, fleet) ? backend.name : undefined,
    command: `tensorforge backends remove ${backend.id}`,
    act,
  };
}

/** What the buttons do, with the notice that says how it went. */
function useActs(props: BackendActionsProps) {
  const { backend } = props;
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const { say } = useNotice();

  async function finish(words: string): Promise<void> {
    say({ tone: 'ok', words });
    await queryClient.invalidateQueries({ queryKey: backendsQuery.queryKey });
    await queryClient.invalidateQueries({ queryKey: backendExplainQuery(backend.id).queryKey });
  }

  function atOnce(verb: BackendVerb): void {
    actOnBackend(backend.id, verb)
      .then(() => finish(doneWords[verb](backend.name)))
      .catch((error: unknown) => say({ tone: 'bad', words: 'Nothing was changed.', error }));
  }

  async function drain(): Promise<void> {
    await actOnBackend(backend.id, 'drain');
    await finish(doneWords.drain(backend.name));
  }

  async function remove(): Promise<void> {
    await removeBackend(backend.id);
    queryClient.removeQueries({ queryKey: backendExplainQuery(backend.id).queryKey });
    say({ tone: 'ok', words: `${backend.name} is removed.` });
    await navigate({ to: '/fleet', search: ({ peek: _, ...rest }) => rest, resetScroll: false });
    await queryClient.invalidateQueries({ queryKey: backendsQuery.queryKey });
  }

  return {
    atOnce,
    drain: drainConfirmation(props, drain),
    remove: removeConfirmation(props, remove),
  };
}

type ActionButtonProps = {
  readonly words: string;
  readonly kind?: ButtonKind;
  readonly refusal: string | undefined;
  readonly act: () => void;
};

function ActionButton({ words, kind = 'plain', refusal, act }: ActionButtonProps) {
  return (
    <Button kind={kind} refusal={refusal} onClick={act}>
      {words}
    </Button>
  );
}

type ModelActionsProps = {
  readonly backend: BackendViewWire;
  readonly onAsk: (kind: OperationKind) => void;
};

function ModelActions({ backend, onAsk }: ModelActionsProps) {
  const refusal = useRefusal('models:operate');
  const empty = backend.models.length === 0 ? 'It offers no model.' : undefined;
  return (
    <>
      <ActionButton words="Load a model…" refusal={refusal} act={() => onAsk('load')} />
      <ActionButton words="Unload…" refusal={refusal ?? empty} act={() => onAsk('unload')} />
      <ActionButton words="Migrate…" refusal={refusal ?? empty} act={() => onAsk('migrate')} />
    </>
  );
}

export function BackendActions(props: BackendActionsProps) {
  const { backend, fleet, only } = props;
  const { atOnce, drain, remove } = useActs(props);
  const refusal = useRefusal('backends:write');
  const [asked, setAsked] = useState<Confirmation>();
  const [operation, setOperation] = useState<OperationKind>();
  const shows = (name: ActionName) => only?.includes(name) ?? true;
  const isDraining = backend.status === 'draining';
  return (
    <div className={styles.actions}>
      {shows('approve') && !backend.approved ? (
        <ActionButton
          words={`Approve ${only === undefined ? '' : backend.name}`.trim()}
          kind={only === undefined ? 'primary' : 'plain'}
          refusal={refusal}
          act={() => atOnce('approve')}
        />
      ) : null}
      {shows('probe') ? (
        <ActionButton words="Probe now" refusal={refusal} act={() => atOnce('probe')} />
      ) : null}
      {shows('drain') && isDraining ? (
        <ActionButton words="Resume" refusal={refusal} act={() => atOnce('resume')} />
      ) : null}
      {shows('drain') && !isDraining ? (
        <ActionButton words="Drain…" refusal={refusal} act={() => setAsked(drain)} />
      ) : null}
      {shows('models') ? <ModelActions backend={backend} onAsk={setOperation} /> : null}
      {shows('remove') ? (
        <ActionButton words="Remove…" refusal={refusal} act={() => setAsked(remove)} />
      ) : null}
      {shows('copy') ? <CopyCommand command={`tensorforge explain backend ${backend.id}`} /> : null}
      {asked === undefined ? null : (
        <ConfirmDialog confirmation={asked} onClose={() => setAsked(undefined)} />
      )}
      {operation === undefined ? null : (
        <OperationDialog
          kind={operation}
          backend={backend}
          fleet={fleet}
          onClose={() => setOperation(undefined)}
        />
      )}
    </div>
  );
}
