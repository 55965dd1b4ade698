// How busy and how fast one backend is. A figure of the engine that is too old to count is struck out
// and says its age; what was never measured says that, and is not 0.

import type { ReactNode } from 'react';
import type { BackendExplainWire } from '../api/wire.ts';
import { Meter } from '../components/meter.tsx';
import { useNow } from '../components/use-now.ts';
import { formatCount, plural } from '../format/numbers.ts';
import { formatLatency, formatSince, formatSpan } from '../format/time.ts';
import styles from './backend-page.module.css';
import { inFlightText } from './fleet-cells.tsx';
import { type LoadFigure, type LoadMember, loadFigure } from './load-figures.ts';

type TileProps = { readonly name: string; readonly value: ReactNode; readonly window: string };

function Tile({ name, value, window }: TileProps) {
  return (
    <div className={styles.tile}>
      <dt>{name}</dt>
      <dd className={styles.value}>{value}</dd>
      <dd className={styles.window}>{window}</dd>
    </div>
  );
}

const noSample = 'no sample yet';

function LoadValue({ figure }: { readonly figure: LoadFigure }) {
  switch (figure.kind) {
    case 'current':
      return figure.text;
    case 'old':
      return (
        <s>
          <span className="hidden-text">too old: </span>
          {figure.text}
        </s>
      );
    case 'untold':
      return <span className={styles.words}>not told</span>;
    case 'never':
      return <span className={styles.words}>{noSample}</span>;
  }
}

function loadWindow(figure: LoadFigure, maxAgeMs: number, now: number): string {
  switch (figure.kind) {
    case 'current':
      return `told by the engine ${formatSince(figure.readAt, now)} ago`;
    case 'old':
      return `${formatSince(figure.readAt, now)} old, at most ${formatSpan(maxAgeMs)} count`;
    case 'untold':
      return 'this engine does not tell';
    case 'never':
      return 'nothing was read from the engine';
  }
}

type FiguresProps = { readonly explained: BackendExplainWire };

function LoadTile({ explained, name, member }: LoadTileProps) {
  const now = useNow();
  const figure = loadFigure(explained, member);
  return (
    <Tile
      name={name}
      value={<LoadValue figure={figure} />}
      window={loadWindow(figure, explained.load_max_age_ms, now)}
    />
  );
}

type LoadTileProps = FiguresProps & { readonly name: string; readonly member: LoadMember };

function Measured({ ms }: { readonly ms: number | null }) {
  return ms === null ? <span className={styles.words}>{noSample}</span> : formatLatency(ms);
}

export function BackendFigures({ explained }: FiguresProps) {
  const { backend } = explained;
  const { capacity, pending_requests: pending, total_requests: total } = backend;
  // An average of no probe at all is not 0 ms.
  const probeMs = backend.avg_latency_ms === 0 ? null : backend.avg_latency_ms;
  return (
    <dl className={styles.tiles}>
      <Tile
        name="In flight"
        value={
          <span className={styles.meter}>
            {inFlightText(backend)}
            {capacity === 0 ? null : <Meter part={pending} whole={capacity} widthPx={64} />}
          </span>
        }
        window={capacity === 0 ? 'now; capacity is not known' : 'now, of its capacity'}
      />
      <Tile
        name="First byte"
        value={<Measured ms={backend.first_byte_ms} />}
        window="moving mean of its answers"
      />
      <Tile name="Probe" value={<Measured ms={probeMs} />} window="moving mean of good probes" />
      <LoadTile explained={explained} name="KV cache" member="kv_use" />
      <LoadTile explained={explained} name="Waiting inside" member="waiting" />
      <LoadTile explained={explained} name="Running inside" member="running" />
      <Tile
        name="Served"
        value={formatCount(total)}
        window={`${plural(total, 'request')} since it was added`}
      />
    </dl>
  );
}
