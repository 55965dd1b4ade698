// Backends that discovery found and nobody has let in yet: where each was found, and the way in. They
// take no requests, so they stand apart from those that do.

import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { BackendViewWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import { StatusShape } from '../components/status-mark.tsx';
import { plural } from '../format/numbers.ts';
import { BackendActions } from './backend-actions.tsx';
import styles from './backend-pane.module.css';
import { foundWords } from './backend-source.ts';
import { SimTag } from './fleet-cells.tsx';
import { byName } from './fleet-filter.ts';
import pageStyles from './page.module.css';

type Fleet = readonly BackendViewWire[];

/** Anybody on the network can announce anything, so a long list is not shown whole by itself. */
const shownMax = 3;

function offers({ models, backend_type: type }: BackendViewWire): string {
  if (models.length === 0) return `It looks like ${type}; no model of it is known.`;
  const names = models.slice(0, 3).map(({ id }) => id);
  const rest = models.length > names.length ? ` and ${models.length - names.length} more` : '';
  return `It looks like ${type} and offers ${names.join(', ')}${rest}.`;
}

function Entry({ backend, fleet }: { readonly backend: BackendViewWire; readonly fleet: Fleet }) {
  return (
    <li className={styles.found} data-key={backend.id}>
      <p className="wrap-anywhere">
        <StatusShape tone="waiting" />{' '}
        <Link to="/fleet/$id" params={{ id: backend.id }}>
          {backend.name}
        </Link>
        <SimTag simulated={backend.simulated} /> {foundWords(backend)} {offers(backend)}
      </p>
      <BackendActions backend={backend} fleet={fleet} only={['approve', 'remove']} />
    </li>
  );
}

export type PendingGroupProps = {
  /** Those that wait. */
  readonly waiting: Fleet;
  readonly fleet: Fleet;
};

export function PendingGroup({ waiting, fleet }: PendingGroupProps) {
  const [all, setAll] = useState(false);
  if (waiting.length === 0) return null;
  const sorted = [...waiting].sort(byName);
  const shown = all ? sorted : sorted.slice(0, shownMax);
  const verb = waiting.length === 1 ? 'waits' : 'wait';
  return (
    <section className={styles.group} aria-label="Wait for approval">
      <h2>{`${plural(waiting.length, 'found backend')} ${verb} for approval`}</h2>
      <ul className={pageStyles.section}>
        {shown.map((backend) => (
          <Entry key={backend.id} backend={backend} fleet={fleet} />
        ))}
      </ul>
      {shown.length === sorted.length ? null : (
        <p>
          <Button kind="quiet" onClick={() => setAll(true)}>
            {`Show ${plural(sorted.length - shown.length, 'more', 'more')}`}
          </Button>
        </p>
      )}
    </section>
  );
}
