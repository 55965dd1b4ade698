// What to decide again: the window or one request, and the candidate policy to compare with.

import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { startReplay } from '../api/actions.ts';
import { replaysQuery } from '../api/queries.ts';
import { useRefusal } from '../api/use-refusal.ts';
import { Button } from '../components/button.tsx';
import { ChoiceField } from '../components/choice-field.tsx';
import { CopyCommand } from '../components/copy.tsx';
import dialogStyles from '../components/dialog.module.css';
import { FailureNote } from '../components/failure-note.tsx';
import { TextField } from '../components/field.tsx';
import styles from './policy-page.module.css';
import { candidateFault, replayCommand, replayStart } from './replay-start.ts';
import { type ReplayRange, replayRanges } from './search.ts';

const route = getRouteApi('/app/replay');

const rangeWords: Readonly<Record<ReplayRange, string>> = {
  '1h': 'last hour',
  '24h': 'last day',
  '7d': 'last 7 days',
  all: 'everything that is kept',
};

export function ReplayForm() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/replay' });
  const queryClient = useQueryClient();
  const refusal = useRefusal('replay:run');
  const [request, setRequest] = useState(search.request ?? '');
  const [candidate, setCandidate] = useState('');
  const [error, setError] = useState<unknown>();
  const [acting, setActing] = useState(false);
  const fault = candidateFault(candidate);
  const form = { range: search.range, request, candidate };

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (refusal !== undefined || fault !== undefined || acting) return;
    setActing(true);
    setError(undefined);
    startReplay(replayStart(form, Date.now()))
      .then(async (id) => {
        const asked = request.trim() === '' ? undefined : request.trim();
        await navigate({ search: { range: search.range, request: asked, id } });
        await queryClient.invalidateQueries({ queryKey: replaysQuery.queryKey, exact: true });
      })
      .catch(setError)
      .finally(() => setActing(false));
  }

  return (
    <form noValidate className={`${dialogStyles.form} ${styles.panel}`} onSubmit={submit}>
      <h2>Decide again</h2>
      <ChoiceField
        legend="Window"
        choices={replayRanges.map((value) => ({ value, words: rangeWords[value] }))}
        value={search.range}
        onChange={(range) =>
          void navigate({ search: (before) => ({ ...before, range, dropped: undefined }) })
        }
      />
      <TextField
        label="One request only"
        hint="Its id; the window is then not needed. Empty: every request of the window."
        fault={undefined}
        value={request}
        onChange={setRequest}
      />
      <TextField
        label="Candidate policy"
        hint='JSON with the sections to try, as in {"routing": {"max_retries": 1}}. YAML only on the command line. Empty: none, only the proof.'
        fault={fault}
        rows={6}
        value={candidate}
        onChange={setCandidate}
      />
      {error === undefined ? null : <FailureNote error={error} />}
      <div className={styles.actions}>
        <Button
          kind="primary"
          type="submit"
          refusal={refusal ?? (fault === undefined ? undefined : 'Correct the candidate first.')}
          disabled={acting}
        >
          {acting ? 'Starting…' : 'Run replay'}
        </Button>
        <CopyCommand command={replayCommand(replayStart(form, Date.now()))} />
        {refusal === undefined ? null : <span className="muted">{refusal}</span>}
      </div>
    </form>
  );
}
