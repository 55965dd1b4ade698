// The data of an event, opened on demand.

import { plural } from '../format/numbers.ts';
import { evidenceLines } from './evidence.ts';
import pageStyles from './page.module.css';
import styles from './policy-page.module.css';

type Data = Readonly<Record<string, unknown>>;

export function EvidenceList({ data }: { readonly data: Data }) {
  return (
    <dl className={pageStyles.facts}>
      {evidenceLines(data).map(({ name, value }) => (
        <Line key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

function Line({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt className="mono wrap-anywhere">{name}</dt>
      <dd className="mono">{value}</dd>
    </>
  );
}

export function Evidence({ data, of }: { readonly data: Data; readonly of: string }) {
  const count = evidenceLines(data).length;
  if (count === 0) return 'none was kept';
  return (
    <details className={styles.evidence}>
      <summary aria-label={`Evidence of ${of}, ${plural(count, 'figure')}`}>
        {plural(count, 'figure')}
      </summary>
      <EvidenceList data={data} />
    </details>
  );
}
