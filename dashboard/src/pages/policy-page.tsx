// Which mode, why, until when: the ladder with what it holds back now, how fast the error budget
// burns, what stands between here and the next step either way, and every move with its evidence.

import { useQuery } from '@tanstack/react-query';
import { policyHistoryQuery, policyQuery } from '../api/queries.ts';
import type { PolicyViewWire } from '../api/wire.ts';
import { CopyCommand } from '../components/copy.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { LastGood } from '../components/last-good.tsx';
import { Loading } from '../components/loading.tsx';
import { useNow } from '../components/use-now.ts';
import { useTitle } from '../components/use-title.ts';
import { Verdict } from '../components/verdict.tsx';
import { formatInstant, formatSince } from '../format/time.ts';
import { glyphOfTone, verdictTones } from '../status/status.ts';
import { BudgetPanel } from './budget-panel.tsx';
import { BurnChart } from './burn-chart.tsx';
import { EffectsTable } from './effects-table.tsx';
import { LadderPanels } from './ladder-panels.tsx';
import { ModeHistory } from './mode-history.tsx';
import { ModeLadder } from './mode-ladder.tsx';
import pageStyles from './page.module.css';
import { PinActions } from './pin-actions.tsx';
import styles from './policy-page.module.css';

/** Nobody asked anything for a while, so nothing can be judged and the level stays. */
function NoData({ since }: { readonly since: string }) {
  const now = useNow();
  return (
    <p className={styles.notice} role="status">
      No outcome since {formatInstant(Date.parse(since))} ({formatSince(since, now)}): the level is
      frozen until requests end again. No data is neither good nor bad.
    </p>
  );
}

function PinNote({ pin, ladder }: PinNoteProps) {
  const until =
    pin.until === null ? 'until it is lifted' : `until ${formatInstant(Date.parse(pin.until))}`;
  return (
    <p className={`${styles.notice} wrap-anywhere`} role="status">
      Pinned to <strong>{pin.mode}</strong> by {pin.by} since {formatInstant(Date.parse(pin.since))}
      , {until}: “{pin.reason}”. The ladder itself holds <strong>{ladder}</strong>.
    </p>
  );
}

type PinNoteProps = {
  readonly pin: NonNullable<PolicyViewWire['pin']>;
  readonly ladder: PolicyViewWire['ladder_mode'];
};

function History({ policy }: { readonly policy: PolicyViewWire }) {
  const { data, error, dataUpdatedAt, refetch } = useQuery(policyHistoryQuery);
  const retry = () => void refetch();
  if (data === undefined) {
    if (error !== null) return <FailureNote error={error} onRetry={retry} />;
    return <Loading what="the history of the mode" heightPx={320} />;
  }
  return (
    <LastGood error={error} dataAt={dataUpdatedAt} onRetry={retry}>
      <div className={pageStyles.page}>
        <BurnChart points={data.burn} pairs={policy.burn} />
        <BudgetPanel policy={policy} />
        <LadderPanels policy={policy} />
        <ModeHistory moves={data.moves} since={policy.since} mode={policy.mode} />
      </div>
    </LastGood>
  );
}

function Loaded({ policy }: { readonly policy: PolicyViewWire }) {
  return (
    <div className={pageStyles.page}>
      <Verdict tone={verdictTones[policy.verdict_level]} words={policy.verdict} />
      {policy.pin === null ? null : <PinNote pin={policy.pin} ladder={policy.ladder_mode} />}
      {policy.no_data_since === null ? null : <NoData since={policy.no_data_since} />}
      <ModeLadder policy={policy} />
      <PinActions policy={policy} />
      <History policy={policy} />
      <EffectsTable effects={policy.effects} mode={policy.mode} />
    </div>
  );
}

export function PolicyPage() {
  const { data: policy, error, dataUpdatedAt, refetch } = useQuery(policyQuery);
  const glyph = policy === undefined ? '' : glyphOfTone[verdictTones[policy.verdict_level]];
  useTitle(`${glyph} Policy`.trim());
  const retry = () => void refetch();
  return (
    <div className={pageStyles.page}>
      <div className={pageStyles.head}>
        <h1>Policy</h1>
        <CopyCommand command="tensorforge policy show" />
      </div>
      {policy === undefined && error === null ? (
        <Loading what="the serving mode" heightPx={480} />
      ) : null}
      {policy === undefined && error !== null ? (
        <FailureNote error={error} onRetry={retry} />
      ) : null}
      {policy === undefined ? null : (
        <LastGood error={error} dataAt={dataUpdatedAt} onRetry={retry}>
          <Loaded policy={policy} />
        </LastGood>
      )}
    </div>
  );
}
