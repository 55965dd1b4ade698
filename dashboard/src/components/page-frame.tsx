// The frame of every signed-in page: skip link, top bar, navigation, the page itself.

import { Link, Outlet } from '@tanstack/react-router';
import { LiveProvider } from '../live/live-context.tsx';
import { AccountMenu } from './account-menu.tsx';
import { FreshnessChip, useFreshness } from './freshness-chip.tsx';
import { NavRail } from './nav-rail.tsx';
import { NoticeProvider } from './notice.tsx';
import styles from './page-frame.module.css';
import { useGoKeys } from './use-go-keys.ts';

function TopBar() {
  const freshness = useFreshness();
  return (
    <header className={styles.top}>
      <Link to="/" className={styles.brand}>
        TensorForge
      </Link>
      <FreshnessChip freshness={freshness} />
      <span role="status" className="hidden-text">
        {freshness.announced}
      </span>
      <AccountMenu />
    </header>
  );
}

export function PageFrame() {
  useGoKeys();
  return (
    <LiveProvider>
      <NoticeProvider>
        <a href="#main" className={styles.skip}>
          Skip to the page
        </a>
        <TopBar />
        <div className={styles.body}>
          <NavRail />
          <main id="main" tabIndex={-1} className={styles.main}>
            <Outlet />
          </main>
        </div>
      </NoticeProvider>
    </LiveProvider>
  );
}
