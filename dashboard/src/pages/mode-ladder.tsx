// The four modes in a row, the one in force marked by shape, word and place, and what it holds back.

import type { PolicyViewWire, ServingModeWire } from '../api/wire.ts';
import { StatusMark, StatusShape } from '../components/status-mark.tsx';
import { useNow } from '../components/use-now.ts';
import { formatInstant, formatSince } from '../format/time.ts';
import { modeMarks } from '../status/status.ts';
import { heldBack } from './mode-effects.ts';
import pageStyles from './page.module.css';
import styles from './policy-page.module.css';

type Step = PolicyViewWire['effects'][number];

/** What is true of this step besides being in force. */
function place(policy: PolicyViewWire, mode: ServingModeWire): string | undefined {
  if (policy.pin !== null && policy.ladder_mode === mode && mode !== policy.mode) {
    return 'the ladder is here';
  }
  return undefined;
}

function LadderStep({ policy, step }: { readonly policy: PolicyViewWire; readonly step: Step }) {
  const now = useNow();
  const isHere = step.mode === policy.mode;
  const beside = place(policy, step.mode);
  return (
    <li className={styles.step} aria-current={isHere ? 'step' : undefined} data-mode={step.mode}>
      <span className={styles.stepName}>
        {isHere ? (
          <StatusMark {...modeMarks[step.mode]} />
        ) : (
          <>
            <StatusShape tone="waiting" />
            {step.mode}
          </>
        )}
        {beside === undefined ? null : <span className={pageStyles.tag}>{beside}</span>}
      </span>
      <span>{step.description}</span>
      {isHere ? (
        <span className="num" title={formatInstant(Date.parse(policy.since))}>
          in force for {formatSince(policy.since, now)}
          {policy.pin === null ? '' : ', pinned'}
        </span>
      ) : null}
    </li>
  );
}

export function ModeLadder({ policy }: { readonly policy: PolicyViewWire }) {
  const back = heldBack(policy.effects, policy.mode);
  return (
    <section className={pageStyles.section} aria-label="Ladder of modes">
      <ol className={styles.ladder}>
        {policy.effects.map((step) => (
          <LadderStep key={step.mode} policy={policy} step={step} />
        ))}
      </ol>
      <p className="wrap-anywhere" data-testid="gates-now">
        Now: {back.length === 0 ? 'nothing is held back' : back.join(' · ')}.
      </p>
    </section>
  );
}
