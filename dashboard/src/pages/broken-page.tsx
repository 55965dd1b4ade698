// What stands in place of a page that could not be shown at all.

import { useRouter } from '@tanstack/react-router';
import { FailureNote } from '../components/failure-note.tsx';
import { useTitle } from '../components/use-title.ts';
import styles from './login-page.module.css';

export function BrokenPage({
  error,
  reset,
}: {
  readonly error: unknown;
  readonly reset: () => void;
}) {
  useTitle('Not shown');
  const router = useRouter();
  function retry(): void {
    reset();
    void router.invalidate();
  }
  return (
    <main className={styles.page}>
      <h1>This page cannot be shown</h1>
      <FailureNote error={error} onRetry={retry} />
    </main>
  );
}
