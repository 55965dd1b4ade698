// One backend beside the list: why it takes requests or not, its figures, its models, its actions.

import type { BackendViewWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { StatusMark } from '../components/status-mark.tsx';
import { useNow } from '../components/use-now.ts';
import { formatCount, noData } from '../format/numbers.ts';
import { formatAgo, formatInstant, formatLatency, formatSince } from '../format/time.ts';
import { backendMark } from '../status/status.ts';
import { BackendActions } from './backend-actions.tsx';
import styles from './backend-pane.module.css';
import { SimTag } from './fleet-table.tsx';
import pageStyles from './page.module.css';

type Model = BackendViewWire['models'][number];

function capabilities(model: Model): string {
  const words = [
    model.supports_tools ? 'tools' : undefined,
    model.supports_vision ? 'vision' : undefined,
    model.supports_json_mode ? 'JSON' : undefined,
  ].filter((word) => word !== undefined);
  return words.length === 0 ? noData : words.join(', ');
}

const modelColumns: readonly Column<Model>[] = [
  {
    key: 'id',
    title: 'Model',
    cell: (model) => (
      <span className={styles.model} title={model.id}>
        {model.id}
      </span>
    ),
  },
  {
    key: 'context',
    title: 'Context, tokens',
    numeric: true,
    cell: (model) => formatCount(model.context_length),
  },
  { key: 'can', title: 'Can', cell: capabilities },
];

function Facts({ backend }: { readonly backend: BackendViewWire }) {
  const now = useNow();
  const probed = Date.parse(backend.last_health_check);
  const facts: readonly (readonly [string, string])[] = [
    ['Address', backend.url],
    ['Type', backend.backend_type],
    ['First byte', `${formatLatency(backend.first_byte_ms)} (moving mean)`],
    ['Requests', `${formatCount(backend.total_requests)} since it was added`],
    ['Last probe', `${formatAgo(backend.last_health_check, now)} (${formatInstant(probed)})`],
    ['Last error', backend.last_error ?? 'none'],
    ['Priority, tier', `${backend.priority}, ${backend.tier}`],
    ['Zone', backend.zone],
    ['Known by', backend.discovery_source],
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
  const { tone, words } = backendMark(backend);
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
        <StatusMark tone={tone} words={words} />{' '}
        <span className="muted num">{formatSince(backend.status_since, now)}</span>
      </p>
      <p className="wrap-anywhere" data-testid="status-words">
        {backend.status_words}
      </p>
      <BackendActions backend={backend} fleet={fleet} />
      <Facts backend={backend} />
      {backend.models.length === 0 ? (
        <EmptyNote words="It offers no model. A model appears here as soon as a probe finds it." />
      ) : (
        <DataTable
          caption={`Models of ${backend.name}`}
          columns={modelColumns}
          rows={backend.models}
          rowKey={(model) => model.id}
          rowHeightPx={32}
        />
      )}
    </div>
  );
}
