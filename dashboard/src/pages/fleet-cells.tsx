// What several tables and panes show of a backend in the same way.

import type { BackendViewWire } from '../api/wire.ts';
import { Meter } from '../components/meter.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { formatCount, noData } from '../format/numbers.ts';
import { formatInstant, formatSince } from '../format/time.ts';
import { backendMark } from '../status/status.ts';
import { isCloud } from './fleet-filter.ts';
import { loadText } from './load-figures.ts';
import styles from './page.module.css';

type BackendProps = { readonly backend: BackendViewWire };

export function SimTag({ simulated }: { readonly simulated: boolean }) {
  if (!simulated) return null;
  return (
    <>
      {' '}
      <span className={styles.tag} title="Simulated">
        SIM
      </span>
    </>
  );
}

export function StateMark({ backend }: BackendProps) {
  return <StatusMark {...backendMark(backend)} />;
}

export function Since({ at, now }: { readonly at: string; readonly now: number }) {
  return (
    <time className="num" dateTime={at} title={formatInstant(Date.parse(at))}>
      {formatSince(at, now)}
    </time>
  );
}

/** `openai $`: what is paid for by use carries the sign of money. */
export function TypeWord({ backend }: BackendProps) {
  if (!isCloud(backend)) return backend.backend_type;
  return (
    <>
      {backend.backend_type} <span title="Paid for by use">$</span>
    </>
  );
}

/** `18 / 64`; alone where the capacity is not known. */
export function inFlightText(backend: BackendViewWire): string {
  const { capacity, pending_requests: pending } = backend;
  return capacity === 0
    ? formatCount(pending)
    : `${formatCount(pending)} / ${formatCount(capacity)}`;
}

export function InFlight({ backend }: BackendProps) {
  const { capacity, pending_requests: pending } = backend;
  return (
    <span className={styles.figure}>
      {inFlightText(backend)}
      {capacity === 0 ? null : <Meter part={pending} whole={capacity} widthPx={32} />}
    </span>
  );
}

/** What the engine told just now; a dash where it tells nothing, or told it too long ago. */
export function loadCell(backend: BackendViewWire, member: 'waiting' | 'kv_use'): string {
  const value = backend.load?.[member] ?? null;
  return value === null ? noData : loadText(member, value);
}

/** `1 of 3`: models in memory of all; the count alone where the engine does not tell. */
export function modelCount({ models, loaded_models: loaded }: BackendViewWire): string {
  const total = formatCount(models.length);
  return loaded === null ? total : `${formatCount(loaded.length)} of ${total}`;
}
