// What can be done with one backend. Probe, resume and approve act at once; drain and remove touch
// live traffic, so they first say what they would do.

import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { actOnBackend, type BackendVerb, removeBackend } from '../api/actions.ts';
import { backendsQuery } from '../api/queries.ts';
import { useRefusal } from '../api/use-refusal.ts';
import type { BackendViewWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import { type Confirmation, ConfirmDialog } from '../components/confirm-dialog.tsx';
import { CopyCommand } from '../components/copy.tsx';
import { useNotice } from '../components/notice.tsx';
import { drainWords, removalNeedsName, removeWords } from './backend-effects.ts';
import styles from './backend-pane.module.css';

type ActionsProps = {
  readonly backend: BackendViewWire;
  readonly fleet: readonly BackendViewWire[];
};

const doneWords: Readonly<Record<BackendVerb, (name: string) => string>> = {
  probe: (name) => `${name} was probed.`,
  resume: (name) => `${name} takes new requests again as soon as a probe succeeds.`,
  approve: (name) => `${name} is approved.`,
  drain: (name) => `${name} is draining: new requests avoid it.`,
};

function drainConfirmation(
  { backend, fleet }: ActionsProps,
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
  { backend, fleet }: ActionsProps,
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

export function BackendActions({ backend, fleet }: ActionsProps) {
  const queryClient = useQueryClient();
  const { say } = useNotice();
  const refusal = useRefusal('backends:write');
  const [asked, setAsked] = useState<Confirmation>();

  async function finish(words: string): Promise<void> {
    say({ tone: 'ok', words });
    await queryClient.invalidateQueries({ queryKey: backendsQuery.queryKey });
  }

  async function drain(): Promise<void> {
    await actOnBackend(backend.id, 'drain');
    await finish(doneWords.drain(backend.name));
  }

  async function remove(): Promise<void> {
    await removeBackend(backend.id);
    await finish(`${backend.name} is removed.`);
  }

  function actAtOnce(verb: BackendVerb): void {
    actOnBackend(backend.id, verb)
      .then(() => finish(doneWords[verb](backend.name)))
      .catch((error: unknown) => say({ tone: 'bad', words: `Nothing was changed.`, error }));
  }

  const draining = backend.status === 'draining';
  const props = { backend, fleet };
  return (
    <div className={styles.actions}>
      {backend.approved ? null : (
        <Button kind="primary" refusal={refusal} onClick={() => actAtOnce('approve')}>
          Approve
        </Button>
      )}
      <Button refusal={refusal} onClick={() => actAtOnce('probe')}>
        Probe now
      </Button>
      {draining ? (
        <Button refusal={refusal} onClick={() => actAtOnce('resume')}>
          Resume
        </Button>
      ) : (
        <Button refusal={refusal} onClick={() => setAsked(drainConfirmation(props, drain))}>
          Drain…
        </Button>
      )}
      <Button refusal={refusal} onClick={() => setAsked(removeConfirmation(props, remove))}>
        Remove…
      </Button>
      <CopyCommand command={`tensorforge explain backend ${backend.id}`} />
      {asked === undefined ? null : (
        <ConfirmDialog confirmation={asked} onClose={() => setAsked(undefined)} />
      )}
    </div>
  );
}
