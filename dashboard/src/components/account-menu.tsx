// Who is signed in, light or dark, and the way out.

import { Menu } from '@base-ui/react/menu';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { signOut } from '../api/actions.ts';
import { meQuery } from '../api/queries.ts';
import { applyTheme, parseTheme, readTheme, themes, themeWords } from '../theme/theme.ts';
import styles from './account-menu.module.css';
import { buttonClass } from './button.tsx';
import { useNotice } from './notice.tsx';
import { keepShortcuts, readShortcuts } from './shortcuts.ts';

function useSignOut(): () => void {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const { say } = useNotice();
  return () => {
    signOut()
      .then(async () => {
        await navigate({ to: '/login', search: {} });
        queryClient.clear();
      })
      .catch((error: unknown) => say({ tone: 'bad', words: 'Not signed out.', error }));
  };
}

function ThemeChoice() {
  const [theme, setTheme] = useState(readTheme);
  return (
    <Menu.RadioGroup
      value={theme}
      onValueChange={(value: unknown) => {
        const chosen = parseTheme(typeof value === 'string' ? value : null);
        applyTheme(chosen);
        setTheme(chosen);
      }}
    >
      <Menu.Group>
        <Menu.GroupLabel className={styles.label}>Colours</Menu.GroupLabel>
        {themes.map((name) => (
          <Menu.RadioItem key={name} value={name} className={styles.item} closeOnClick>
            <span className={styles.tick}>{theme === name ? '✓' : ''}</span>
            {themeWords[name]}
          </Menu.RadioItem>
        ))}
      </Menu.Group>
    </Menu.RadioGroup>
  );
}

function ShortcutChoice() {
  const [on, setOn] = useState(readShortcuts);
  return (
    <Menu.CheckboxItem
      className={styles.item}
      checked={on}
      closeOnClick
      onCheckedChange={(checked: boolean) => {
        keepShortcuts(checked);
        setOn(checked);
      }}
    >
      <span className={styles.tick}>{on ? '✓' : ''}</span>
      Keys: g and a letter, / j k
    </Menu.CheckboxItem>
  );
}

export function AccountMenu() {
  const { data: me } = useQuery(meQuery);
  const leave = useSignOut();
  // Inside the top bar and not at the end of the body, so that it belongs to a landmark.
  const place = useRef<HTMLDivElement>(null);
  const who = me?.user ?? me?.principal ?? 'Account';
  return (
    <Menu.Root>
      <Menu.Trigger
        className={`${buttonClass('plain')} ${styles.trigger}`}
        aria-label={`Account: ${who}`}
      >
        <span className={styles.who}>{who}</span>
        <span aria-hidden="true">▾</span>
      </Menu.Trigger>
      <Menu.Portal container={place}>
        <Menu.Positioner sideOffset={4} align="end" className={styles.positioner}>
          <Menu.Popup className={styles.popup}>
            <Menu.Group>
              <Menu.GroupLabel className={styles.label}>
                {me === undefined ? 'Signed in' : `Group ${me.group_name}`}
              </Menu.GroupLabel>
            </Menu.Group>
            <ThemeChoice />
            <Menu.Separator className={styles.separator} />
            <ShortcutChoice />
            <Menu.Separator className={styles.separator} />
            <Menu.Item className={styles.item} onClick={leave}>
              <span className={styles.tick} />
              Sign out
            </Menu.Item>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
      <div ref={place} className={styles.place} />
    </Menu.Root>
  );
}
