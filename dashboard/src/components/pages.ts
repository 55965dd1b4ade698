// The pages that exist, once for the rail, for the bar of small screens and for the keyboard.

import type { IconName } from './nav-icons.tsx';

export type PagePath =
  | '/'
  | '/fleet'
  | '/requests'
  | '/policy'
  | '/replay'
  | '/audit'
  | '/usage'
  | '/access/keys';

export type PageEntry = {
  readonly to: PagePath;
  readonly words: string;
  readonly icon: IconName;
  /** Pressed after `g` it opens the page. */
  readonly letter: string;
  /** Has a place of its own in the bar of small screens; the others are under “More”. */
  readonly inBar: boolean;
};

export type PageSection = {
  readonly heading: string | undefined;
  readonly entries: readonly PageEntry[];
};

export const pageSections: readonly PageSection[] = [
  {
    heading: undefined,
    entries: [{ to: '/', words: 'Overview', icon: 'overview', letter: 'o', inBar: true }],
  },
  {
    heading: 'Serve',
    entries: [
      { to: '/fleet', words: 'Fleet', icon: 'fleet', letter: 'f', inBar: true },
      { to: '/requests', words: 'Requests', icon: 'requests', letter: 'r', inBar: true },
    ],
  },
  {
    heading: 'Trust',
    entries: [
      { to: '/policy', words: 'Policy', icon: 'policy', letter: 'y', inBar: false },
      { to: '/replay', words: 'Replay', icon: 'replay', letter: 'e', inBar: false },
      { to: '/audit', words: 'Audit', icon: 'audit', letter: 'a', inBar: false },
    ],
  },
  {
    heading: 'Admin',
    entries: [
      { to: '/usage', words: 'Usage', icon: 'usage', letter: 'u', inBar: false },
      { to: '/access/keys', words: 'Access keys', icon: 'keys', letter: 'k', inBar: false },
    ],
  },
];

export const pageEntries: readonly PageEntry[] = pageSections.flatMap(({ entries }) => entries);
