// Which backend takes no requests, and why. Rows keep their order by name whatever their state does;
// one of them can be looked at beside the list, or over it where there is no room. The second view is
// the same fleet by model.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useRef } from 'react';
import { backendsQuery } from '../api/queries.ts';
import type { BackendViewWire } from '../api/wire.ts';
import { CopyCommand } from '../components/copy.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { useFreshness } from '../components/freshness-chip.tsx';
import { Loading } from '../components/loading.tsx';
import { SidePane } from '../components/side-pane.tsx';
import { useListKeys } from '../components/use-list-keys.ts';
import { useTitle } from '../components/use-title.ts';
import { Verdict } from '../components/verdict.tsx';
import { plural } from '../format/numbers.ts';
import { backendMark, glyphOfTone, type Tone } from '../status/status.ts';
import { BackendPane } from './backend-pane.tsx';
import { FirstRun } from './first-run.tsx';
import { byName, filterFleet, filterWords } from './fleet-filter.ts';
import { FleetFilters } from './fleet-filters.tsx';
import { FleetTable } from './fleet-table.tsx';
import { ModelMatrixTable } from './model-matrix-table.tsx';
import styles from './page.module.css';
import { PendingGroup } from './pending-group.tsx';
import { RecommendationsPanel } from './recommendations-panel.tsx';

const route = getRouteApi('/app/fleet');

type Fleet = readonly BackendViewWire[];

function verdictTone(fleet: Fleet): Tone {
  if (fleet.every((backend) => !backend.routable)) return fleet.length === 0 ? 'waiting' : 'bad';
  const lacks = fleet.some((backend) => backend.approved && !backend.routable);
  return lacks ? 'attention' : 'ok';
}

const views = [
  [undefined, 'Backends'],
  ['models', 'Models'],
] as const;

function ViewSwitch() {
  const held = route.useSearch({ select: (search) => search.view });
  return (
    <nav className={styles.bar} aria-label="View">
      {views.map(([view, words]) => (
        <Link
          key={words}
          to="/fleet"
          search={({ dropped: _, ...before }) => ({ ...before, view })}
          className={styles.filter}
          activeOptions={{ explicitUndefined: true }}
          aria-current={held === view ? 'true' : undefined}
          resetScroll={false}
        >
          {words}
        </Link>
      ))}
    </nav>
  );
}

/** Says which filters hide everything, or that nothing was let in yet. */
function NoRows({ total }: { readonly total: number }) {
  const { state, text } = route.useSearch();
  const names = [state === undefined ? undefined : filterWords[state], text];
  const filters = names.filter((name) => name !== undefined).map((name) => `“${name}”`);
  if (filters.length === 0) {
    return <EmptyNote words="No backend is approved yet. Those that wait are above." />;
  }
  return (
    <EmptyNote
      words={`No backend matches ${filters.join(' and ')}. ${plural(total, 'backend')} without that filter.`}
    >
      <Link to="/fleet" search={({ view }) => ({ view })}>
        Clear filter
      </Link>
    </EmptyNote>
  );
}

/** What the address asked for and is not there. */
function Notes({ peeked }: { readonly peeked: BackendViewWire | undefined }) {
  const { peek, dropped } = route.useSearch();
  return (
    <>
      {dropped === undefined ? null : (
        <p role="status" className="wrap-anywhere">
          {`There is no filter “${dropped}”. All backends are shown.`}
        </p>
      )}
      {peek !== undefined && peeked === undefined ? (
        <p role="status" className="wrap-anywhere">
          {`There is no backend “${peek}”. It may have been removed.`}
        </p>
      ) : null}
    </>
  );
}

function Rows({ fleet }: { readonly fleet: Fleet }) {
  const { state, text, view, peek } = route.useSearch();
  const { stale } = useFreshness();
  const navigate = useNavigate();
  const list = useRef<HTMLDivElement>(null);
  const filter = useRef<HTMLInputElement>(null);
  const admitted = fleet.filter(({ approved }) => approved);
  const rows = [...filterFleet(admitted, { state, text })].sort(byName);
  const peeked = fleet.find(({ id }) => id === peek);
  const look = (id: string | undefined) =>
    void navigate({
      to: '/fleet',
      search: (before) => ({ ...before, peek: id }),
      resetScroll: false,
    });
  const close = () => look(undefined);
  useListKeys({
    list,
    filter,
    onPeek: (id) => look(id === peek ? undefined : id),
    onClose: () => (peek === undefined ? undefined : close()),
  });
  return (
    <>
      <PendingGroup waiting={fleet.filter(({ approved }) => !approved)} fleet={fleet} />
      <FleetFilters fleet={admitted} input={filter} />
      <Notes peeked={peeked} />
      <div className={styles.split} data-peek={peeked === undefined ? undefined : ''}>
        <div ref={list} className={stale ? 'stale' : undefined}>
          {rows.length === 0 ? <NoRows total={admitted.length} /> : null}
          {rows.length > 0 && view === 'models' ? (
            <ModelMatrixTable backends={rows} fleet={admitted} />
          ) : null}
          {rows.length > 0 && view === undefined ? (
            <FleetTable rows={rows} selectedId={peeked?.id} />
          ) : null}
        </div>
        {peeked === undefined ? null : (
          <SidePane label={`Backend ${peeked.name}`} onClose={close}>
            <BackendPane backend={peeked} fleet={fleet} onClose={close} />
          </SidePane>
        )}
      </div>
      <RecommendationsPanel fleet={fleet} />
    </>
  );
}

function titleOf(backend: BackendViewWire): string {
  return `${glyphOfTone[backendMark(backend).tone]} ${backend.name}`;
}

export function FleetPage() {
  const { data, error, refetch } = useQuery(backendsQuery);
  const { peek } = route.useSearch();
  const peeked = data?.backends.find(({ id }) => id === peek);
  const glyph = data === undefined ? '' : glyphOfTone[verdictTone(data.backends)];
  useTitle(...(peeked === undefined ? [`${glyph} Fleet`.trim()] : [titleOf(peeked), 'Fleet']));
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1>Fleet</h1>
        <ViewSwitch />
        <CopyCommand command="tensorforge backends list" />
      </div>
      {error === null ? null : <FailureNote error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null ? (
        <Loading what="the list of backends" heightPx={320} />
      ) : null}
      {data === undefined ? null : (
        <>
          <Verdict tone={verdictTone(data.backends)} words={data.summary} />
          {data.backends.length === 0 ? <FirstRun total={0} /> : <Rows fleet={data.backends} />}
        </>
      )}
    </div>
  );
}
