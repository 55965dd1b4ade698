// Who may send requests: the keys, the one moment in which a new secret is shown, and revoking.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { keysQuery } from '../api/queries.ts';
import { useRefusal } from '../api/use-refusal.ts';
import type { KeyCreatedWire, KeyViewWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { Loading } from '../components/loading.tsx';
import { useNow } from '../components/use-now.ts';
import { useTitle } from '../components/use-title.ts';
import { Verdict } from '../components/verdict.tsx';
import { plural } from '../format/numbers.ts';
import { keyMark } from '../status/status.ts';
import { CreateKeyDialog } from './create-key-dialog.tsx';
import { KeysTable } from './keys-table.tsx';
import { NewSecret } from './new-secret.tsx';
import styles from './page.module.css';

const monthMs = 30 * 24 * 3_600_000;

function keysWords(keys: readonly KeyViewWire[], nowMs: number): string {
  const active = keys.filter((key) => keyMark(key, nowMs).tone === 'ok');
  const unused = active.filter(
    (key) => nowMs - Date.parse(key.last_used_at ?? key.created_at) > monthMs,
  );
  const off = keys.length - active.length;
  const words = `${plural(active.length, 'active key')}, ${unused.length} of them unused for 30 d`;
  return off === 0 ? `${words}.` : `${words}; ${off} revoked or expired.`;
}

export function KeysPage() {
  useTitle('Access keys');
  const { data, error, refetch } = useQuery(keysQuery);
  const [creating, setCreating] = useState(false);
  const [created, setCreated] = useState<KeyCreatedWire>();
  const refusal = useRefusal('users:admin');
  const now = useNow(10_000);
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1>Access keys</h1>
        <Button kind="primary" refusal={refusal} onClick={() => setCreating(true)}>
          Create key…
        </Button>
      </div>
      {created === undefined ? null : (
        <NewSecret created={created} onDone={() => setCreated(undefined)} />
      )}
      {error === null ? null : <FailureNote error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null ? <Loading what="the keys" heightPx={240} /> : null}
      {data === undefined ? null : (
        <>
          <Verdict
            tone={data.keys.length === 0 ? 'waiting' : 'ok'}
            words={keysWords(data.keys, now)}
          />
          {data.keys.length === 0 ? (
            <EmptyNote words="No key yet. A key lets a client send requests, within the models that you name." />
          ) : (
            <KeysTable rows={data.keys} nowMs={now} />
          )}
        </>
      )}
      {creating ? (
        <CreateKeyDialog
          onClose={() => setCreating(false)}
          onCreated={(key) => {
            setCreated(key);
            setCreating(false);
          }}
        />
      ) : null}
    </div>
  );
}
