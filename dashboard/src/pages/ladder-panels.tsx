// The gates of the next step up and of the next step down, side by side.

import type { PolicyViewWire } from '../api/wire.ts';
import { StatusShape } from '../components/status-mark.tsx';
import { gatesDown, gatesUp, type LadderGate } from './ladder-gates.ts';
import pageStyles from './page.module.css';
import styles from './policy-page.module.css';

type PanelProps = {
  readonly title: string;
  readonly rule: string;
  readonly gates: readonly LadderGate[];
  /** What an open gate is to a person: something to watch, or something done. */
  readonly openTone: 'attention' | 'ok';
};

function Panel({ title, rule, gates, openTone }: PanelProps) {
  return (
    <section className={styles.panel} aria-label={title}>
      <h2>{title}</h2>
      <p className="muted">{rule}</p>
      <dl className={pageStyles.facts}>
        {gates.map(({ name, words, open }) => (
          <Gate key={name} name={name} words={words} tone={open ? openTone : 'waiting'} />
        ))}
      </dl>
    </section>
  );
}

function Gate({ name, words, tone }: GateProps) {
  return (
    <>
      <dt>{name}</dt>
      <dd className={styles.gate}>
        <StatusShape tone={tone} />
        <span>{words}</span>
      </dd>
    </>
  );
}

type GateProps = {
  readonly name: string;
  readonly words: string;
  readonly tone: 'attention' | 'ok' | 'waiting';
};

export function LadderPanels({ policy }: { readonly policy: PolicyViewWire }) {
  const down = gatesDown(policy);
  return (
    <div className={styles.panels}>
      <Panel
        title="One step up"
        rule={
          policy.ladder_mode === 'halted'
            ? 'Halted is the highest mode.'
            : 'A burst or the risk escalates, at once, when the cooldown is over.'
        }
        gates={gatesUp(policy)}
        openTone="attention"
      />
      <Panel
        title="One step down"
        rule={
          down.length === 0
            ? 'Normal is the lowest mode.'
            : 'All of these together lead down; the cooldown never holds that back.'
        }
        gates={down}
        openTone="ok"
      />
    </div>
  );
}
