// One backend beside the list: why it takes requests or not, which gates stand between, what its state
// means for requests, its figures, and its actions. Its page has the rest.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { partsOf } from '../api/failure.ts';
import { backendExplainQuery } from '../api/queries.ts';
import type { BackendExplainWire, BackendViewWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import { StatusShape } from '../components/status-mark.tsx';
import { useNow } from '../components/use-now.ts';
import { formatCount, noData } from '../format/numbers.ts';
import { formatAgo, formatInstant, formatLatency, formatSince } from '../format/time.ts';
import { gateMarks } from '../status/status.ts';
import { BackendActions } from './backend-actions.tsx';
import { effectWords } from './backend-effects.ts';
import { OperationProgress } from './backend-operations.tsx';
import styles from './backend-pane.module.css';
import { sourceOf } from './backend-source.ts';
import { inFlightText, loadCell, modelCount, SimTag, StateMark } from './fleet-cells.tsx';
import pageStyles from './page.module.css';

function GatesLine({ gates }: Pick<BackendExplainWire, 'gates'>) {
  return (
    <ul className={styles.gates} aria-label="Gates">
      {gates.map(({ name, state, words }) => (
        <li key={name} title={words}>
          <StatusShape tone={gateMarks[state].tone} /> {name}{' '}
          <span className={state === 'closed' ? undefined : 'hidden-text'}>
            {gateMarks[state].words}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** Why, in the words of the server; in their place until they come, what the list knows. */
function Reasons({ backend }: { readonly backend: BackendViewWire }) {
  const { data, error } = useQuery(backendExplainQuery(backend.id));
  return (
    <>
      <p className="wrap-anywhere" data-testid="status-words">
        {data?.verdict ?? backend.status_words}
      </p>
      {data === undefined ? null : (
        <>
          <p className="muted wrap-anywhere" data-testid="probe-words">
            Probes: {data.probe_words}.
          </p>
          <GatesLine gates={data.gates} />
        </>
      )}
      {error === null ? null : (
        <p className="wrap-anywhere" role="status">
          {`Why is not known now: ${partsOf(error).message} (${partsOf(error).code})`}
        </p>
      )}
    </>
  );
}

function Facts({ backend }: { readonly backend: BackendViewWire }) {
  const now = useNow();
  const { load, models } = backend;
  const probed = Date.parse(backend.last_health_check);
  const ids = models.map(({ id }) => id).join(', ');
  const facts: readonly (readonly [string, string])[] = [
    ['Address', backend.url],
    ['Type', backend.backend_type],
    ['In flight', inFlightText(backend)],
    ['First byte', `${formatLatency(backend.first_byte_ms)} (moving mean)`],
    ['KV, waiting', `${loadCell(backend, 'kv_use')}, ${loadCell(backend, 'waiting')}`],
    ['Load read', load === null ? 'not told, or too old' : formatAgo(load.read_at, now)],
    ['Models', ids === '' ? noData : `${modelCount(backend)} in memory: ${ids}`],
    ['Requests', `${formatCount(backend.total_requests)} since it was added`],
    ['Last probe', `${formatAgo(backend.last_health_check, now)} (${formatInstant(probed)})`],
    ['Last error', backend.last_error ?? 'none'],
    ['Zone, tier, priority', `${backend.zone}, ${backend.tier}, ${backend.priority}`],
    ['Known by', sourceOf(backend)],
  ];
  return (
    <dl className={pageStyles.facts}>
      {facts.map(([name, value]) => (
        <div key={name} className={styles.fact}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export type BackendPaneProps = {
  readonly backend: BackendViewWire;
  readonly fleet: readonly BackendViewWire[];
  readonly onClose: () => void;
};

export function BackendPane({ backend, fleet, onClose }: BackendPaneProps) {
  const now = useNow();
  return (
    <div className={styles.pane}>
      <div className={pageStyles.head}>
        <h2 className="wrap-anywhere">
          {backend.name}
          <SimTag simulated={backend.simulated} />
        </h2>
        <Button kind="quiet" onClick={onClose}>
          Close
        </Button>
      </div>
      <p>
        <StateMark backend={backend} />{' '}
        <span className="muted num">{formatSince(backend.status_since, now)}</span>
      </p>
      <Reasons backend={backend} />
      <p className="wrap-anywhere" data-testid="effect-words">
        <span className="muted">Effect:</span> {effectWords(backend, fleet)}
      </p>
      <OperationProgress operation={backend.current_operation} />
      <BackendActions backend={backend} fleet={fleet} />
      <Link to="/fleet/$id" params={{ id: backend.id }}>
        Open page
      </Link>
      <Facts backend={backend} />
    </div>
  );
}
