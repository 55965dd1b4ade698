// Pinning a mode and lifting the pin. Both touch live traffic, so both ask for a reason and say what
// would change; halting stops nearly everything, so its name must be typed.

import { useState } from 'react';
import { useRefusal } from '../api/use-refusal.ts';
import type { PolicyViewWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import { PinDialog } from './pin-dialog.tsx';
import styles from './policy-page.module.css';
import { UnpinDialog } from './unpin-dialog.tsx';

export function PinActions({ policy }: { readonly policy: PolicyViewWire }) {
  const refusal = useRefusal('policy:write');
  const [open, setOpen] = useState<'pin' | 'unpin'>();
  const close = () => setOpen(undefined);
  return (
    <div className={styles.actions}>
      <Button refusal={refusal} onClick={() => setOpen('pin')}>
        Pin level…
      </Button>
      {policy.pin === null ? null : (
        <Button refusal={refusal} onClick={() => setOpen('unpin')}>
          Lift the pin…
        </Button>
      )}
      {refusal === undefined ? null : <span className="muted">{refusal}</span>}
      {open === 'pin' ? <PinDialog policy={policy} onClose={close} /> : null}
      {open === 'unpin' ? <UnpinDialog policy={policy} onClose={close} /> : null}
    </div>
  );
}
