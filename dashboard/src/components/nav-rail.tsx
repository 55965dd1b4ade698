// The pages that exist: a rail on the left, icons with small words on medium widths, a bar at the
// bottom on small ones.

import { Link } from '@tanstack/react-router';
import { type IconName, NavIcon } from './nav-icons.tsx';
import styles from './page-frame.module.css';

type Entry = {
  readonly to: '/' | '/fleet' | '/requests' | '/access/keys';
  readonly words: string;
  readonly icon: IconName;
};

type Section = { readonly heading: string | undefined; readonly entries: readonly Entry[] };

const sections: readonly Section[] = [
  { heading: undefined, entries: [{ to: '/', words: 'Overview', icon: 'overview' }] },
  {
    heading: 'Serve',
    entries: [
      { to: '/fleet', words: 'Fleet', icon: 'fleet' },
      { to: '/requests', words: 'Requests', icon: 'requests' },
    ],
  },
  { heading: 'Admin', entries: [{ to: '/access/keys', words: 'Access keys', icon: 'keys' }] },
];

function NavLink({ to, words, icon }: Entry) {
  return (
    <Link to={to} className={styles.navLink} activeOptions={{ exact: to === '/' }}>
      <NavIcon name={icon} />
      <span>{words}</span>
    </Link>
  );
}

export function NavRail() {
  return (
    <nav className={styles.nav} aria-label="Pages">
      {sections.map(({ heading, entries }) => (
        <div key={heading ?? 'top'} className={styles.navSection}>
          {heading === undefined ? null : <p className={styles.navHeading}>{heading}</p>}
          {entries.map((entry) => (
            <NavLink key={entry.to} {...entry} />
          ))}
        </div>
      ))}
    </nav>
  );
}
