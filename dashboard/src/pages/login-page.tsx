// Signing in: the admin key is sent once and answered with a cookie that scripts cannot read. The key
// itself is kept nowhere in the browser.

import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { type FormEvent, useId, useState } from 'react';
import { signIn } from '../api/actions.ts';
import { meQuery } from '../api/queries.ts';
import { Button } from '../components/button.tsx';
import { CopyLine } from '../components/copy.tsx';
import dialogStyles from '../components/dialog.module.css';
import { FailureNote } from '../components/failure-note.tsx';
import { useTitle } from '../components/use-title.ts';
import styles from './login-page.module.css';

const route = getRouteApi('/login');

function KeyForm() {
  const { next } = route.useSearch();
  const router = useRouter();
  const queryClient = useQueryClient();
  const inputId = useId();
  const [error, setError] = useState<unknown>();
  const [acting, setActing] = useState(false);

  async function enter(apiKey: string): Promise<void> {
    await signIn(apiKey);
    queryClient.removeQueries();
    await queryClient.fetchQuery(meQuery);
    await router.invalidate();
    router.history.push(next ?? '/');
  }

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const apiKey = String(new FormData(event.currentTarget).get('key') ?? '').trim();
    if (apiKey === '') return;
    setActing(true);
    setError(undefined);
    enter(apiKey).catch((thrown: unknown) => {
      setError(thrown);
      setActing(false);
    });
  }

  return (
    <form className={styles.form} onSubmit={submit}>
      <label htmlFor={inputId}>Admin key</label>
      <input
        id={inputId}
        name="key"
        type="password"
        required
        autoComplete="current-password"
        spellCheck={false}
        placeholder="tfk_…"
        className={dialogStyles.input}
      />
      {error === undefined ? null : <FailureNote error={error} />}
      <Button kind="primary" type="submit" disabled={acting}>
        Sign in
      </Button>
    </form>
  );
}

export function LoginPage() {
  useTitle('Sign in');
  return (
    <main className={styles.page}>
      <h1>Sign in to TensorForge</h1>
      <p>
        Paste the admin key. TensorForge printed it when it started for the first time; this makes
        another:
      </p>
      <CopyLine
        text="tensorforge keys create --name dashboard --admin"
        label="Copy the command that makes a key"
      />
      <KeyForm />
    </main>
  );
}
