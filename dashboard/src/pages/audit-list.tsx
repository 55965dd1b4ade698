// The events of the window: filters, the table that stands still while it is read, and one event in
// full beside it.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useRef } from 'react';
import { auditRanges, eventKey, type Trail } from '../api/audit-trail.ts';
import { auditTrailQuery } from '../api/queries.ts';
import type { AuditEventWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import type { DataTableHandle } from '../components/data-table.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { SelectField } from '../components/select-field.tsx';
import { SidePane } from '../components/side-pane.tsx';
import { formatCount } from '../format/numbers.ts';
import { useReportHeld } from '../live/live-context.tsx';
import { AuditTable } from './audit-table.tsx';
import { EventPane } from './event-pane.tsx';
import styles from './page.module.css';
import type { AuditSearch } from './search.ts';
import { useHeldRows } from './use-held-rows.ts';
import { useReading } from './use-reading.ts';

const route = getRouteApi('/app/audit');

type Events = readonly AuditEventWire[];

/** The values there are, and the one that is asked for even when there is none of it. */
function valuesOf(values: readonly string[], asked: string | undefined): readonly string[] {
  return [...new Set(asked === undefined ? values : [...values, asked])].sort();
}

function Filters({ events }: { readonly events: Events }) {
  const { range, stream, kind } = route.useSearch();
  const navigate = useNavigate({ from: '/audit' });
  // What was read without a filter knows more values than the filtered events do.
  const { data: all } = useQuery({ ...auditTrailQuery({ range }), enabled: false });
  const known = [...(all?.events ?? []), ...events];
  const streams = valuesOf(
    known.map((event) => event.stream),
    stream,
  );
  const kinds = valuesOf(
    known.filter((event) => stream === undefined || event.stream === stream).map((e) => e.kind),
    kind,
  );
  const change = (part: Partial<AuditSearch>) =>
    void navigate({ search: (before) => ({ ...before, ...part, dropped: undefined }) });
  return (
    <>
      <nav className={styles.bar} aria-label="Window">
        {auditRanges.map((one) => (
          <Link
            key={one}
            to="/audit"
            search={(before) => ({ ...before, range: one, dropped: undefined })}
            className={styles.filter}
            activeProps={{}}
            aria-current={range === one ? 'true' : undefined}
          >
            {one}
          </Link>
        ))}
      </nav>
      <SelectField
        label="Stream"
        all="every stream"
        values={streams}
        value={stream}
        onChange={(value) => change({ stream: value, kind: undefined })}
      />
      <SelectField
        label="Kind"
        all="every kind"
        values={kinds}
        value={kind}
        onChange={(value) => change({ kind: value })}
      />
    </>
  );
}

function NoRows() {
  const { range, stream, kind } = route.useSearch();
  const asked = [stream, kind].filter((word) => word !== undefined).join(', ');
  if (asked === '') {
    return (
      <EmptyNote
        words={`No event in the last ${range}. Every change by a person or by a rule appears here with who, what and why.`}
      />
    );
  }
  return (
    <EmptyNote words={`No event of ${asked} in the last ${range}.`}>
      <Link to="/audit" search={{ range }}>
        Clear filter
      </Link>
    </EmptyNote>
  );
}

function Peek({ events }: { readonly events: Events }) {
  const { peek } = route.useSearch();
  const navigate = useNavigate({ from: '/audit' });
  const close = () =>
    void navigate({ search: (before) => ({ ...before, peek: undefined }), resetScroll: false });
  const event = events.find((one) => eventKey(one) === peek);
  if (event === undefined) return null;
  return (
    <SidePane label={`Event ${eventKey(event)}`} onClose={close}>
      <EventPane event={event} onClose={close} />
    </SidePane>
  );
}

export function AuditList({ trail }: { readonly trail: Trail }) {
  const search = route.useSearch();
  const table = useRef<DataTableHandle>(null);
  const { holds, scrolled, paused, setPaused, onScrolled, watch } = useReading();
  const { rows, unseen, catchUp } = useHeldRows({
    latest: trail.events,
    holds,
    keyOf: eventKey,
  });
  useReportHeld(holds && (paused || scrolled || unseen > 0) ? unseen : undefined);
  const isPeeked = trail.events.some((event) => eventKey(event) === search.peek);

  function showNew(): void {
    catchUp();
    table.current?.toTop();
  }

  return (
    <section className={styles.section} aria-label="Events">
      <div className={styles.bar}>
        <Filters events={trail.events} />
        <Button aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? 'Follow' : 'Pause'}
        </Button>
        {unseen > 0 ? (
          <Button kind="primary" onClick={showNew}>{`${formatCount(unseen)} new`}</Button>
        ) : null}
      </div>
      {search.dropped === undefined ? null : (
        <p role="status">{`There is no window “${search.dropped}”. The last ${search.range} are shown.`}</p>
      )}
      {search.peek !== undefined && !isPeeked ? (
        <p role="status">{`There is no event ${search.peek} in the last ${search.range}.`}</p>
      ) : null}
      {trail.cut ? (
        <p role="status">{`The newest ${formatCount(trail.events.length)} events of the window are shown; for earlier ones choose a filter, or export it.`}</p>
      ) : null}
      <div className={styles.split} data-peek={isPeeked ? '' : undefined}>
        {rows.length === 0 ? (
          <NoRows />
        ) : (
          <div {...watch}>
            <AuditTable ref={table} rows={rows} selected={search.peek} onScrolled={onScrolled} />
          </div>
        )}
        <Peek events={trail.events} />
      </div>
    </section>
  );
}
