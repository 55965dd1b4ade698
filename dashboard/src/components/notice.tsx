// What an action did, said once at the edge of the page until it is dismissed or replaced. A failed
// action shows its failure here, so no action ends in silence.

import { createContext, type ReactNode, useContext, useMemo, useState } from 'react';
import { partsOf } from '../api/failure.ts';
import type { Tone } from '../status/status.ts';
import { Button } from './button.tsx';
import styles from './notice.module.css';
import { StatusShape } from './status-mark.tsx';

export type Notice = {
  readonly tone: Tone;
  readonly words: string;
  /** What was thrown; undefined when the action succeeded. */
  readonly error?: unknown;
};

type NoticeContextValue = { readonly say: (notice: Notice) => void };

const NoticeContext = createContext<NoticeContextValue>({ say: () => undefined });

export function useNotice(): NoticeContextValue {
  return useContext(NoticeContext);
}

function noticeWords(notice: Notice): string {
  if (notice.error === undefined) return notice.words;
  const parts = partsOf(notice.error);
  const remedy = parts.remedy === undefined ? '' : ` ${parts.remedy}`;
  return `${notice.words} ${parts.message}${remedy} (${parts.code})`;
}

export function NoticeProvider({ children }: { readonly children: ReactNode }) {
  const [notice, setNotice] = useState<Notice>();
  const value = useMemo(() => ({ say: setNotice }), []);
  return (
    <NoticeContext value={value}>
      {children}
      <section aria-label="Result of the last action" className={styles.place}>
        <div role={notice?.tone === 'bad' ? 'alert' : 'status'}>
          {notice === undefined ? null : (
            <p className={styles.notice}>
              <StatusShape tone={notice.tone} />
              <span className="wrap-anywhere">{noticeWords(notice)}</span>
              <Button kind="quiet" onClick={() => setNotice(undefined)}>
                Dismiss
              </Button>
            </p>
          )}
        </div>
      </section>
    </NoticeContext>
  );
}
