// Why one backend is slow, out or wrong: the verdict, its day, the gates, its figures, its models and
// what is done with them, and the probes behind all that. Asked for once a second while it is on show.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { backendExplainQuery, backendsQuery } from '../api/queries.ts';
import type { BackendExplainWire, BackendViewWire } from '../api/wire.ts';
import { FailureNote } from '../components/failure-note.tsx';
import { LastGood } from '../components/last-good.tsx';
import { Loading } from '../components/loading.tsx';
import { useTitle } from '../components/use-title.ts';
import { Verdict } from '../components/verdict.tsx';
import { backendMark, glyphOfTone } from '../status/status.ts';
import { BackendActions } from './backend-actions.tsx';
import { effectWords } from './backend-effects.ts';
import { BackendFigures } from './backend-figures.tsx';
import { BackendModels } from './backend-models.tsx';
import { BackendOperations, OperationProgress } from './backend-operations.tsx';
import { foundWords, sourceOf } from './backend-source.ts';
import { SimTag } from './fleet-cells.tsx';
import { GatesList } from './gates-list.tsx';
import styles from './page.module.css';
import { ProbeLog } from './probe-log.tsx';
import { StatusRibbon } from './status-ribbon.tsx';

const route = getRouteApi('/app/fleet/$id');

type Fleet = readonly BackendViewWire[];

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className={styles.section} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Reasons({ explained, fleet }: LoadedProps) {
  const { backend, probe_words: words } = explained;
  return (
    <div className={styles.section}>
      <p className="wrap-anywhere" data-testid="probe-words">
        <span className="muted">Probes:</span> {words}.
      </p>
      <p className="wrap-anywhere" data-testid="effect-words">
        <span className="muted">Effect:</span> {effectWords(backend, fleet)}
      </p>
      <p className="muted wrap-anywhere">
        {backend.approved ? `${backend.url} · ` : `${foundWords(backend)} `}
        {`${backend.backend_type} · zone ${backend.zone} · tier ${backend.tier} · priority ${backend.priority} · known by ${sourceOf(backend)}`}
      </p>
    </div>
  );
}

type LoadedProps = { readonly explained: BackendExplainWire; readonly fleet: Fleet };

function Loaded({ explained, fleet }: LoadedProps) {
  const { backend, gates, history, probes, verdict } = explained;
  return (
    <div className={styles.page}>
      <Verdict tone={backendMark(backend).tone} words={verdict} />
      <Reasons explained={explained} fleet={fleet} />
      <OperationProgress operation={backend.current_operation} />
      <BackendActions backend={backend} fleet={fleet} />
      <StatusRibbon history={history} />
      <Section title="Gates">
        <GatesList gates={gates} />
      </Section>
      <Section title="Figures">
        <BackendFigures explained={explained} />
        <p>
          <Link to="/requests" search={{ backend: backend.id }}>
            Its last requests
          </Link>
        </p>
      </Section>
      <Section title="Models">
        <BackendModels explained={explained} fleet={fleet} />
      </Section>
      <Section title="Operations">
        <BackendOperations backendId={backend.id} />
      </Section>
      <Section title="Probes">
        <ProbeLog probes={probes} />
      </Section>
    </div>
  );
}

export function BackendPage() {
  const { id } = route.useParams();
  const { data: list } = useQuery(backendsQuery);
  const { data, error, dataUpdatedAt, refetch } = useQuery(backendExplainQuery(id));
  const known = data?.backend ?? list?.backends.find((backend) => backend.id === id);
  const name = known?.name ?? id;
  const glyph = known === undefined ? '' : glyphOfTone[backendMark(known).tone];
  useTitle(`${glyph} ${name}`.trim(), 'Fleet');
  const retry = () => void refetch();
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1 className="wrap-anywhere">
          Backend {name}
          <SimTag simulated={known?.simulated ?? false} />
        </h1>
        <Link to="/fleet">All backends</Link>
      </div>
      {data === undefined && error === null ? (
        <Loading what="what is known of this backend" heightPx={480} />
      ) : null}
      {data === undefined && error !== null ? <FailureNote error={error} onRetry={retry} /> : null}
      {data === undefined ? null : (
        <LastGood error={error} dataAt={dataUpdatedAt} onRetry={retry}>
          <Loaded explained={data} fleet={list?.backends ?? [data.backend]} />
        </LastGood>
      )}
    </div>
  );
}
