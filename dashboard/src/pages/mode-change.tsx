// What going from one mode to another changes, gate by gate, or that it changes nothing now.

import type { PolicyViewWire, ServingModeWire } from '../api/wire.ts';
import { changedGates, effectsOf } from './mode-effects.ts';
import styles from './policy-page.module.css';

export type ModeChangeProps = {
  readonly effects: PolicyViewWire['effects'];
  readonly from: ServingModeWire;
  readonly to: ServingModeWire;
};

export function ModeChange({ effects, from, to }: ModeChangeProps) {
  const before = effectsOf(effects, from);
  const after = effectsOf(effects, to);
  if (before === undefined || after === undefined) return null;
  const changes = changedGates(before, after);
  if (changes.length === 0) {
    return <p data-testid="mode-change">Nothing changes now: the mode is {from} already.</p>;
  }
  return (
    <div data-testid="mode-change">
      <p>
        Changes at once, {from} → {to}:
      </p>
      <ul className={styles.changes}>
        {changes.map((change) => (
          <li key={change.name}>
            {change.name}: {change.from} → <strong>{change.to}</strong>
          </li>
        ))}
      </ul>
    </div>
  );
}
