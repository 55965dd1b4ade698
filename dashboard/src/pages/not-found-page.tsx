// An address that no page has.

import { Link } from '@tanstack/react-router';
import { useTitle } from '../components/use-title.ts';
import styles from './login-page.module.css';

export function NotFoundPage() {
  useTitle('No such page');
  return (
    <main className={styles.page}>
      <h1>No such page</h1>
      <p className="wrap-anywhere">{`Nothing is at ${location.pathname}.`}</p>
      <p>
        <Link to="/">Go to Overview</Link>
      </p>
    </main>
  );
}
