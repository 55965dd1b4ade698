// Which backend takes no requests, and why. Rows keep their order by name whatever their state does;
// one of them can be looked at beside the list, or over it where there is no room.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { backendsQuery } from '../api/queries.ts';
import type { BackendViewWire } from '../api/wire.ts';
import { CopyCommand } from '../components/copy.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { useFreshness } from '../components/freshness-chip.tsx';
import { Loading } from '../components/loading.tsx';
import { SidePane } from '../components/side-pane.tsx';
import { useTitle } from '../components/use-title.ts';
import { Verdict } from '../components/verdict.tsx';
import { plural } from '../format/numbers.ts';
import type { Tone } from '../status/status.ts';
import { BackendPane } from './backend-pane.tsx';
import { FirstRun } from './first-run.tsx';
import { FleetTable } from './fleet-table.tsx';
import styles from './page.module.css';
import type { FleetFilter } from './search.ts';

const route = getRouteApi('/app/fleet');

type Fleet = readonly BackendViewWire[];

const passes: Readonly<Record<FleetFilter, (backend: BackendViewWire) => boolean>> = {
  'not-ok': (backend) => !backend.routable,
  draining: (backend) => backend.status === 'draining',
  simulated: (backend) => backend.simulated,
};

const filterWords: Readonly<Record<FleetFilter, string>> = {
  'not-ok': 'takes none',
  draining: 'draining',
  simulated: 'simulated',
};

function byName(a: BackendViewWire, b: BackendViewWire): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

function verdictTone(fleet: Fleet): Tone {
  if (fleet.every((backend) => !backend.routable)) return fleet.length === 0 ? 'waiting' : 'bad';
  return fleet.some((backend) => !backend.routable) ? 'attention' : 'ok';
}

function Filters({ fleet }: { readonly fleet: Fleet }) {
  const search = route.useSearch();
  const entries: readonly (FleetFilter | undefined)[] = [
    undefined,
    'not-ok',
    'draining',
    'simulated',
  ];
  return (
    <nav className={styles.bar} aria-label="Filter">
      {entries.map((filter) => {
        const count = filter === undefined ? fleet.length : fleet.filter(passes[filter]).length;
        return (
          <Link
            key={filter ?? 'all'}
            to="/fleet"
            search={filter === undefined ? {} : { state: filter }}
            className={styles.filter}
            activeProps={{}}
            aria-current={search.state === filter ? 'true' : undefined}
          >
            {filter === undefined ? 'all' : filterWords[filter]} {count}
          </Link>
        );
      })}
      <CopyCommand command="tensorforge backends list" />
    </nav>
  );
}

function Peek({ backend, fleet }: { readonly backend: BackendViewWire; readonly fleet: Fleet }) {
  const navigate = useNavigate();
  const close = () =>
    void navigate({ to: '/fleet', search: ({ peek: _, ...rest }) => rest, resetScroll: false });
  return (
    <SidePane label={`Backend ${backend.name}`} onClose={close}>
      <BackendPane backend={backend} fleet={fleet} onClose={close} />
    </SidePane>
  );
}

function Rows({ fleet }: { readonly fleet: Fleet }) {
  const { state, peek, dropped } = route.useSearch();
  const { stale } = useFreshness();
  const rows = (state === undefined ? [...fleet] : fleet.filter(passes[state])).sort(byName);
  const peeked = fleet.find((backend) => backend.id === peek);
  return (
    <>
      <Filters fleet={fleet} />
      {dropped === undefined ? null : (
        <p role="status">{`There is no filter “${dropped}”. All backends are shown.`}</p>
      )}
      {peek !== undefined && peeked === undefined ? (
        <p role="status">{`There is no backend “${peek}”. It may have been removed.`}</p>
      ) : null}
      <div className={styles.split} data-peek={peeked === undefined ? undefined : ''}>
        {rows.length === 0 && state !== undefined ? (
          <EmptyNote
            words={`No backend matches “${filterWords[state]}”. ${plural(fleet.length, 'backend')} without that filter.`}
          >
            <Link to="/fleet" search={{}}>
              Clear filter
            </Link>
          </EmptyNote>
        ) : (
          <div className={stale ? 'stale' : undefined}>
            <FleetTable rows={rows} selectedId={peeked?.id} />
          </div>
        )}
        {peeked === undefined ? null : <Peek backend={peeked} fleet={fleet} />}
      </div>
    </>
  );
}

export function FleetPage() {
  const { data, error, refetch } = useQuery(backendsQuery);
  const { peek } = route.useSearch();
  const fleet = data?.backends;
  const name = fleet?.find((backend) => backend.id === peek)?.name;
  useTitle(...(name === undefined ? ['Fleet'] : [name, 'Fleet']));
  return (
    <div className={styles.page}>
      <h1>Fleet</h1>
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
