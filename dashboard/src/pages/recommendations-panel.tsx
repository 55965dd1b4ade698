// Models that would be worth loading before they are asked for, with the reason and the numbers. It is
// advice: nothing happens by itself. Off by default, and then nothing is shown.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { recommendationsQuery } from '../api/queries.ts';
import type { BackendViewWire, RecommendationListWire } from '../api/wire.ts';
import { Button } from '../components/button.tsx';
import { EmptyNote } from '../components/empty-note.tsx';
import { useNow } from '../components/use-now.ts';
import { formatGib, formatShare } from '../format/numbers.ts';
import { formatAgo, formatSpan } from '../format/time.ts';
import styles from './backend-pane.module.css';
import { OperationDialog } from './operation-dialog.tsx';
import pageStyles from './page.module.css';

type Advice = RecommendationListWire['recommendations'][number];
type Fleet = readonly BackendViewWire[];

function Entry({ advice, fleet, now }: EntryProps) {
  const [on, setOn] = useState<BackendViewWire>();
  const targets = fleet.filter(({ id }) => advice.target_backend_ids.includes(id));
  const leftMs = Date.parse(advice.expires_at) - now;
  return (
    <li className={styles.entry}>
      <p className="wrap-anywhere">
        <strong>{advice.model_id}</strong> {advice.reasoning}
      </p>
      <p className="muted">
        {`Confidence ${formatShare(advice.confidence_score, 1)} · needs ${advice.vram_required_bytes === null ? 'GPU memory that is not known' : formatGib(advice.vram_required_bytes)} · holds for ${formatSpan(leftMs)}`}
      </p>
      <div className={styles.actions}>
        {targets.map((target) => (
          <Button key={target.id} onClick={() => setOn(target)}>
            {`Load on ${target.name}…`}
          </Button>
        ))}
      </div>
      {on === undefined ? null : (
        <OperationDialog
          kind="load"
          backend={on}
          fleet={fleet}
          modelId={advice.model_id}
          onClose={() => setOn(undefined)}
        />
      )}
    </li>
  );
}

type EntryProps = { readonly advice: Advice; readonly fleet: Fleet; readonly now: number };

export function RecommendationsPanel({ fleet }: { readonly fleet: Fleet }) {
  const now = useNow(10_000);
  const { data } = useQuery(recommendationsQuery);
  if (data?.fleet_enabled !== true) return null;
  return (
    <section className={pageStyles.section} aria-label="Recommendations">
      <h2>Worth loading before they are asked for</h2>
      {data.recommendations.length === 0 ? (
        <EmptyNote words="Nothing to recommend: a model needs days of demand with a daily peak, or growing demand, and a backend with room for it." />
      ) : (
        <ul className={pageStyles.section}>
          {data.recommendations.map((advice) => (
            <Entry key={advice.recommendation_id} advice={advice} fleet={fleet} now={now} />
          ))}
        </ul>
      )}
      <p className="muted">{`Analysed ${formatAgo(data.generated_at, now)}. Nothing is loaded by itself.`}</p>
    </section>
  );
}
