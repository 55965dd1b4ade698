// What wants a person, worst first as the server ordered it, at most seven with the rest counted.

import { Link } from '@tanstack/react-router';
import type { OverviewWire } from '../api/wire.ts';
import { CopyLine } from '../components/copy.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { plural } from '../format/numbers.ts';
import styles from './overview-page.module.css';

type Item = OverviewWire['attention'][number];

const shownMax = 7;

const pages = [
  ['tensorforge policy', '/policy', 'Policy'],
  ['tensorforge audit', '/audit', 'Audit'],
  ['tensorforge replay', '/replay', 'Replay'],
] as const;

/** The page that does what the command does, where there is one. */
function PageOf({ action }: { readonly action: string }) {
  const page = pages.find(([command]) => action.startsWith(command));
  if (page === undefined) return null;
  const [, to, words] = page;
  return <Link to={to}>{words}</Link>;
}

/** The server sends a command, or words where nothing can be typed. */
function Action({ item }: { readonly item: Item }) {
  if (item.action.startsWith('tensorforge ')) {
    return (
      <>
        <PageOf action={item.action} />
        <CopyLine text={item.action} label={`Copy the command for: ${item.words}`} />
      </>
    );
  }
  return <span className="muted wrap-anywhere">{item.action}</span>;
}

export function AttentionList({ items }: { readonly items: readonly Item[] }) {
  if (items.length === 0) return null;
  const rest = items.length - shownMax;
  return (
    <section aria-label="What wants you">
      <ul className={styles.attention}>
        {items.slice(0, shownMax).map((item) => (
          <li key={item.words}>
            <StatusMark tone={item.level} words={item.words} />
            <Action item={item} />
          </li>
        ))}
        {rest > 0 ? <li>{`and ${plural(rest, 'more thing')}`}</li> : null}
      </ul>
    </section>
  );
}
