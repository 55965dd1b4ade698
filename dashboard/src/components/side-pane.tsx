// One row of a list in full: beside the list where there is room, over it as a sheet where not.

import { Dialog } from '@base-ui/react/dialog';
import type { ReactNode } from 'react';
import dialogStyles from './dialog.module.css';
import { peekQuery, useMedia } from './use-media.ts';

export type SidePaneProps = {
  readonly label: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
};

export function SidePane({ label, onClose, children }: SidePaneProps) {
  const isBeside = useMedia(peekQuery);
  if (isBeside) return <aside aria-label={label}>{children}</aside>;
  return (
    <Dialog.Root open onOpenChange={(open) => (open ? undefined : onClose())}>
      <Dialog.Portal>
        <Dialog.Backdrop className={dialogStyles.backdrop} />
        <Dialog.Popup className={dialogStyles.sheet} aria-label={label}>
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
