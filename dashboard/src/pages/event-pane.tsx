// One event in full: who, what, when, its data, and how it is chained to the one before.

import { eventKey } from '../api/audit-trail.ts';
import type { AuditEventWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import { formatInstant } from '../format/time.ts';
import styles from './backend-pane.module.css';
import { EvidenceList } from './evidence-list.tsx';
import pageStyles from './page.module.css';

export type EventPaneProps = { readonly event: AuditEventWire; readonly onClose: () => void };

function Facts({ event }: { readonly event: AuditEventWire }) {
  const facts: readonly (readonly [string, string])[] = [
    ['Time', `${formatInstant(Date.parse(event.occurred_at))} (${event.occurred_at})`],
    ['By', event.actor],
    ['Object', event.subject],
    ['Id', event.id],
    ['Version', String(event.version)],
    ['Hash before', event.prev_hash],
    ['Hash', event.hash],
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

export function EventPane({ event, onClose }: EventPaneProps) {
  return (
    <div className={styles.pane}>
      <div className={pageStyles.head}>
        <h2 className="wrap-anywhere">{event.kind}</h2>
        <Button kind="quiet" onClick={onClose}>
          Close
        </Button>
      </div>
      <p className="mono">{eventKey(event)}</p>
      <Facts event={event} />
      <h3>Data</h3>
      {Object.keys(event.data).length === 0 ? (
        <p className="muted">none</p>
      ) : (
        <EvidenceList data={event.data} />
      )}
    </div>
  );
}
