// The way to every page: a rail on the left, icons with small words on medium widths, and on small
// ones a bar at the bottom that has the rest under “More”.

import { Menu } from '@base-ui/react/menu';
import { Link, useLocation } from '@tanstack/react-router';
import { useRef } from 'react';
import styles from './account-menu.module.css';
import { NavIcon } from './nav-icons.tsx';
import navStyles from './page-frame.module.css';
import { type PageEntry, pageEntries, pageSections } from './pages.ts';
import { narrowQuery, useMedia } from './use-media.ts';

function NavLink({ to, words, icon, letter }: PageEntry) {
  return (
    <Link
      to={to}
      className={navStyles.navLink}
      activeOptions={{ exact: to === '/', includeSearch: false }}
      title={`${words} (g ${letter})`}
    >
      <NavIcon name={icon} />
      <span>{words}</span>
    </Link>
  );
}

function More({ entries }: { readonly entries: readonly PageEntry[] }) {
  const place = useRef<HTMLDivElement>(null);
  const path = useLocation({ select: ({ pathname }) => pathname });
  const isHere = entries.some(({ to }) => path.startsWith(to));
  return (
    <Menu.Root>
      <Menu.Trigger className={navStyles.navLink} aria-current={isHere ? 'page' : undefined}>
        <NavIcon name="more" />
        <span>More</span>
      </Menu.Trigger>
      <Menu.Portal container={place}>
        <Menu.Positioner sideOffset={4} align="end" className={styles.positioner}>
          <Menu.Popup className={styles.popup}>
            {entries.map(({ to, words, icon }) => (
              <Menu.Item key={to} className={styles.item} render={<Link to={to} />}>
                <NavIcon name={icon} />
                {words}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
      <div ref={place} className={styles.place} />
    </Menu.Root>
  );
}

function Bar() {
  return (
    <nav className={navStyles.nav} aria-label="Pages">
      {pageEntries
        .filter(({ inBar }) => inBar)
        .map((entry) => (
          <NavLink {...entry} key={entry.to} />
        ))}
      <More entries={pageEntries.filter(({ inBar }) => !inBar)} />
    </nav>
  );
}

export function NavRail() {
  const isNarrow = useMedia(narrowQuery);
  if (isNarrow) return <Bar />;
  return (
    <nav className={navStyles.nav} aria-label="Pages">
      {pageSections.map(({ heading, entries }) => (
        <div key={heading ?? 'top'} className={navStyles.navSection}>
          {heading === undefined ? null : <p className={navStyles.navHeading}>{heading}</p>}
          {entries.map((entry) => (
            <NavLink {...entry} key={entry.to} />
          ))}
        </div>
      ))}
    </nav>
  );
}
