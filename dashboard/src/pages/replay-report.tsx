// A report of a replay. A divergence or a damaged log comes first, and then nothing below is shown as
// a fact; otherwise the three kinds of answer about a candidate follow, each under its own word.

import type { ReplayReportWire } from '../api/wire.ts';
import { CopyLine } from '../components/copy.tsx';
import { FaultTable } from '../components/fault-table.tsx';
import { formatCount, formatShare, plural } from '../format/numbers.ts';
import { formatInstant, formatSpan } from '../format/time.ts';
import { isProven } from '../status/status.ts';
import { CertainTier } from './certain-tier.tsx';
import { EstimatedTier } from './estimated-tier.tsx';
import pageStyles from './page.module.css';
import { ReplayDivergence } from './replay-divergence.tsx';
import { kindWords, paceWords } from './replay-figures.ts';
import { SimulatedTier } from './simulated-tier.tsx';

function Facts({ report }: { readonly report: ReplayReportWire }) {
  const skipped = Object.entries(report.skipped).filter(([, count]) => count > 0);
  const at = (time: string | null, none: string) =>
    time === null ? none : formatInstant(Date.parse(time));
  const facts: readonly (readonly [string, string])[] = [
    ['Window', `${at(report.from, 'the beginning')} to ${at(report.to, 'the end')} of the log`],
    ['Decided again', kindWords(report)],
    ['Pace', paceWords(report)],
    ['Differ', formatCount(report.divergences)],
    [
      'Not decidable',
      skipped.length === 0
        ? '0'
        : skipped.map(([reason, count]) => `${formatCount(count)} ${reason}`).join(', '),
    ],
  ];
  return (
    <dl className={pageStyles.facts}>
      {facts.map(([name, value]) => (
        <Fact key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd className="wrap-anywhere">{value}</dd>
    </>
  );
}

function Damage({ report }: { readonly report: ReplayReportWire }) {
  return (
    <section className={pageStyles.section} aria-label="Damage of the log">
      <h2>The log is damaged in {plural(report.faults.length, 'place')}</h2>
      <FaultTable faults={report.faults} />
      <p>What was read around these places is no proof of anything.</p>
      <CopyLine text="tensorforge audit verify" label="Copy the command that verifies the log" />
    </section>
  );
}

function Tiers({ report }: { readonly report: ReplayReportWire }) {
  const { candidate, decisions } = report;
  if (candidate === null) return null;
  return (
    <>
      <p className="muted wrap-anywhere">Candidate {candidate.digest.slice(0, 12)}</p>
      <CertainTier candidate={candidate} decisions={decisions} />
      <EstimatedTier slices={candidate.estimated} />
      <SimulatedTier candidate={candidate} />
    </>
  );
}

function Gaps({ gaps }: { readonly gaps: NonNullable<ReplayReportWire['gaps']> }) {
  return (
    <section className={pageStyles.section} aria-label="Gaps of the log">
      <h2>The log says nothing about {plural(gaps.length, 'span')}</h2>
      <ul>
        {gaps.map(({ stream, from, to, words }) => (
          <li key={`${stream} ${from} ${to}`} className="wrap-anywhere">
            {stream}, {formatInstant(Date.parse(from))} to {formatInstant(Date.parse(to))}: {words}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** How far it is, in words and beside them as a bar. */
function Progress({ report: { progress, seconds } }: { readonly report: ReplayReportWire }) {
  if (progress === undefined || progress <= 0) return null;
  const leftMs = (seconds * 1000 * (1 - progress)) / progress;
  return (
    <p className="num">
      <progress value={progress} max={1} aria-label="Share of the log that was read" />{' '}
      {formatShare(progress, 1)} of the log, about {formatSpan(leftMs)} left
    </p>
  );
}

export function ReplayReport({ report }: { readonly report: ReplayReportWire }) {
  const proven = isProven(report);
  const { gaps = [], failure = null } = report;
  return (
    <>
      {report.state === 'running' ? <Progress report={report} /> : null}
      {failure === null ? null : <p role="alert">It failed: {failure}</p>}
      {report.first_divergence === null ? null : (
        <ReplayDivergence divergence={report.first_divergence} count={report.divergences} />
      )}
      {report.faults.length === 0 ? null : <Damage report={report} />}
      {gaps.length === 0 ? null : <Gaps gaps={gaps} />}
      <Facts report={report} />
      {report.state !== 'done' || proven ? null : (
        <p role="status">
          Nothing is said about a candidate here: the log and this build do not agree.
        </p>
      )}
      {report.state === 'done' && proven ? <Tiers report={report} /> : null}
    </>
  );
}
